"""The hooks' side of the feed: hooks put, one consumer waits for what changed.

The hook side is O(1), does no I/O, takes no lock and waits for nobody. A full feed drops the recording, counts
it, and the bytes go on to client and API. What stands here is raw: only a redacting consumer may let it out.
"""

import queue
import time
from collections.abc import Callable

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


class HookFeed:
    """Carries live exchanges from the proxy's thread to one consumer's.

    Args:
        redactor: Replaces secrets in what capturing says of itself.
        limit_bytes: Bytes of bodies held at once; beyond it recordings are cut or dropped, never traffic.
        limit_exchanges: Exchanges held at once.
        held_body_bytes: A body larger than this is not held whole.
        flush_s: A running exchange is shown again after so long.
        young_s: One that has run for less is not shown yet.
        monotonic: The clock for flushing, in seconds.
    """

    def __init__(
        self,
        redactor: Redactor,
        limit_bytes: int = 256 * 1024 * 1024,
        limit_exchanges: int = 20_000,
        held_body_bytes: int = HELD_BODY_BYTES,
        *,
        flush_s: float = FLUSH_S,
        young_s: float = YOUNG_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.last_error: str | None = None
        """What the last counted error said, redacted; `None` when there was none."""
        self._redactor = redactor
        self._limit_exchanges = limit_exchanges
        self._held_body_bytes = held_body_bytes
        self._flush_s = flush_s
        self._young_s = young_s
        self._monotonic = monotonic
        self._volume = Volume(limit_bytes)
        self._news: queue.SimpleQueue[LiveExchange | None] = queue.SimpleQueue()
        """`None` says nothing but that it is time to look."""
        self._live: dict[str, LiveExchange] = {}
        self._running: dict[str, LiveExchange] = {}
        """What the consumer was told of and has not seen the end of."""
        self._announced_at: dict[str, float] = {}
        """When the consumer first heard of each exchange that it has not seen yet."""
        self._gather_s = GATHER_S
        self._flushed_at = monotonic()
        self._begun = 0
        self._ended = 0
        self._seen = 0
        self._taken = 0
        self._dropped = 0
        self._errors = 0
        self._is_paused = False

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
    def waiting_bytes(self) -> int:
        """Those among them that the consumer has not taken over: what runs is held until it ends."""
        return self._volume.waiting_bytes

    @property
    def is_drained(self) -> bool:
        """Everything that ended was taken, and nothing runs."""
        return self._taken == self._begun

    @property
    def is_seen(self) -> bool:
        """The consumer has seen the end of everything, and nothing runs."""
        return self._seen == self._begun

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

    def wake(self) -> None:
        """Have a consumer that waits for news go on at once."""
        self._news.put(None)

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

    def interrupt(self, reason: str) -> None:
        """Finish everything that still runs as interrupted: the process that the hooks are in was killed."""
        for live in self._live.values():
            live.is_interrupted = True
            live.is_response_done = False
            live.request_body.is_cut = live.request_body.is_cut or not live.is_request_done
        self.abandon(reason)

    def count_error(self, where: str, error: BaseException) -> None:
        """Note that capturing failed somewhere; the traffic went on."""
        self._errors += 1
        self.last_error = self._redactor.text(f"{where}: {type(error).__name__}: {error}")

    # The consumer's side: one thread.

    def changed(self, timeout_s: float) -> list[LiveExchange]:
        """Return the exchanges that are over, each once, and now and then all that run; waits at most `timeout_s`."""
        seen = [live for live in self._gather(timeout_s) if self._is_over(live)]
        if self._running and self._flush_in_s() <= 0:
            seen += self._due()
        return seen

    def note_taken(self, count: int = 1) -> None:
        """Count exchanges that are over as done with: there is room for as many new ones."""
        self._taken += count

    def absorb(self, size_bytes: int) -> None:
        """Count bytes of bodies as taken over: they are held still."""
        self._volume.absorbed += size_bytes

    def release(self, size_bytes: int) -> None:
        """Count bytes of bodies as done with."""
        self._volume.released += size_bytes

    def _is_over(self, live: LiveExchange) -> bool:
        """Note what was announced; True the first time an exchange is seen that has finished."""
        if live.is_taken:
            return False
        if not live.is_finished:
            self._running[live.exchange_id] = live
            self._announced_at.setdefault(live.exchange_id, self._monotonic())
            return False
        live.is_taken = True
        self._seen += 1
        self._running.pop(live.exchange_id, None)
        self._announced_at.pop(live.exchange_id, None)
        return True

    def _due(self) -> list[LiveExchange]:
        """Return what runs, but for what has only begun."""
        now = self._flushed_at = self._monotonic()
        due = []
        for exchange_id, live in self._running.items():
            if now - self._announced_at.get(exchange_id, 0.0) >= self._young_s:
                self._announced_at.pop(exchange_id, None)
                due.append(live)
        return due

    def _flush_in_s(self) -> float:
        # Much is coming in: a large body leaves memory sooner.
        interval_s = self._flush_s if self._volume.waiting_bytes < self._held_body_bytes else self._flush_s / 10
        return self._flushed_at + interval_s - self._monotonic()

    def _gather(self, timeout_s: float) -> list[LiveExchange]:
        news: list[LiveExchange | None] = []
        may_wait = timeout_s > GATHER_MORE_S
        if self._running:
            timeout_s = min(timeout_s, max(0.0, self._flush_in_s()))
        try:
            news.append(self._news.get(timeout=timeout_s) if timeout_s > 0 else self._news.get_nowait())
        except queue.Empty:
            return []
        if may_wait:
            time.sleep(self._gather_s)
        while not self._news.empty():
            news.append(self._news.get_nowait())
        is_much = len(news) >= _MUCH and self._volume.waiting_bytes < self._held_body_bytes
        self._gather_s = GATHER_MORE_S if is_much else GATHER_S
        return [live for live in news if live is not None]
