"""Exchanges that went through a relay come out as they went in, whoever dies in between."""

import io
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.clock import new_exchange_id
from proxy_core.exchange import BodyGrew, CaptureEvent, CaptureMode, ExchangeFinished, ExchangeStarted, ExchangeState
from proxy_core.feed import CaptureFeed
from proxy_core.hook_feed import FLUSH_S, HookFeed
from proxy_core.live import LiveExchange
from proxy_core.redact import Redactor
from proxy_core.relay import MAX_DEATHS, PART_BYTES, Mirror, Relay
from proxy_core.relay_messages import read_messages, write_message
from tests.factories import live_exchange

REDACTOR = Redactor(b"a key of the tests")
HELD = 1_000_000
BYTES = st.binary(max_size=40)


class Clock:
    """A clock that goes only when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """Hooks, a relay, and the feed at the other end."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.hooks = HookFeed(REDACTOR, held_body_bytes=HELD, monotonic=self.clock)
        self.relay = Relay(self.hooks, held_body_bytes=HELD)
        self.renew()

    def renew(self) -> None:
        """Put a new receiver in the place of the one that died."""
        self.feed = CaptureFeed(REDACTOR, held_body_bytes=HELD, young_s=0.0, flush_s=0.0, monotonic=self.clock)
        self.mirror = Mirror(self.feed)

    def begin(self, number: int = 0, **fields: object) -> LiveExchange:
        live = live_exchange(
            self.hooks,
            exchange_id=new_exchange_id(1_700_000_000_000_000 + number),
            mode=CaptureMode.REVERSE,
            http_version=b"HTTP/2.0",
            headers=((b"A", b"\xff\x00"), (b"a", b"2")),
            client_started_us=1_700_000_000_000_000,
            **fields,
        )
        self.hooks.begin(live)
        return live

    def send(self, messages: Iterable[bytes] | None = None) -> int:
        """Carry everything over; returns how many messages it took."""
        count = 0
        for message in self.relay.news(0.0) if messages is None else messages:
            self.mirror.apply(message)
            count += 1
        return count

    def flush(self) -> int:
        """Carry over what has come of what runs."""
        heard = self.send()
        self.clock.now += FLUSH_S
        return heard + self.send()

    def finished(self) -> list[ExchangeFinished]:
        return [event for event in self.events() if isinstance(event, ExchangeFinished)]

    def events(self) -> list[CaptureEvent]:
        return self.feed.take(0.0)


def respond(live: LiveExchange, body: bytes = b"fine") -> None:
    live.status_code, live.reason, live.response_http_version = 200, b"OK", b"HTTP/2.0"
    live.response_headers = ((b"X", b"y"),)
    live.response_body.append(body)
    live.is_response_done = True


def test_a_whole_exchange_comes_out_as_it_went_in() -> None:
    rig = Rig()
    live = rig.begin(proxy_received_us=5, upstream_connect_us=7, url="https://h/\udce9")
    live.request_body.append(b"ask")
    respond(live)
    live.response_trailers = ((b"T", b"t"),)
    rig.hooks.finish(live)
    assert rig.send() == 1
    (event,) = rig.finished()
    direct = CaptureFeed(REDACTOR)
    again = rig.begin()
    for name in LiveExchange.__slots__:
        if name not in {"request_body", "response_body", "is_finished", "is_taken"}:
            setattr(again, name, getattr(live, name))
    again.request_body.append(b"ask")
    again.response_body.append(b"fine")
    direct.begin(again)
    direct.finish(again)
    assert direct.take(0.0) == [event]
    assert event.request.headers == (("A", "\xff\x00"), ("a", "2"))
    assert event.timing.upstream_connect_us == 7


