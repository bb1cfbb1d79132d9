"""Whatever stands in the pipe between our processes: a message is taken in or refused as one, and the recording goes on."""

import io
import random
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.exchange import BodyGrew, ExchangeFinished, ExchangeStarted, ResponseStarted
from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from proxy_core.relay import Mirror
from proxy_core.relay_messages import read_messages, write_message
from tests.fuzz.hostile import KEY, SEARCH

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]


class Tape:
    """Choices read off a few bytes: drawing each by itself would take longer than what is tested. A short one is simple."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def number(self, limit):
        self._at += 1
        return self._data[self._at - 1] % limit if self._at <= len(self._data) else 0

    def pick(self, options):
        return options[self.number(len(options))]

    def some(self, limit):
        size = self.number(limit + 1)
        self._at += size
        return self._data[self._at - size : self._at]

    def text(self, limit):
        return self.some(limit).decode("utf-8", "replace")

    def flags(self, count):
        return [bool(self.number(2)) for _ in range(count)]

    def times(self, count):
        return [self.pick(_TIMES if self.number(40) else _NO_TIMES) for _ in range(count)]

    def several(self, limit, make):
        return [make() for _ in range(self.number(limit + 1))]


_TIMES = (None, 0, 1, -1, 1_700_000_000_000_000, 2**62, 2**63 - 1, -(2**63))
_NO_TIMES = (2**63, 1.5, "now")
_STATUSES = (200, None, 0, -5, 429, 999, 2**40, "200")
_IDS = ("a", "0193a1b2c3d47000800000000000ffff", "\x00", "")
_MODES = ("intercept", "reverse", "local", "imported", "", "nonsense")
_URLS = (b"https://api.anthropic.com/v1/messages", b"\xff\x00", b"https://[/", KEY, b"")
_BODIES = (
    b'{"model": "m", "messages": []}', b'{"model": "', b"event: x\ndata: {}\n\n", b"data: ", b"\x1f\x8b\x08", b"", b"\xff\xfe",
    KEY, KEY[:20], KEY[20:], b"words and words " * 300,
)  # fmt: skip
_NAMES = (b"content-type", b"Content-Encoding", b"x-api-key", b"authorization", b"", b"\xff")
_VALUES = (b"text/event-stream", b"gzip", b"br, gzip", KEY, b"Bearer " + KEY, b"", b"\x00\r\n")


def _lines(tape):
    return tape.several(3, lambda: (tape.pick(_NAMES), tape.pick(_VALUES) if tape.number(3) else tape.some(12)))


def _opening(tape):
    url = tape.pick(_URLS) if tape.number(3) else tape.some(20)
    return [tape.pick(_MODES), tape.text(4), tape.some(9), url, tape.some(9), _lines(tape), tape.pick(_TIMES)]


def _state(tape):
    heads = [_lines(tape), tape.pick(_STATUSES), tape.some(8), tape.some(8), _lines(tape), _lines(tape)]
    return [*heads, *tape.times(7), tape.some(12) if tape.number(2) else None, *tape.flags(3)]


def _message(tape):
    opening = _opening(tape) if tape.number(4) else None
    parts = [tape.several(3, lambda: tape.pick(_BODIES) if tape.number(4) else tape.some(30)) for _ in range(2)]
    return [tape.pick(_IDS), opening, _state(tape), *parts, *tape.flags(4)]


def _written(data):
    tape = Tape(data)
    return [msgspec.msgpack.encode(_message(tape)) for _ in range(1 + tape.number(5))]


def _spoilt(data):
    """Messages with a few places cut out, doubled or replaced."""
    tape = Tape(data)
    return [_edited(tape, message) for message in _written(data[len(data) // 4 :])]


def _edited(tape, message):
    for _ in range(tape.number(4)):
        at = (tape.number(256) * 256 + tape.number(256)) % (len(message) + 1)
        end = at + tape.number(100)
        message = message[:at] + tape.some(8) + (message[at:end] if tape.number(2) else b"") + message[end:]
    return message


_TAPES = st.binary(max_size=400)
_PIPES = (b"\x00\x00\x00\x03abc\x00\x00\x00\x00", b"\x00\x00\x00\x01x" * 9, b"\x7f\xff\xff\xffab")


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
@given(_TAPES)
def test_any_fields_are_taken_in_or_refused(tape):
    messages = _written(tape)
    _, events, refused = taken_in(messages)
    assert KEY not in repr(events).encode()
    assert refused <= len(messages)


def test_what_is_searched_with_is_mostly_taken_in():
    choices = random.Random(7)
    told = [taken_in(_written(choices.randbytes(300))) for _ in range(600)]
    kinds = {type(event) for _, events, _ in told for event in events}
    assert kinds == {ExchangeStarted, ResponseStarted, BodyGrew, ExchangeFinished}
    assert sum(refused == 0 for *_, refused in told) > 100
    assert any(refused for *_, refused in told)


@SEARCH
@given(_TAPES)
def test_spoilt_messages(tape):
    taken_in(_spoilt(tape))


@SEARCH
@given(_TAPES)
def test_any_pipe_ends(data):
    tape = Tape(data)
    written = _edited(tape, tape.pick(_PIPES))
    messages = list(read_messages(io.BytesIO(written)))
    assert sum(map(len, messages)) <= len(written)
    sink = io.BytesIO()
    for message in messages:
        write_message(sink, message)
    assert written.startswith(sink.getvalue())
    with suppress(msgspec.MsgspecError, ValueError):
        taken_in(messages)
