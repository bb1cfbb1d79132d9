"""Fills a database as the writer and the analysis would, without their threads, so that a test says only what is in it."""

from typing import Any

from proxy_core.attribution.model import Attribution
from proxy_core.dialects.responses import read_response
from proxy_core.exchange import CaptureEvent
from storage.attributions import AttributionWriter
from storage.batches import batches
from storage.database import Database
from storage.exchanges import ExchangeReader
from storage.ingest import Ingest, find_rows
from storage.texts import Texts, texts_of
from tests import factories


class Recorder:
    """Records exchanges into a database, at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ingest = Ingest("recorder")
        self._attributions = AttributionWriter()

    def store(self, *events: CaptureEvent) -> None:
        """Store events, in one transaction."""
        for batch in batches(events):
            with self._database.write() as connection:
                self._ingest.store(connection, batch)
            self._ingest.settle(batch)

    def analyse(self, exchange_id: str, attribution: Attribution, texts: Texts | None = None) -> None:
        """Save what an analysis would have found."""
        found_by = texts or texts_of(read_response(ExchangeReader(self._database).recorded(exchange_id)), attribution)
        with self._database.write() as connection:
            row_id = find_rows(connection, [exchange_id])[exchange_id]
            assert self._attributions.save(connection, row_id, attribution, found_by)

    def record(self, attribution: Attribution | None = None, **changes: Any) -> str:
        """Store a finished exchange and its attribution (`None`: not analysed); returns its id."""
        event = factories.exchange_finished(**changes)
        self.store(event)
        if attribution is not None:
            self.analyse(event.exchange_id, attribution)
        return event.exchange_id


def attribution(**changes: Any) -> Attribution:
    """One user segment of 21 tokens, billed."""
    fields: dict[str, Any] = {
        "version": 1,
        "facts": factories.call_facts(),
        "segments": (factories.segment(),),
        "ledger": factories.ledger(),
    }
    return Attribution(**(fields | changes))
