"""A body that begins like one that was searched before must give what a search of all of it gives."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_core import seen_bodies
from proxy_core.redact import Redactor, Secret
from proxy_core.seen_bodies import SeenBodies

_KEY = b"sk-ant-api03-" + b"A1b2" * 6
_PIECES = [
    b"plain words ",
    b"nospace" * 700,
    _KEY,
    _KEY + b" ",
    b" " + _KEY[:9],
    _KEY[9:] + b'", ',
    base64.b64encode(b"a" + _KEY + b"b"),
    base64.b64encode(_KEY),
    b"%73k-ant-x%25",
    b"\\\\u0073k-ant-abc ",
    b"\\u0073k\\",
    b'"authorization_token": "abc ',
    b'"authorization_token": "' + base64.b64encode(_KEY) + b'"',
    b'\\"authorization_token\\": \\"abc def\\" ',
    b'"authorization\\u005ftoken": "x"',
    b"[REDACTED:0123456789ab] ",
    b'"\n',
]
_TEXTS = st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join)


def _redactor(least_remembered_bytes: int) -> Redactor:
    redactor = Redactor(b"k" * 32)
    redactor.least_remembered_bytes = least_remembered_bytes
    redactor._seen = SeenBodies(block_bytes=32)
    return redactor


@settings(deadline=None)
@given(st.lists(st.tuples(_TEXTS, st.integers(0, 4)), min_size=2, max_size=6))
def test_what_was_searched_before_changes_nothing(turns: list[tuple[bytes, int]]) -> None:
    remembering = _redactor(1)
    bodies = [b"".join(b"line %d of a beginning, " % number for number in range(20))]
    for text, kept in turns:
        previous = bodies[-1]
        bodies.append(previous[: len(previous) * (kept + 1) // 5] + text + b" " * 17 + text)
    for body in [*bodies, *reversed(bodies)]:
        forgetful = _redactor(1 << 40)
        assert remembering.secrets(body) == forgetful.secrets(body)


def test_a_conversation_takes_one_place_and_shares_its_blocks() -> None:
    seen: SeenBodies[Secret] = SeenBodies()
    body = b""
    for turn in range(40):
        body += b"turn %d " % turn * 4000
        seen.remember(body, (), (), has_members=False)
    assert len(seen._bodies) <= seen_bodies._BODIES
    newest = seen._bodies[0]
    again = body + b"and more"
    seen.remember(again, (), (), has_members=False)
    assert all(one is other for one, other in zip(newest.blocks, seen._bodies[0].blocks, strict=True))
    assert seen.beginning_of(again).length > len(newest.blocks) * 16 * 1024 - 10


def test_a_beginning_without_a_space_is_not_known() -> None:
    seen: SeenBodies[Secret] = SeenBodies()
    seen.remember(b"x" * 100_000, (), (), has_members=False)
    assert seen.beginning_of(b"x" * 100_000).length == 0
    assert seen.beginning_of(b"other").length == 0
    assert seen.beginning_of(b"").length == 0


def test_only_the_last_bodies_are_kept_and_only_their_first_megabytes() -> None:
    seen: SeenBodies[Secret] = SeenBodies()
    for number in range(20):
        seen.remember(b"%d " % number * 2_000_000, (), (), has_members=False)
    assert len(seen._bodies) == seen_bodies._BODIES
    assert max(sum(map(len, body.blocks)) for body in seen._bodies) == 2 * 1024 * 1024
