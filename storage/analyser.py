"""Analyses what was recorded: in its own thread, each exchange in its own transaction, as often as wanted.

A bug in a parser costs the attribution of one exchange, never the exchange. While an exchange is open its request alone gives
a first estimate. While much is coming in the work gives way to it (see `storage.pacing`). What a stopped or killed process did
not get to is found again in the database.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError

from proxy_core.exchange import ExchangeState
from storage import models
from storage.database import Database
from storage.errors import StorageError
from storage.notices import Change, ExchangeChanged, Notices
from storage.pacing import Pacing

if TYPE_CHECKING:
    # The analysis is loaded where it works, which is elsewhere for a running capture.
    from storage.analysing import StoredAnalyst

BACKLOG = 2_000
"""Exchanges remembered to be analysed; more are found in the database when these are done."""
_IDLE_S = 0.5
_LOOK_EVERY_S = 30.0
_RETRY_S = (0.1, 0.5, 2.0, 5.0)
_EXCHANGES = models.ExchangeRow.__table__
_BODIES = models.BodyRow.__table__


class AnalysisThread:
    """Analyses exchanges as they are stored.

    Args:
        database: Where they are.
        notices: Who says that one was stored, and hears that one was analysed.
        price_file: The user's price list; `None`: the built-in one alone.
        analyst: Who does the work; made in the thread when left out (it loads much).
        pacing: Says when to give way to what is coming in.
    """

    def __init__(
        self,
        database: Database,
        notices: Notices,
        price_file: str | None = None,
        analyst: "StoredAnalyst | None" = None,
        pacing: Pacing | None = None,
    ) -> None:
        self.analysed = 0
        """Exchanges analysed to the end since start."""
        self.errors = 0
        """Exchanges that could not be analysed, and attempts that the database refused."""
        self.last_error: str | None = None
        """The last of them in one line; `None` when there was none."""
        self.failure: BaseException | None = None
        """What stopped the thread; `None` while it runs or when it ended as told."""
        self._database = database
        self._notices = notices
        self._price_file = price_file
        self._analyst = analyst
        self._pacing = pacing or Pacing()
        self._waiting: OrderedDict[int, bool] = OrderedDict()
        """Row ids; True: it has ended."""
        self._changed = threading.Condition()
        self._is_stopping = False
        self._is_resting = False
        """It gives way: news are no reason to wake."""
        self._deadline = float("inf")
        self._looked_at = float("-inf")
        self._attempts = 0
        self._end_hearing: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._run, name="assay-analysis", daemon=True)

    def start(self) -> None:
        """Begin to analyse; first of all what was left over."""
        self._end_hearing = self._notices.subscribe(self._hear)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Analyse what waits, for at most `timeout_s`; the rest is taken up at the next start.

        Raises:
            StorageError: The thread had failed.
        """
        with self._changed:
            self._is_stopping = True
            self._deadline = time.monotonic() + timeout_s
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 1)
        if self._end_hearing:
            self._end_hearing()
        if self._analyst is not None:
            self._analyst.close()
        if self.failure is not None:
            raise StorageError(f"the analysis failed: {self.last_error}") from self.failure

    @property
    def waiting(self) -> int:
        """Exchanges known to wait."""
        return len(self._waiting)

    def _hear(self, notice: ExchangeChanged) -> None:
        if notice.what not in {Change.STARTED, Change.FINISHED}:
            return
        has_ended = notice.what is Change.FINISHED
        if has_ended:
            self._pacing.note_arrival()
        with self._changed:
            if len(self._waiting) >= BACKLOG and notice.id not in self._waiting:
                self._looked_at = float("-inf")
                return
            self._waiting[notice.id] = has_ended or self._waiting.get(notice.id, False)
            if has_ended and not self._is_resting:
                self._changed.notify_all()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the thread's root: kept, shown, raised again by stop()
            self.failure = error
            self.last_error = f"{type(error).__name__}: {error}"

    def _work(self) -> None:
        if self._analyst is None:
            from storage.analysing import Analyst

            self._analyst = Analyst.over(self._database, self._price_file)
        while True:
            item = self._next()
            if item is None:
                return
            begun = time.monotonic()
            self._analyse(self._analyst, *item)
            self._rest(self._pacing.rest_s(time.monotonic() - begun))

    def _rest(self, seconds: float) -> None:
        """Give way for a while, unless it is time to end."""
        with self._changed:
            self._is_resting = True
            if seconds and not self._is_stopping:
                self._changed.wait(seconds)
            self._is_resting = False

    def _next(self) -> tuple[int, bool] | None:
        """Wait for an exchange; `None`: it is time to end. Those that have ended go before those that still run."""
        while True:
            with self._changed:
                if time.monotonic() > self._deadline or (self._is_stopping and not self._waiting):
                    return None
                row_id = self._choose()
                if row_id is not None:
                    return row_id, self._waiting.pop(row_id)
                is_due = time.monotonic() - self._looked_at >= _LOOK_EVERY_S
                if not is_due:
                    self._pacing.note_idle()
                    self._changed.wait(_IDLE_S)
            if is_due:
                self._look()

    def _choose(self) -> int | None:
        ended = next((row_id for row_id, has_ended in self._waiting.items() if has_ended), None)
        if ended is not None or (self._pacing.is_pressed and not self._is_stopping):
            return ended  # under pressure estimates are not made: their exchanges will have ended before
        return next(iter(self._waiting), None)

    def _look(self) -> None:
        """Find ended exchanges that wait in the database, oldest first: what comes later builds on what was before."""
        self._looked_at = time.monotonic()
        query = select(_EXCHANGES.c.id).where(_EXCHANGES.c.is_pending, _EXCHANGES.c.state != ExchangeState.OPEN)
        try:
            with self._database.read() as connection:
                found = connection.execute(query.order_by(_EXCHANGES.c.id).limit(BACKLOG)).scalars().all()
        except DBAPIError as error:
            self._count(error)
            return
        with self._changed:
            for row_id in found:
                self._waiting[row_id] = True
        if len(found) == BACKLOG:
            self._looked_at = float("-inf")

    def _analyse(self, analyst: "StoredAnalyst", row_id: int, has_ended: bool) -> None:
        try:
            is_done = analyst.analyse(row_id, has_ended=has_ended)
        except OperationalError as error:
            self._count(error)
            self._put_back(row_id, has_ended)
            return
        except Exception as error:  # noqa: BLE001 - counted and shown; one exchange must not end the analysis of all others
            self._count(error)
            return
        self._attempts = 0
        if analyst.error is not None:
            self._count(analyst.error)
        elif has_ended and is_done:
            self.analysed += 1
        if is_done:
            self._notices.post(ExchangeChanged(row_id, Change.ANALYSED))

    def _put_back(self, row_id: int, has_ended: bool) -> None:
        """Try again after a pause: the database is locked, full or read-only."""
        with self._changed:
            self._waiting[row_id] = has_ended or self._waiting.get(row_id, False)
            self._is_resting = True
            pause_s = _RETRY_S[min(self._attempts, len(_RETRY_S) - 1)]
            self._changed.wait(min(pause_s, max(0.0, self._deadline - time.monotonic())))
            self._is_resting = False
        self._attempts += 1

    def _count(self, error: BaseException) -> None:
        self.errors += 1
        reason = getattr(error, "orig", None) or error
        self.last_error = f"{type(reason).__name__}: {reason}".splitlines()[0]
