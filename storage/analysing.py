"""The analysis of one stored exchange: read, analyse, save. No thread, no queue."""

from dataclasses import replace
from typing import Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError

from proxy_core.attribution.context import AnalysisContext
from proxy_core.attribution.model import ATTRIBUTION_VERSION, Attribution
from proxy_core.dialects.base import ParsedResponse, RecordedCall
from proxy_core.dialects.responses import read_response
from proxy_core.exchange import ExchangeState
from storage import models
from storage.analysis_context import DatabaseContext
from storage.attributions import AttributionWriter
from storage.database import Database
from storage.errors import NoSuchExchangeError
from storage.pieces import PieceCache
from storage.recorded import read_recorded
from storage.texts import Texts, texts_of

_EXCHANGES = models.ExchangeRow.__table__
_FIND_STATE = select(_EXCHANGES.c.state).where(_EXCHANGES.c.id == bindparam("row_id"))


class Analyse(Protocol):
    """`proxy_core.attribution.analysis.analyse`, or a stand-in for it."""

    def __call__(
        self, recorded: RecordedCall, context: AnalysisContext, /, *, response: ParsedResponse | None = None
    ) -> Attribution:
        """Say what is known of an exchange; `response` is what was read of its answer."""
        ...


class StoredAnalyst(Protocol):
    """Whoever analyses stored exchanges: `Analyst` here, or `remote_analyst.RemoteAnalyst` in a process of its own."""

    @property
    def error(self) -> Exception | None:
        """Why the last one could not be analysed; `None` when it could."""
        ...

    def analyse(self, row_id: int, *, has_ended: bool) -> bool:
        """Analyse one exchange and save what came out; returns whether anything was saved."""
        ...

    def close(self) -> None:
        """End what works for it."""
        ...


class Analyst:
    """Analyses stored exchanges. For one thread; `close` ends what counts for it.

    Args:
        database: Where they are.
        context: What is known already.
        analyse: `proxy_core.attribution.analysis.analyse`, or a stand-in for it in tests.
    """

    def __init__(self, database: Database, context: DatabaseContext, analyse: Analyse) -> None:
        self.error: Exception | None = None
        """Why the last one could not be analysed; `None` when it could."""
        self._database = database
        self._context = context
        self._analyse = analyse
        self._writer = AttributionWriter()
        self._pieces = PieceCache()

    @classmethod
    def over(cls, database: Database, price_file: str | None = None) -> "Analyst":
        """Make one with the built-in analysis, prices and counting."""
        from proxy_core.attribution.analysis import analyse
        from proxy_core.attribution.prices import load_price_book
        from proxy_core.attribution.tokens.service import WorkerCounting

        context = DatabaseContext(database, prices=load_price_book(price_file), counting=WorkerCounting())
        return cls(database, context, analyse)

    def close(self) -> None:
        """End the counting."""
        close = getattr(self._context.counting, "close", None)
        if close is not None:
            close()

    def analyse(self, row_id: int, *, has_ended: bool) -> bool:
        """Analyse one exchange and save what came out, or that it failed (see `error`).

        Args:
            row_id: The exchange's number.
            has_ended: False: only its request is looked at, for a first estimate.

        Returns:
            Whether anything was saved; not so when the exchange is gone or ended meanwhile.

        Raises:
            OperationalError: The database refused; trying again later makes sense.
        """
        self.error = None
        if not has_ended and not self._is_open(row_id):
            return False
        try:
            found = self._read(row_id, has_ended=has_ended)
        except NoSuchExchangeError:
            return False
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a parser does wrong, the capture stays and the next one goes on
            return self._save_failure(row_id, error)
        return self._save(row_id, *found)

    def _is_open(self, row_id: int) -> bool:
        with self._database.read() as connection:
            return connection.execute(_FIND_STATE, {"row_id": row_id}).scalar() == ExchangeState.OPEN

    def _read(self, row_id: int, *, has_ended: bool) -> tuple[Attribution, Texts | None]:
        with self._database.read() as connection:
            recorded = read_recorded(connection, row_id, self._pieces)
        if not has_ended:
            request = replace(recorded, status_code=None, response_headers=(), response_body=None)
            return self._analyse(request, self._context), None
        response = read_response(recorded)
        attribution = self._analyse(recorded, self._context, response=response)
        return attribution, texts_of(response, attribution)

    def _save(self, row_id: int, attribution: Attribution, found_by: Texts | None) -> bool:
        try:
            with self._database.write() as connection:
                is_saved = self._writer.save(connection, row_id, attribution, found_by)
                self._context.flush(connection)
        except OperationalError:
            self._forget()
            raise
        except Exception as error:  # noqa: BLE001 - an attribution that cannot be saved is noted as such
            self._forget()
            return self._save_failure(row_id, error)
        self._context.settle()
        return is_saved

    def _save_failure(self, row_id: int, error: Exception) -> bool:
        self.error = error
        self._context.discard()
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        with self._database.write() as connection:
            self._writer.save_failure(connection, row_id, ATTRIBUTION_VERSION, reason)
        return True

    def _forget(self) -> None:
        self._writer.forget()
        self._context.discard()
