"""What a recorder says of itself, wherever it runs. Imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """What was stored and analysed since the start, and what went wrong."""

    stored: int = 0
    """Finished exchanges that are on disk."""
    dropped: int = 0
    """Exchanges given up: they could not be stored."""
    writer_errors: int = 0
    """Attempts to store that failed, retries included."""
    analysed: int = 0
    """Exchanges analysed to the end."""
    analysis_errors: int = 0
    """Exchanges that could not be analysed, and attempts that the database refused."""
    capture_errors: int = 0
    """Exchanges that could not be read."""
    last_error: str | None = None
    """The last of any of these in one line; `None` when there was none."""
    is_failing: bool = False
    """The newest attempt to store failed; it is tried again, and what arrives waits."""
    failure: str | None = None
    """Why nothing is stored any more; `None` while all is well."""
    analysis_failure: str | None = None
    """Why nothing is analysed any more; `None` while all is well."""
    retention_failure: str | None = None
    """Why the database is not kept within its bounds; `None` while all is well."""