def test_a_running_exchange_is_sent_as_it_grows_and_only_then() -> None:
    rig = Rig()
    live = rig.begin()
    rig.hooks.announce(live)
    assert rig.send() == 0
    live.request_body.append(b"one ")
    assert rig.flush() == 1
    assert rig.flush() == 0
    live.request_body.append(b"two")
    assert rig.flush() == 1
    rig.events()
    respond(live)
    live.error = "broke off: \udce9"
    live.response_body.is_cut = True
    rig.hooks.finish(live)
    rig.send()
    (event,) = rig.finished()
    assert event.request_body.data == b"one two"
    assert event.state is ExchangeState.FAILED
    assert event.response_body is not None
    assert event.response_body.is_truncated


def test_bodies_are_held_until_they_are_stored() -> None:
    rig = Rig()
    live = rig.begin()
    live.request_body.append(b"x" * 100)
    rig.hooks.finish(live)
    rig.send()
    assert rig.hooks.queued_bytes == 100
    assert (rig.relay.waiting, rig.hooks.is_seen, rig.hooks.is_drained) == (1, True, False)
    rig.relay.settle([live.exchange_id, "another"])
    assert rig.hooks.queued_bytes == 0
    assert (rig.relay.waiting, rig.hooks.is_drained) == (0, True)


