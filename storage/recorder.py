"""Everything that records: stores what a feed delivers, analyses it, and keeps the database within its bounds.

Started front to back, stopped back to front: what is left in the feed is stored before the analysis ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy_core.feed import CaptureFeed
from storage.analyser import AnalysisThread
from storage.database import Database
from storage.notices import Notices
from storage.recorder_status import RecorderStatus
from storage.remote_analyst import open_analyst
from storage.writer import StorageWriter

if TYPE_CHECKING:
    # Loaded once everything else runs: it is in no hurry.
    from storage.retention import RetentionThread


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOptions:
    """What a recorder is told once."""

    price_file: str | None = None
    """The user's price list; `None`: the built-in one alone."""
    has_bodies: bool = True
    """False: exchanges lose their text once they are analysed."""
    max_age_days: float | None = 30
    """As in `RetentionPolicy`."""
    max_bytes: int | None = None
    """As in `RetentionPolicy`."""
    store_s: float = 10.0
    """How long storing what is left may take at the end."""
    analyse_s: float = 15.0
    """How long the analysis may; what it does not reach is taken up at the next start."""
    awaited: Sequence[str] = ()
    """Ids of exchanges that a recorder before this one had begun, and that will be told again."""


class Recorder:
    """Records what a feed delivers.

    Args:
        database: Where to.
        feed: Where from.
        notices: Who hears of what was committed.
        options: How.
        on_settled: Called with the ids of exchanges that are stored, in the writer's thread.
        on_given_up: The same for those that could not be.
    """

    def __init__(
        self,
        database: Database,
        feed: CaptureFeed,
        notices: Notices,
        options: RecordingOptions,
        on_settled: Callable[[Sequence[str]], None] | None = None,
        on_given_up: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._options = options
        self._database = database
        self._feed = feed
        self._notices = notices
        analyst = open_analyst(database, options.price_file, has_bodies=options.has_bodies)
        self.writer = StorageWriter(
            database, feed, notices, on_settled=on_settled, on_given_up=on_given_up, awaited=options.awaited
        )
        self.analysis = AnalysisThread(database, notices, analyst=analyst)
        self._retention: RetentionThread | None = None

    def launch(self) -> None:
        """Get ready to start; here there is nothing to wait for."""

    def start(self, on_recording: Callable[[], None] = lambda: None) -> None:
        """Begin to record.

        Args:
            on_recording: Called as soon as exchanges are stored; the rest has time.

        Raises:
            StorageError: The database does not take writes.
        """
        self.writer.start()
        on_recording()
        self.analysis.start()
        self._retention = self._start_retention()

    def _start_retention(self) -> "RetentionThread":
        from storage.retention import RetentionPolicy, RetentionThread

        policy = RetentionPolicy(max_age_days=self._options.max_age_days, max_bytes=self._options.max_bytes)
        retention = RetentionThread(self._database, policy, self._notices)
        retention.start()
        return retention

    def stop(self) -> list[tuple[str, str]]:
        """Store what the feed still has, analyse what waits, then end; returns what went wrong: part, reason."""
        errors: list[tuple[str, str]] = []
        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("retention", self._retention.stop if self._retention is not None else lambda: None),
            ("writer", lambda: self.writer.stop(self._options.store_s)),
            ("analysis", lambda: self.analysis.stop(self._options.analyse_s)),
        )
        for part, step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - noted and shown; the other parts still have to end
                errors.append((part, str(error)))
        return errors

    def status(self) -> RecorderStatus:
        """Return what it says of itself; safe from any thread."""
        writer, analysis = self.writer, self.analysis
        return RecorderStatus(
            stored=writer.stored,
            dropped=writer.dropped + self._feed.unreadable,
            writer_errors=writer.errors,
            analysed=analysis.analysed,
            analysis_errors=analysis.errors,
            last_error=writer.last_error or analysis.last_error,
            is_failing=writer.is_failing,
            failure=None if writer.failure is None else str(writer.failure),
            analysis_failure=None if analysis.failure is None else analysis.last_error,
            retention_failure=None if self._retention is None else self._retention.last_error,
        )
