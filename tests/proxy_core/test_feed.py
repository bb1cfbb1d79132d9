import gzip
import hashlib
import threading

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.exchange import (
    BodyGrew,
    CaptureEvent,
    ExchangeFinished,
    ExchangeStarted,
    ExchangeState,
    ResponseStarted,
    Side,
)
from proxy_core.feed import CaptureFeed
from proxy_core.hook_feed import FLUSH_S, GATHER_MORE_S, GATHER_S
from proxy_core.live import LiveExchange, RawHeaders, make_tee
from proxy_core.redact import Redactor
from tests.factories import live_exchange

KEY = b"sk-ant-api03-AbCdEf0123456789"
REDACTOR = Redactor(b"a key of the tests")
MARK = b"[REDACTED:" + REDACTOR.fingerprint(KEY).encode() + b"]"


class Clock:
    """A clock that goes only when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(clock: Clock) -> CaptureFeed:
    return CaptureFeed(REDACTOR, held_body_bytes=1000, monotonic=clock)


def begin(feed: CaptureFeed, headers: RawHeaders = (), *, is_request_done: bool = True) -> LiveExchange:
    live = live_exchange(
        feed,
        url="https://api.anthropic.com/v1/messages?key=planted",
        headers=((b"X-Api-Key", KEY), *headers),
        is_request_done=is_request_done,
    )
    feed.begin(live)
    return live


def respond(live: LiveExchange, headers: RawHeaders = ()) -> None:
    live.reason = b"OK"
    live.response_http_version = b"HTTP/1.1"
    live.response_headers = headers
    live.status_code = 200


def test_an_exchange_that_is_over_gives_one_event(feed: CaptureFeed) -> None:
    live = begin(feed)
    live.request_body.append(b'{"k": "' + KEY + b'"}')
    live.request_trailers = ((b"x-t", b"1"),)
    feed.announce(live)
    respond(live, ((b"Set-Cookie", b"a=planted"),))
    live.response_body.append(b"answer")
    live.response_trailers = ((b"x-u", b"2"),)
    assert feed.in_flight == 1
    feed.finish(live)
    feed.finish(live)
    (event,) = feed.take(0)
    assert isinstance(event, ExchangeFinished)
    assert event.state is ExchangeState.COMPLETE
    assert event.error is None
    assert event.request_body.data == b'{"k": "' + MARK + b'"}'
    assert event.request_body.is_redacted
    assert event.request_body.wire_sha256 == hashlib.sha256(b'{"k": "' + KEY + b'"}').hexdigest()
    assert event.request_body.wire_bytes == len(KEY) + 9
    assert event.request.trailers == (("x-t", "1"),)
    assert event.response is not None
    assert event.response.trailers == (("x-u", "2"),)
    assert event.response_body is not None
    assert event.response_body.data == b"answer"
    assert "planted" not in repr(event)
    assert (feed.captured, feed.in_flight, feed.queued_bytes, feed.is_drained) == (1, 0, 0, True)
    assert feed.take(0) == []


def test_a_running_exchange_is_told_as_it_grows(feed: CaptureFeed, clock: Clock) -> None:
    live = begin(feed)
    live.request_body.append(b"question")
    feed.announce(live)
    assert feed.take(0) == [], "it may be over in a moment"
    clock.now += FLUSH_S
    (started,) = feed.take(0)
    assert isinstance(started, ExchangeStarted)
    assert started.request_body is not None
    assert started.request_body.data == b"question"
    respond(live)
    live.response_body.append(b"a" * 200)
    assert feed.take(0) == []
    clock.now += FLUSH_S
    head, grown = feed.take(0)
    assert isinstance(head, ResponseStarted)
    assert isinstance(grown, BodyGrew)
    assert grown.side is Side.RESPONSE
    assert grown.data + b"a" * (200 - len(grown.data)) == b"a" * 200
    clock.now += FLUSH_S
    assert feed.take(0) == []
    live.response_body.append(b"b")
    feed.finish(live)
    (finished,) = feed.take(0)
    assert isinstance(finished, ExchangeFinished)
    assert finished.response_body is not None
    assert finished.response_body.data == b"a" * 200 + b"b"


def test_an_exchange_that_is_over_soon_is_told_once(feed: CaptureFeed, clock: Clock) -> None:
    older, live = begin(feed), begin(feed)
    feed.announce(older)
    assert feed.take(0) == []
    clock.now += FLUSH_S
    feed.announce(live)
    (started,) = feed.take(0)
    assert started.exchange_id == older.exchange_id
    clock.now += FLUSH_S / 2
    feed.finish(live)
    (finished,) = feed.take(0)
    assert isinstance(finished, ExchangeFinished)
    assert finished.exchange_id == live.exchange_id


def test_what_comes_in_a_crowd_is_gathered_for_longer(feed: CaptureFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr("proxy_core.hook_feed.time.sleep", naps.append)
    for count in (20, 1, 1):
        for _ in range(count):
            feed.finish(begin(feed))
        feed.take(1.0)
    assert naps == [GATHER_S, GATHER_MORE_S, GATHER_S]


def test_a_large_body_goes_ahead_and_leaves_memory(feed: CaptureFeed, clock: Clock) -> None:
    live = begin(feed, is_request_done=False)
    feed.announce(live)
    assert feed.take(0) == [], "it may be over in a moment"
    sent = b""
    told: list[CaptureEvent] = []
    for number in range(5):
        chunk = bytes([65 + number]) * 900
        sent += chunk
        live.request_body.append(chunk)
        clock.now += FLUSH_S
        told += feed.take(0)
        assert bool(told) == bool(number), "what may yet be held is not shown before it is whole"
        assert feed.queued_bytes == (0 if number else 900)
    started, *grown = told
    assert isinstance(started, ExchangeStarted)
    assert started.request_body is None
    assert all(isinstance(event, BodyGrew) for event in grown)
    feed.finish(live)
    *_, finished = feed.take(0)
    assert isinstance(finished, ExchangeFinished)
    assert finished.request_body.data is None
    assert finished.request_body.wire_sha256 == hashlib.sha256(sent).hexdigest()


def test_what_is_answered_before_it_was_asked_to_the_end_is_shown(feed: CaptureFeed, clock: Clock) -> None:
    live = begin(feed, is_request_done=False)
    live.request_body.append(b"quest")
    feed.announce(live)
    clock.now += FLUSH_S
    assert feed.take(0) == []
    clock.now += FLUSH_S
    assert feed.take(0) == []
    respond(live)
    clock.now += FLUSH_S
    started, head = feed.take(0)
    assert isinstance(started, ExchangeStarted)
    assert started.request_body is None
    assert isinstance(head, ResponseStarted)
    live.request_body.append(b"ion")
    live.is_request_done = True
    feed.finish(live)
    *_, finished = feed.take(0)
    assert isinstance(finished, ExchangeFinished)
    assert finished.request_body.data == b"question"


def test_a_large_body_that_came_at_once_is_told_whole(feed: CaptureFeed) -> None:
    live = begin(feed)
    live.request_body.append(b"q" * 1500)
    respond(live)
    live.response_body.append(b"r" * 2000)
    feed.finish(live)
    started, asked, answered, finished = feed.take(0)
    assert isinstance(started, ExchangeStarted)
    assert isinstance(asked, BodyGrew)
    assert (asked.side, asked.data) == (Side.REQUEST, b"q" * 1500)
    assert isinstance(answered, BodyGrew)
    assert (answered.side, answered.data) == (Side.RESPONSE, b"r" * 2000)
    assert isinstance(finished, ExchangeFinished)
    assert finished.request_body.data is None
    assert feed.queued_bytes == 0


@given(st.lists(st.integers(1, 30), max_size=20), st.booleans(), st.sampled_from(["", "gzip", "br"]))
def test_a_key_split_across_chunks_is_never_shown(sizes: list[int], is_large: bool, encoding: str) -> None:
    clock = Clock()
    feed = CaptureFeed(REDACTOR, held_body_bytes=10 if is_large else 10_000, monotonic=clock)
    text = b"x" * 150 + b" " + KEY + b" " + b"y" * 150
    body = {"": bytes, "gzip": gzip.compress, "br": brotli.compress}[encoding](text)
    live = begin(feed)
    feed.announce(live)
    events = feed.take(0)
    respond(live, ((b"Content-Encoding", encoding.encode()),) if encoding else ())
    position = 0
    for size in [*sizes, len(body)]:
        if body[position : position + size]:
            live.response_body.append(body[position : position + size])
        position += size
        clock.now += FLUSH_S
        events += feed.take(0)
    feed.finish(live)
    events += feed.take(0)
    assert KEY not in repr(events).encode()
    finished = events[-1]
    assert isinstance(finished, ExchangeFinished)
    captured = finished.response_body
    assert captured is not None
    assert captured.is_redacted
    assert captured.is_decoded == bool(encoding)
    assert captured.wire_sha256 == hashlib.sha256(body).hexdigest()
    grown = b"".join(event.data for event in events if isinstance(event, BodyGrew))
    expected = text.replace(KEY, MARK)
    assert expected.startswith(grown)
    assert (grown if is_large else captured.data) == expected


def test_an_encoded_body_without_a_secret_stays_as_it_came(feed: CaptureFeed) -> None:
    body = gzip.compress(b"no secret")
    live = begin(feed)
    respond(live, ((b"content-encoding", b"identity"), (b"Content-Encoding", b"GZIP")))
    live.response_body.append(body)
    feed.finish(live)
    (event,) = feed.take(0)
    assert isinstance(event, ExchangeFinished)
    assert event.response_body is not None
    assert (event.response_body.data, event.response_body.is_decoded) == (body, False)


def test_what_cannot_be_searched_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy_core.recording.decode_body.__defaults__", (1000,))
    feed = CaptureFeed(REDACTOR)
    live = begin(feed)
    respond(live, ((b"content-encoding", b"gzip"),))
    live.response_body.append(gzip.compress(b"a" * 5000 + KEY))
    feed.finish(live)
    (event,) = feed.take(0)
    assert isinstance(event, ExchangeFinished)
    assert event.response_body is not None
    assert event.response_body.data == b"a" * 1000
    assert event.response_body.is_truncated
    assert event.response_body.is_decoded


def test_a_full_feed_drops_what_is_new_and_cuts_what_runs() -> None:
    feed = CaptureFeed(REDACTOR, limit_bytes=100, limit_exchanges=2)
    live = begin(feed)
    live.request_body.append(b"a" * 60)
    live.response_body.append(b"b" * 60)
    live.response_body.append(b"c")
    assert feed.queued_bytes == 60
    assert live.response_body.is_cut
    assert feed.has_room()
    begin(feed)
    assert not feed.has_room()
    assert feed.dropped == 1
    respond(live)
    feed.finish(live)
    event = feed.take(0)[-1]
    assert isinstance(event, ExchangeFinished)
    assert event.response_body is not None
    assert event.response_body.is_truncated
    assert event.response_body.data == b""
    assert feed.has_room()


def test_a_paused_feed_records_nothing_new_and_counts_no_drop(feed: CaptureFeed) -> None:
    feed.pause()
    assert feed.is_paused
    assert not feed.has_room()
    feed.resume()
    assert feed.has_room()
    assert feed.dropped == 0


def test_what_is_left_when_the_proxy_ends_is_finished_with_the_reason(feed: CaptureFeed) -> None:
    live = begin(feed)
    feed.announce(live)
    respond(live)
    live.response_body.append(b"part")
    feed.take(0)
    assert not feed.is_drained
    feed.abandon("the proxy was stopped\nby x-api-key: planted")
    (event,) = [event for event in feed.take(0) if isinstance(event, ExchangeFinished)]
    assert event.state is ExchangeState.FAILED
    assert event.error is not None
    assert "planted" not in event.error
    assert "\n" not in event.error
    assert event.response_body is not None
    assert event.response_body.is_truncated
    assert feed.is_drained


def test_errors_are_counted_and_told_redacted(feed: CaptureFeed) -> None:
    feed.count_error("response", ValueError(KEY.decode()))
    assert feed.errors == 1
    assert feed.last_error == f"response: ValueError: {MARK.decode()}"


def test_taking_waits_for_news_and_gathers_what_comes_with_it() -> None:
    feed = CaptureFeed(REDACTOR)
    assert feed.take(0.001) == []
    lives = [begin(feed) for _ in range(3)]
    timer = threading.Timer(0.02, lambda: [feed.finish(live) for live in lives])
    timer.start()
    events = feed.take(10)
    timer.join()
    events += feed.take(0)
    assert len(events) == 3


def test_whoever_waits_for_news_is_woken_without_any() -> None:
    feed = CaptureFeed(REDACTOR)
    taken: list[list[CaptureEvent]] = []
    waiting = threading.Thread(target=lambda: taken.append(feed.take(3600)), daemon=True)
    waiting.start()
    feed.wake()
    waiting.join(60)
    assert taken == [[]]


def test_the_tee_passes_everything_on_and_never_keeps_the_end_mark(feed: CaptureFeed) -> None:
    body = feed.new_body()
    tee = make_tee(body)
    assert [tee(chunk) for chunk in (b"a", b"", b"bc")] == [b"a", b"", b"bc"]
    assert list(body.chunks) == [b"a", b"bc"]


def test_an_endless_secret_in_a_large_body_is_marked_as_cut(clock: Clock) -> None:
    feed = CaptureFeed(REDACTOR, held_body_bytes=10, monotonic=clock)
    live = begin(feed)
    respond(live)
    live.response_body.append(b'{"authorization_token": "' + b"a" * 2_000_000)
    feed.finish(live)
    events = feed.take(0)
    finished = events[-1]
    assert isinstance(finished, ExchangeFinished)
    assert finished.response_body is not None
    assert finished.response_body.is_truncated
    assert b"aaaa" not in b"".join(event.data for event in events if isinstance(event, BodyGrew))


def test_an_exchange_that_cannot_be_read_does_not_end_the_others(feed: CaptureFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = begin(feed), begin(feed)
    bad.request_body.append(b"held")
    respond(bad)
    bad.response_body.append(b"held too")
    bad.http_version = None  # type: ignore[assignment]
    for live in (bad, good):
        feed.finish(live)
    (event,) = feed.take(0)
    assert event.exchange_id == good.exchange_id
    assert feed.errors == 1
    assert bad.exchange_id in (feed.last_error or "")
    assert feed.queued_bytes == 0
    assert feed.is_drained


def test_an_answer_that_was_whole_when_the_proxy_ended_is_complete(feed: CaptureFeed) -> None:
    live = begin(feed)
    respond(live)
    live.response_body.append(b"all of it")
    live.is_request_done = live.is_response_done = True
    feed.abandon("the proxy was stopped")
    (event,) = feed.take(0)
    assert isinstance(event, ExchangeFinished)
    assert event.state is ExchangeState.COMPLETE
    assert event.response_body is not None
    assert not event.response_body.is_truncated


def test_what_is_held_of_running_exchanges_makes_nobody_hurry(feed: CaptureFeed, clock: Clock) -> None:
    lives = [begin(feed) for _ in range(3)]
    for live in lives:
        live.request_body.append(b"q")
        respond(live)
        live.response_body.append(b"a" * 899)
        feed.announce(live)
    assert feed.take(0) == []
    assert feed.waiting_bytes == 2700
    clock.now += FLUSH_S
    assert len(feed.take(0)) == 9
    assert (feed.queued_bytes, feed.waiting_bytes) == (2700, 0)
    for live in lives:
        live.response_body.append(b"more")
    clock.now += FLUSH_S / 2
    assert feed.take(0) == []
    clock.now += FLUSH_S / 2
    assert len(feed.take(0)) == 3


def test_an_exchange_that_cannot_be_read_is_counted_and_the_next_one_comes(feed: CaptureFeed) -> None:
    lost: list[str] = []
    feed.on_lost = lost.append
    bad, good = begin(feed), begin(feed)
    bad.method = None  # type: ignore[assignment]
    for live in (bad, good):
        live.request_body.append(b"held")
        feed.finish(live)
    (event,) = feed.take(0)
    assert event.exchange_id == good.exchange_id
    assert (feed.unreadable, lost, feed.errors) == (1, [bad.exchange_id], 1)
    assert (feed.is_drained, feed.queued_bytes) == (True, 0)