def test_a_large_body_goes_in_parts_and_is_not_held() -> None:
    rig = Rig()
    live = rig.begin()
    rig.hooks.announce(live)
    for _ in range(20):
        live.request_body.append(bytes(PART_BYTES // 2))
    rig.hooks.finish(live)
    assert rig.send() == 10
    assert rig.hooks.queued_bytes == 0
    events = rig.events()
    assert sum(len(event.data) for event in events if isinstance(event, BodyGrew)) == 10 * PART_BYTES
    assert isinstance(events[-1], ExchangeFinished)
    assert events[-1].request_body.wire_bytes == 10 * PART_BYTES


@pytest.mark.parametrize("was_announced_before", [False, True])
def test_a_body_that_is_whole_is_never_seen_in_part(*, was_announced_before: bool) -> None:
    rig = Rig()
    live = rig.begin()
    rig.hooks.announce(live)
    if was_announced_before:
        live.request_body.append(b"begun")
        assert rig.flush() == 1
        assert rig.events() == []
    for _ in range(3):
        live.request_body.append(bytes(PART_BYTES))
    live.is_request_done = True
    rig.send()
    rig.clock.now += FLUSH_S
    events: list[CaptureEvent] = []
    for message in rig.relay.news(0.0):
        rig.mirror.apply(message)
        events += rig.events()
    (event,) = events
    assert isinstance(event, ExchangeStarted)
    assert event.request_body is not None
    assert event.request_body.wire_bytes == 3 * PART_BYTES + len(b"begun") * was_announced_before


def test_what_came_before_a_body_was_cut_arrives() -> None:
    rig = Rig()
    live = rig.begin()
    for _ in range(3):
        live.request_body.append(bytes(PART_BYTES))
    live.request_body.is_cut = True
    rig.hooks.finish(live)
    rig.send()
    (event,) = rig.finished()
    assert event.request_body.wire_bytes == 3 * PART_BYTES
    assert event.request_body.is_truncated


@given(
    steps=st.lists(st.tuples(st.sampled_from(["request", "response", "send", "die", "die while sending"]), BYTES), max_size=20)
)
def test_whoever_takes_over_gets_everything(steps: list[tuple[str, bytes]]) -> None:
    rig = Rig()
    live = rig.begin()
    live.status_code, live.reason = 200, b"OK"
    rig.hooks.announce(live)
    sent = {"request": b"", "response": b""}
    for step, data in steps:
        if step in sent and data:
            getattr(live, f"{step}_body").append(data)
            sent[step] += data
        elif step == "send":
            rig.flush()
            rig.events()
        elif step.startswith("die"):
            if step == "die while sending":
                rig.send()
                rig.clock.now += FLUSH_S
                messages = rig.relay.news(0.0)
                next(messages, None)
                messages.close()
            rig.renew()
            rig.send(rig.relay.repeat(rig.relay.unsettled()))
    rig.hooks.finish(live)
    rig.send()
    (event,) = rig.finished()
    assert event.request_body.data == sent["request"]
    assert event.response_body is not None
    assert event.response_body.data == sent["response"]


def test_what_is_over_is_sent_again_until_it_is_stored() -> None:
    rig = Rig()
    lives = [rig.begin(number) for number in range(3)]
    for live in lives:
        respond(live)
        rig.hooks.finish(live)
    messages = rig.relay.news(0.0)
    rig.mirror.apply(next(messages))
    rig.relay.settle([lives[0].exchange_id])
    messages.close()
    rig.renew()
    assert rig.send(rig.relay.repeat(rig.relay.unsettled())) == 2
    assert rig.send() == 0
    assert [event.exchange_id for event in rig.finished()] == [live.exchange_id for live in lives[1:]]


def test_a_large_exchange_dies_with_its_receiver() -> None:
    rig = Rig()
    live = rig.begin()
    rig.hooks.announce(live)
    live.request_body.append(bytes(HELD + 1))
    rig.flush()
    rig.renew()
    assert rig.send(rig.relay.repeat(rig.relay.unsettled())) == 0
    assert rig.relay.lost == 1
    live.request_body.append(b"more")
    rig.hooks.finish(live)
    assert rig.send() == 0
    assert rig.hooks.queued_bytes == 0
    assert rig.hooks.is_drained
    assert rig.relay.lost == 1


def test_an_exchange_that_kills_every_receiver_is_given_up() -> None:
    rig = Rig()
    live = rig.begin()
    rig.hooks.finish(live)
    rig.send()
    for _ in range(MAX_DEATHS):
        assert rig.relay.is_unsettled(live.exchange_id)
        rig.renew()
        assert rig.send(rig.relay.repeat([live.exchange_id])) == 1
        rig.relay.blame(live.exchange_id)
    assert not rig.relay.is_unsettled(live.exchange_id)
    assert rig.send(rig.relay.repeat(["another", live.exchange_id])) == 0
    rig.relay.blame("another")
    assert (rig.relay.lost, rig.relay.waiting, rig.hooks.is_drained) == (1, 0, True)


def test_an_exchange_that_cannot_be_written_down_does_not_hold_up_the_others() -> None:
    rig = Rig()
    bad, good = rig.begin(1, status_code=1 << 70), rig.begin(2)
    bad.request_body.append(b"held")
    for live in (bad, good):
        rig.hooks.finish(live)
    assert rig.send() == 1
    assert [event.exchange_id for event in rig.finished()] == [good.exchange_id]
    assert rig.hooks.errors == 1
    assert bad.exchange_id in (rig.hooks.last_error or "")
    rig.relay.settle([good.exchange_id])
    assert rig.hooks.queued_bytes == 0


def test_the_rest_of_an_exchange_whose_beginning_never_came_is_left_out() -> None:
    rig = Rig()
    live = rig.begin()
    rig.hooks.announce(live)
    live.request_body.append(b"one")
    rig.flush()
    rig.renew()
    rig.hooks.finish(live)
    rig.send()
    assert rig.events() == []


@given(st.lists(BYTES.filter(bool)), BYTES)
def test_messages_keep_their_bounds(messages: list[bytes], rest: bytes) -> None:
    sink = io.BytesIO()
    for message in [*messages, b""]:
        write_message(sink, message)
    whole = sink.getvalue()
    assert list(read_messages(io.BytesIO(whole + rest))) == [*messages, b""]
    assert list(read_messages(io.BytesIO(whole[:-5]))) == messages[: len(messages) - bool(messages)]


@given(st.binary(max_size=200))
def test_what_is_no_message_is_refused(data: bytes) -> None:
    rig = Rig()
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        rig.mirror.apply(data)
    assert rig.events() == []


def test_secrets_are_replaced_at_the_other_end() -> None:
    rig = Rig()
    live = rig.begin()
    live.request_body.append(b"sk-ant-api03-Ab")
    live.request_body.append(b"CdEf0123456789")
    rig.hooks.finish(live)
    rig.send()
    (event,) = rig.finished()
    assert event.request_body.is_redacted
    assert b"AbCdEf" not in (event.request_body.data or b"")
