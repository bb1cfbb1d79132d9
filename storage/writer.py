"""The one thread that records: takes events out of the feed and commits them in groups.

It never dies silently and never holds up the traffic: a full, locked or read-only database is retried with growing pauses
while the feed (bounded) fills and counts what it drops. It reads no meaning; that is the analyser's, afterwards.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from proxy_core.exchange import CaptureEvent
from storage.batches import Progress, batches
from storage.database import Database
from storage.errors import StorageError
from storage.ingest import Ingest
from storage.leases import Lease
from storage.notices import Change, ExchangeChanged, Notices
from storage.recovery import recover
from storage.reopening import adopt

TAKE_S = 0.5
"""How long one wait for events lasts; leases and stopping are looked after in between."""
_RETRY_S = (0.02, 0.1, 0.5, 1.0, 2.0)
_RECOVER_EVERY_US = 10_000_000
"""A process that was killed a moment ago may not have ended yet when this one starts."""
_STRIDE_US = 30_000_000
"""Leases are looked at every moment; more than this in between was no time that passed."""


class EventFeed(Protocol):
    """Where events come from (`proxy_core.feed.CaptureFeed`)."""

    @property
    def is_drained(self) -> bool:
        """Everything that ended was taken, and nothing runs."""

    def take(self, timeout_s: float) -> list[CaptureEvent]:
        """Return what is new, waiting at most `timeout_s`."""

    def wake(self) -> None:
        """Have who waits in `take` go on at once."""


class StorageWriter:
    """Records what a feed delivers.

    Args:
        database: Where to.
        feed: Where from.
        notices: Who hears of what was committed; an own one when left out.
        sleep: Waits between retries, returns True when the wait was cut short by stopping (replaced in tests).
        on_settled: Called with the ids of finished exchanges that are stored.
        on_given_up: Called with the ids of those that are given up for good.
        awaited: Ids of exchanges that a killed process had begun, and that will be told again here.
    """

    def __init__(
        self,
        database: Database,
        feed: EventFeed,
        notices: Notices | None = None,
        sleep: Callable[[float], bool] | None = None,
        on_settled: Callable[[Sequence[str]], None] | None = None,
        on_given_up: Callable[[Sequence[str]], None] | None = None,
        awaited: Collection[str] = (),
    ) -> None:
        self.notices = notices or Notices()
        self.stored = 0
        """Finished exchanges that are on disk."""
        self.errors = 0
        """Attempts that failed, retries included."""
        self.dropped = 0
        """Finished exchanges given up: no retry could store them, or the database stayed unusable while stopping."""
        self.last_error: str | None = None
        """The last failure in one line; `None` when there was none. It stays after the recovery."""
        self.is_failing = False
        """The newest attempt failed; what arrives waits in the feed."""
        self.failure: BaseException | None = None
        """What stopped the thread; `None` while it runs or when it ended as told."""
        self._database = database
        self._feed = feed
        self._lease = Lease()
        self._ingest = Ingest(self._lease.owner)
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._sleep = sleep or self._stopping.wait
        self._on_settled = on_settled
        self._on_given_up = on_given_up
        self._awaited = awaited
        self._recovered_us = 0
        self._looked_us: int | None = None
        """When leases were looked at last."""
        self._is_passing = True
        """The last failure may pass by itself (locked, full, read-only), so that trying again makes sense."""
        self._thread = threading.Thread(target=self._run, name="assay-writer", daemon=True)

    def start(self) -> None:
        """Close what a killed process left open, then begin to record.

        Raises:
            StorageError: The database does not take writes.
        """
        try:
            self._adopt()
            self._look_after()
        except DBAPIError as error:
            raise StorageError(f"cannot write to the database {self._database.name}: {_one_line(error)}") from error
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Store what the feed still has, then end; gives up on an unusable database after `timeout_s`.

        Raises:
            StorageError: The thread had failed.
        """
        self._deadline = time.monotonic() + timeout_s
        self._stopping.set()
        self._feed.wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 5)
        if self.failure is not None:
            raise StorageError(f"the writer failed: {self.last_error}") from self.failure

    @property
    def thread_id(self) -> int:
        """The system's id of the thread, once it runs; 0 before."""
        return self._thread.native_id or 0

    @property
    def is_running(self) -> bool:
        """The thread lives."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._record()
        except BaseException as error:  # noqa: BLE001 - the thread's root: kept, shown, raised again by stop()
            self.failure = error
            self.last_error = f"{type(error).__name__}: {error}"

    def _record(self) -> None:
        while not self._stopping.is_set():
            self._round(TAKE_S)
        for _ in range(10_000):
            if not self._round(0.0) or time.monotonic() > self._deadline:
                break
        with contextlib.suppress(DBAPIError):
            with self._database.write() as connection:
                self._lease.release(connection)
            # Whoever was killed when this one started has ended by now; of what is open here still, nobody tells the end.
            self._recover(_now_us())

    def _round(self, timeout_s: float) -> bool:
        """Take and store once; True when there was something."""
        try:
            events = self._feed.take(timeout_s)
        except Exception as error:  # noqa: BLE001 - reading the feed must not end the recording
            self._count(error)
            self._sleep(_RETRY_S[0])
            return True
        for batch in batches(events):
            self._store(batch)
        with contextlib.suppress(DBAPIError):
            self._look_after()
        return bool(events)

    def _store(self, batch: list[Progress]) -> None:
        """Store a batch, however often it takes; what cannot be stored at all is dropped and counted, one by one."""
        attempt = 0
        while not self._attempt(batch):
            if not self._is_passing and len(batch) > 1:
                for item in batch:
                    self._store([item])
                return
            if not self._is_passing or time.monotonic() > self._deadline:
                over = _over(batch)
                self.dropped += len(over)
                _call(self._on_given_up, over)
                return
            if self._sleep(_RETRY_S[min(attempt, len(_RETRY_S) - 1)]) and time.monotonic() < self._deadline:
                time.sleep(_RETRY_S[0])
            attempt += 1

    def _attempt(self, batch: list[Progress]) -> bool:
        try:
            with self._database.write() as connection:
                changes = self._ingest.store(connection, batch)
                self._lease.renew(connection, _now_us())
        except Exception as error:  # noqa: BLE001 - counted and shown; the recording must go on
            self._ingest.forget()
            self._lease.forget()
            self._count(error)
            self._is_passing = isinstance(error, OperationalError) or (
                isinstance(error, DBAPIError) and not isinstance(error, IntegrityError) and error.connection_invalidated
            )
            self.is_failing = True
            return False
        self.is_failing = False
        self._ingest.settle(batch)
        self._tell(changes)
        _call(self._on_settled, _over(batch))
        return True

    def _tell(self, changes: Sequence[ExchangeChanged]) -> None:
        self.stored += sum(change.what is Change.FINISHED for change in changes)
        for change in changes:
            self.notices.post(change)

    def _count(self, error: Exception) -> None:
        self.errors += 1
        self.last_error = _one_line(error)

    def _adopt(self) -> None:
        """Take over what will be told again, so that it is not closed for what its process left."""
        if not self._awaited:
            return
        with self._database.write() as connection:
            self._lease.renew(connection, _now_us())
            adopt(connection, self._lease.owner, self._awaited)

    def _look_after(self) -> None:
        """Renew the lease, and close what others left open when they were killed."""
        now_us = _now_us()
        if self._looked_us is not None and not 0 <= now_us - self._looked_us < _STRIDE_US:
            # The clock was set, or the machine slept: leases look old until those who live have renewed them.
            self._lease.forget()
            self._recovered_us = now_us
        self._looked_us = now_us
        if not self._lease.is_due(now_us) and now_us - self._recovered_us < _RECOVER_EVERY_US:
            return
        with self._database.write() as connection:
            self._lease.renew(connection, now_us)
        if now_us - self._recovered_us >= _RECOVER_EVERY_US:
            self._recover(now_us)

    def _recover(self, now_us: int) -> None:
        """Close what others left open when they were killed."""
        closed: list[int] = []
        found = True
        while found:
            with self._database.write() as connection:
                row_ids = recover(connection, now_us)
            closed += row_ids
            found = bool(row_ids)
        self._recovered_us = now_us
        for row_id in closed:
            self.notices.post(ExchangeChanged(row_id, Change.FINISHED))


def _over(batch: Sequence[Progress]) -> list[str]:
    return [item.exchange_id for item in batch if item.finished]


def _call(listener: Callable[[Sequence[str]], None] | None, exchange_ids: Sequence[str]) -> None:
    if listener is not None and exchange_ids:
        listener(exchange_ids)


def _one_line(error: Exception) -> str:
    reason = getattr(error, "orig", None) or error
    return f"{type(reason).__name__}: {reason}".splitlines()[0]


def _now_us() -> int:
    return time.time_ns() // 1000
