"""The way from the proxy's hooks to whoever stores: hooks put, one consumer takes.

The hook side is O(1), does no I/O, takes no lock and waits for nobody. A full feed drops the recording, counts
it, and the bytes go on to client and API. The consumer's side redacts, so nothing raw ever leaves this object.
"""

import queue
import time
from collections.abc import Callable

from proxy_core.assembling import ExchangeRecording
from proxy_core.exchange import CaptureEvent
from proxy_core.live import LiveBody, LiveExchange, Volume
from proxy_core.recording import HELD_BODY_BYTES
from proxy_core.redact import Redactor

FLUSH_S = 0.05
"""Bytes of a running exchange reach the consumer at least this often, so that a killed process keeps them."""
YOUNG_S = 0.025
"""An exchange that has run for less is not shown yet: many are over by then, and need to be stored only once."""
GATHER_S = 0.01
"""The consumer lets this much time pass after the first news: waking it for each exchange would slow the proxy."""
GATHER_MORE_S = 0.03
"""The same while much is coming in: what is stored together costs less."""
_MUCH = 5
"""So many news at a time are much."""


class CaptureFeed:
    """Carries recordings from the proxy's thread to the consumer's.

    Args:
        redactor: Replaces secrets, in the consumer's thread.
        limit_bytes: Bytes of bodies held at once; beyond it recordings are cut or dropped, never traffic.
        limit_exchanges: Exchanges held at once.
        held_body_bytes: A body larger than this goes ahead in `BodyGrew` events and leaves memory.
        monotonic: The clock for flushing, in seconds.
    """

    def __init__(
        self,
        redactor: Redactor,
        limit_bytes: int = 256 * 1024 * 1024,
        limit_exchanges: int = 20_000,
        held_body_bytes: int = HELD_BODY_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redactor = redactor
        self._limit_exchanges = limit_exchanges
        self._held_body_bytes = held_body_bytes
        self._monotonic = monotonic
        self._volume = Volume(limit_bytes)
        self._news: queue.SimpleQueue[LiveExchange] = queue.SimpleQueue()
        self._recordings: dict[str, ExchangeRecording] = {}
        self._live: dict[str, LiveExchange] = {}
        self._announced_at: dict[str, float] = {}
        """When the consumer first saw each exchange that it has not shown yet."""
        self._gather_s = GATHER_S
        self._flushed_at = monotonic()
        self._begun = 0
        self._ended = 0
        self._taken = 0
        self._dropped = 0
        self._errors = 0
        self._is_paused = False
        self.last_error: str | None = None
        """What the last counted error said, redacted; `None` when there was none."""

    # What anyone may ask.

    @property
    def captured(self) -> int:
        """Exchanges that were recorded to their end."""
        return self._ended

    @property
    def dropped(self) -> int:
        """Exchanges that were not recorded because the feed was full."""
        return self._dropped

    @property
    def errors(self) -> int:
        """Exceptions inside capturing; none of them touched the traffic."""
        return self._errors

    @property
    def in_flight(self) -> int:
        """Exchanges being recorded right now."""
        return self._begun - self._ended

    @property
    def queued_bytes(self) -> int:
        """Bytes of bodies held right now."""
        return self._volume.queued_bytes

    @property
    def is_drained(self) -> bool:
        """Everything that ended was taken, and nothing runs."""
        return self._taken == self._begun

    @property
    def is_paused(self) -> bool:
        """New exchanges are forwarded without being recorded."""
        return self._is_paused

    def response_bytes(self) -> dict[str, int]:
        """Return the response bytes recorded so far of each running exchange, by exchange id."""
        return {exchange_id: live.response_body.recorded_bytes for exchange_id, live in list(self._live.items())}

    def pause(self) -> None:
        """Record no new exchanges; running ones are recorded to their end."""
        self._is_paused = True

    def resume(self) -> None:
        """Record again."""
        self._is_paused = False

    # The hooks' side: the proxy's thread only.

    def has_room(self) -> bool:
        """Say whether a new exchange is to be recorded; count it as dropped if only room is missing."""
        if self._is_paused:
            return False
        if self._begun - self._taken >= self._limit_exchanges or self._volume.queued_bytes >= self._volume.limit_bytes:
            self._dropped += 1
            return False
        return True

    def new_body(self) -> LiveBody:
        """Return an empty body that counts against the feed's limit."""
        return LiveBody(self._volume)

    def begin(self, live: LiveExchange) -> None:
        """Register an exchange; the consumer hears of it with `announce`."""
        self._begun += 1
        self._live[live.exchange_id] = live

    def announce(self, live: LiveExchange) -> None:
        """Show a running exchange to the consumer."""
        self._news.put(live)

    def finish(self, live: LiveExchange) -> None:
        """Hand an exchange over for good; a second call does nothing."""
        if live.is_finished:
            return
        live.is_finished = True
        self._live.pop(live.exchange_id, None)
        self._ended += 1
        self._news.put(live)

    def abandon(self, reason: str) -> None:
        """Finish everything that still runs: the proxy has ended."""
        for live in list(self._live.values()):
            if not live.is_response_done:
                live.error = live.error or reason
                live.response_body.is_cut = True
            self.finish(live)

    def count_error(self, where: str, error: BaseException) -> None:
        """Note that capturing failed somewhere; the traffic went on."""
        self._errors += 1
        self.last_error = self._redactor.text(f"{where}: {type(error).__name__}: {error}")

    # The consumer's side: one thread.

    def take(self, timeout_s: float) -> list[CaptureEvent]:
        """Return what is new, waiting for it at most `timeout_s`; an empty list when nothing is.

        Everything in the answer is redacted. An exchange that is over before it was shown gives `ExchangeFinished` alone,
        unless its bodies are too large to be held.
        """
        events: list[CaptureEvent] = []
        for live in self._gather(timeout_s):
            events += self._events_of(live)
        if self._recordings and self._flush_in_s() <= 0:
            events += self._flush()
        return events

    def _flush(self) -> list[CaptureEvent]:
        """Show what runs, and how far it has come."""
        now = self._flushed_at = self._monotonic()
        events: list[CaptureEvent] = []
        for exchange_id, recording in list(self._recordings.items()):
            if now - self._announced_at.get(exchange_id, 0.0) >= YOUNG_S:
                self._announced_at.pop(exchange_id, None)
                events += self._guarded(exchange_id, recording, recording.grow)
        return events

    def _flush_in_s(self) -> float:
        # Much is coming in: a large body leaves memory sooner.
        interval_s = FLUSH_S if self._volume.queued_bytes < self._held_body_bytes else FLUSH_S / 10
        return self._flushed_at + interval_s - self._monotonic()

    def _gather(self, timeout_s: float) -> list[LiveExchange]:
        news: list[LiveExchange] = []
        may_wait = timeout_s > GATHER_MORE_S
        if self._recordings:
            timeout_s = min(timeout_s, max(0.0, self._flush_in_s()))
        try:
            news.append(self._news.get(timeout=timeout_s) if timeout_s > 0 else self._news.get_nowait())
        except queue.Empty:
            return news
        if may_wait:
            time.sleep(self._gather_s)
        while not self._news.empty():
            news.append(self._news.get_nowait())
        is_much = len(news) >= _MUCH and self._volume.queued_bytes < self._held_body_bytes
        self._gather_s = GATHER_MORE_S if is_much else GATHER_S
        return news

    def _events_of(self, live: LiveExchange) -> list[CaptureEvent]:
        if live.is_taken:
            return []
        recording = self._recordings.get(live.exchange_id)
        if recording is None:
            recording = ExchangeRecording(live, self._redactor, self._held_body_bytes)
            if not live.is_finished:
                self._recordings[live.exchange_id] = recording
                self._announced_at[live.exchange_id] = self._monotonic()
        if not live.is_finished:
            return []
        live.is_taken = True
        self._recordings.pop(live.exchange_id, None)
        self._announced_at.pop(live.exchange_id, None)
        events = self._guarded(live.exchange_id, recording, recording.finish)
        self._taken += 1
        return events

    def _guarded(
        self, exchange_id: str, recording: ExchangeRecording, step: Callable[[], list[CaptureEvent]]
    ) -> list[CaptureEvent]:
        """Run one step of one recording: an exchange that cannot be read must not end the recording of all others."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - counted and shown; the exchange is lost, the others are not
            self.count_error(f"recording {exchange_id}", error)
            recording.discard()
            return []
