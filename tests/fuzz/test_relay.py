"""Whatever stands in the pipe between our processes: a message is taken in or refused as one, and the recording goes on."""

import io
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from proxy_core.relay import Mirror
from proxy_core.relay_messages import read_messages, write_message
from tests.fuzz.hostile import KEY, SEARCH, spoilt

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
_LINES = st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=40)), max_size=3)
_WHEN = st.none() | st.integers(-(2**63), 2**63 - 1)
_IDS = st.sampled_from(["a", "0193a1b2c3d47000800000000000ffff", "\x00"]) | st.text(max_size=6)
_MODES = st.sampled_from(["intercept", "reverse", "local", "import"]) | st.text(max_size=4)
_URLS = st.sampled_from([b"https://api.anthropic.com/v1/messages", b"\xff\x00", b"https://[/", KEY]) | st.binary(max_size=20)
_OPENINGS = st.tuples(
    _MODES, st.text(max_size=4), st.binary(max_size=9), _URLS, st.binary(max_size=9), _LINES, st.integers(0, 2**62)
)
_STATES = st.tuples(
    _LINES, st.none() | st.integers(-5, 2**40), st.binary(max_size=8), st.binary(max_size=8), _LINES, _LINES,
    _WHEN, _WHEN, _WHEN, _WHEN, _WHEN, _WHEN, _WHEN, st.none() | st.binary(max_size=12), *(st.booleans(),) * 3,
)  # fmt: skip
_PARTS = st.lists(spoilt(b'{"model": "m", "messages": []}', b"event: x\ndata: {}\n\n", b"\x1f\x8b\x08"), max_size=3)
_MESSAGES = st.tuples(_IDS, st.none() | _OPENINGS, _STATES, _PARTS, _PARTS, *(st.booleans(),) * 3)
_WRITTEN = st.lists(_MESSAGES, min_size=1, max_size=5).map(lambda told: [msgspec.msgpack.encode(one) for one in told])


def taken_in(messages):
    """Take in messages as the recording process does; returns the events that came of them, and how many were refused."""
    feed = CaptureFeed(Redactor(b"a key of the tests"), young_s=0.0, flush_s=0.0)
    mirror = Mirror(feed)
    events, refused = [], 0
    for message in messages:
        try:
            mirror.apply(message)
        except (msgspec.MsgspecError, ValueError):
            refused += 1
        events += feed.take(0.0)
    return feed, events, refused


@SEARCH
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_are_refused_as_a_message(messages):
    taken_in(messages)


@SEARCH
@given(_WRITTEN)
def test_any_fields_are_taken_in_or_refused(messages):
    _, events, refused = taken_in(messages)
    assert KEY not in repr(events).encode()
    assert refused <= len(messages)


@SEARCH
@given(_WRITTEN, st.data())
def test_spoilt_messages(messages, data):
    taken_in([data.draw(spoilt(message)) for message in messages])


@SEARCH
@given(spoilt(b"\x00\x00\x00\x03abc\x00\x00\x00\x00", b"\x00\x00\x00\x01x" * 9, b"\x7f\xff\xff\xffab"))
def test_any_pipe_ends(written):
    messages = list(read_messages(io.BytesIO(written)))
    assert sum(map(len, messages)) <= len(written)
    sink = io.BytesIO()
    for message in messages:
        write_message(sink, message)
    assert written.startswith(sink.getvalue())
    with suppress(msgspec.MsgspecError, ValueError):
        taken_in(messages)
