"""The door to everything captured: one object, a few readers. It hands out views, never rows, and is safe from any thread."""

from proxy_core.redact import Redactor
from storage.database import Database
from storage.exchanges import ExchangeReader
from storage.feedback import FeedbackStore
from storage.filters.saved import SavedFilters
from storage.metrics import SourceReader
from storage.sessions import SessionReader


class Store:
    """What screens, the API, exports and commands read from.

    Args:
        database: An open database; closing it stays with who opened it.
        redactor: Replaces secrets in comments and saved filters; with the capture's, a key has the same fingerprint in both.
    """

    def __init__(self, database: Database, redactor: Redactor | None = None) -> None:
        self.database = database
        self.exchanges = ExchangeReader(database)
        """Lists, details, bodies."""
        self.sources = SourceReader(database)
        """Totals by source and in all."""
        self.sessions = SessionReader(database)
        """Client sessions."""
        self.feedback = FeedbackStore(database, redactor=redactor)
        """Ratings."""
        self.filters = SavedFilters(database, redactor)
        """Saved filters, and filter lines that use them."""
