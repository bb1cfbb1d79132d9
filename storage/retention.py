"""Keeps the database within its bounds: by age and by size, in a background thread, in slices short enough for a live writer.

Totals outlive what they sum up; see `deleting.py`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.exc import DBAPIError

from proxy_core import clock
from proxy_core.exchange import ExchangeState
from storage import models, sqlite
from storage.database import Database
from storage.deleting import delete_exchanges
from storage.errors import StorageError
from storage.notices import Change, ExchangeChanged, Notices
from storage.sweeping import sweep, sweep_facts, sweep_uses

DAY_US = 86_400_000_000
_EXCHANGES = models.ExchangeRow.__table__
_JOURNAL = models.JournalRow.__table__
_AT_ONCE = 10
_PAGES_AT_ONCE = 250
_ROUNDS = 20
_FILL = 0.9
"""A database that is too large is brought down to this share of its bound, so that it is not over it again at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """What is kept."""

    max_age_days: float | None = 30
    """`None`: for ever."""
    max_bytes: int | None = None
    """Of the database; `None`: no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneOutcome:
    """What was deleted."""

    exchanges: int
    pieces: int
    freed_bytes: int
    """Less bytes in use; 0 where that cannot be told."""


class _Pruning:
    """One run over a database."""

    def __init__(self, database: Database, pause: Callable[[], bool], notices: Notices | None) -> None:
        self._database = database
        self._pause = pause
        self._notices = notices
        self.exchanges = 0
        self.pieces = 0

    def by_age(self, before_us: int) -> None:
        """Delete what started before a time."""
        while not self._pause():
            query = select(_EXCHANGES.c.id).where(_EXCHANGES.c.started_us < before_us, _EXCHANGES.c.state != ExchangeState.OPEN)
            if not self._delete(query.order_by(_EXCHANGES.c.started_us).limit(_AT_ONCE)):
                return

    def by_size(self, max_bytes: int) -> None:
        """Delete the oldest until the rest fits."""
        for _ in range(_ROUNDS):
            surplus = self._surplus(max_bytes)
            if surplus <= 0:
                return
            for _ in range(0, surplus, _AT_ONCE):
                query = select(_EXCHANGES.c.id).where(_EXCHANGES.c.state != ExchangeState.OPEN).order_by(_EXCHANGES.c.id)
                if not self._delete(query.limit(_AT_ONCE)) or self._pause():
                    break
            self.sweep()

    def _surplus(self, max_bytes: int) -> int:
        """Guess how many exchanges are too many."""
        with self._database.read() as connection:
            size = sqlite.file_bytes(connection)
            count = connection.execute(select(func.count()).select_from(_EXCHANGES)).scalar_one()
        if size is None or size <= max_bytes or not count:
            return 0
        return max(1, round(count * (1 - _FILL * max_bytes / size)))

    def _delete(self, query: Select[int]) -> bool:
        with self._database.write() as connection:
            row_ids = list(connection.execute(query).scalars())
            delete_exchanges(connection, row_ids)
        self.exchanges += len(row_ids)
        if row_ids and self._notices:
            self._notices.post(ExchangeChanged(max(row_ids), Change.DELETED))
        return bool(row_ids)

    def sweep(self) -> None:
        """Delete pieces that nothing points to, and give their room back to the file system."""
        self.pieces += sweep(self._database, self._pause)
        while not self._pause():
            with self._database.write() as connection:
                if not sqlite.give_back(connection, _PAGES_AT_ONCE):
                    return

    def tidy(self, before_us: int | None) -> None:
        """Delete what belonged to exchanges that are gone: journals, uses and counts of their contents, facts about them."""
        with self._database.write() as connection:
            running = select(_EXCHANGES.c.id).where(_EXCHANGES.c.owner.is_not(None))
            connection.execute(_JOURNAL.delete().where(_JOURNAL.c.exchange_id.not_in(running)))
        sweep_uses(self._database, self._pause)
        if before_us is not None:
            sweep_facts(self._database, before_us, self._pause)


def prune(
    database: Database,
    policy: RetentionPolicy,
    *,
    now_us: int | None = None,
    pause: Callable[[], bool] = lambda: False,
    notices: Notices | None = None,
) -> PruneOutcome:
    """Delete what a policy does not keep.

    Args:
        database: Where.
        policy: What is kept.
        now_us: The present; `None`: the clock's.
        pause: Called between slices; True ends the run early.
        notices: Who hears of deletions.
    """
    size = _size(database)
    run = _Pruning(database, pause, notices)
    before_us = None
    if policy.max_age_days is not None:
        before_us = (now_us if now_us is not None else time.time_ns() // 1000) - int(policy.max_age_days * DAY_US)
        run.by_age(before_us)
    if policy.max_bytes is not None:
        run.by_size(policy.max_bytes)
    if run.exchanges:
        run.tidy(before_us)
        run.sweep()
    return PruneOutcome(exchanges=run.exchanges, pieces=run.pieces, freed_bytes=max(0, size - _size(database)))


def _size(database: Database) -> int:
    with database.read() as connection:
        return sqlite.file_bytes(connection) or 0


class RetentionThread:
    """Prunes now and then.

    Args:
        database: Where.
        policy: What is kept.
        notices: Who hears of deletions.
        first_s: The first run comes so long after the start.
        every_s: Further ones so long after the end of the one before.
    """

    def __init__(
        self,
        database: Database,
        policy: RetentionPolicy | None = None,
        notices: Notices | None = None,
        *,
        first_s: float = 30.0,
        every_s: float = 3600.0,
    ) -> None:
        self.deleted = 0
        """Exchanges deleted since start."""
        self.last_error: str | None = None
        """Why the newest run failed; `None` when it did not."""
        self.failure: BaseException | None = None
        """What stopped the thread; `None` while it runs or when it ended as told."""
        self._database = database
        self._policy = policy or RetentionPolicy()
        self._notices = notices
        self._first_s = first_s
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="assay-retention", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End; a run that is under way ends after its current slice.

        Raises:
            StorageError: The thread had failed.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self.failure is not None:
            raise StorageError(f"retention failed: {self.last_error}") from self.failure

    def _run(self) -> None:
        try:
            wait_s = self._first_s
            while not self._stopping.wait(wait_s):
                self._prune()
                wait_s = self._every_s
        except BaseException as error:  # noqa: BLE001 - the thread's root: kept, shown, raised again by stop()
            self.failure = error
            self.last_error = f"{type(error).__name__}: {error}"

    def _prune(self) -> None:
        try:
            # By a clock that nobody sets: one that is set to a wrong year for a while must not cost anybody's data.
            outcome = prune(
                self._database,
                self._policy,
                now_us=clock.now_us(),
                pause=lambda: self._stopping.wait(0.01),
                notices=self._notices,
            )
        except DBAPIError as error:
            self.last_error = f"{error.orig or error}".splitlines()[0]
            return
        self.deleted += outcome.exchanges
        self.last_error = None
