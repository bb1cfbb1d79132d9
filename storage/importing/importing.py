"""The one entrance of imports: a file in, a report out; a group of exchanges at a time, in bounded memory.

Which of the formats a file has is read from its beginning. Exchanges that are there already stay as they are, so an import
that was broken off is simply run again.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from proxy_core.exchange import ExchangeFinished
from proxy_core.hosts import is_claude_call
from proxy_core.redact import Redactor
from storage.batches import batches
from storage.database import Database
from storage.feedback import FeedbackError, FeedbackStore
from storage.importing.lines import Rating
from storage.importing.recordings import RecordingUnreadableError
from storage.ingest import Ingest, find_rows

_GROUP = 50
_GROUP_BYTES = 32 * 1024 * 1024
"""A group is stored at so many bytes, however few exchanges they are."""

type Recording = tuple[ExchangeFinished, Rating | None]


class ImportFormat(StrEnum):
    """What can be imported."""

    FLOWS = "flows"
    """mitmproxy's flow file."""
    HAR = "har"
    JSONL = "jsonl"
    """Our own export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file."""

    imported: int = 0
    already_there: int = 0
    foreign: int = 0
    """Calls to hosts that carry no Claude, left out."""
    rated: int = 0
    """Ratings that came along."""


def import_file(
    database: Database,
    path: Path,
    redactor: Redactor,
    *,
    extra_hosts: Iterable[str] = (),
    on_exchange: Callable[[], None] | None = None,
) -> ImportReport:
    """Take a recording into a database; the analysis finds what is new by itself.

    Args:
        database: Where to.
        path: The file.
        redactor: Replaces secrets, as for live traffic.
        extra_hosts: Further hosts whose calls are taken, beside Claude's.
        on_exchange: Called for each exchange that was read, for showing progress.

    Raises:
        RecordingUnreadableError: the file is missing, damaged or of no known format; what came before the damage is in.
    """
    file_format = detect_format(path)
    run = _Import(database, redactor, None if file_format is ImportFormat.JSONL else tuple(extra_hosts), on_exchange)
    recordings = _read(path, file_format, redactor)
    try:
        for group in _groups(recordings):
            run.take(group)
    except OSError as error:
        raise RecordingUnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    return run.report()


def detect_format(path: Path) -> ImportFormat:
    """Tell the format of a file by its beginning.

    Raises:
        RecordingUnreadableError: it is none of ours.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(4096)
    except OSError as error:
        raise RecordingUnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    start = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1].isdigit() and b":" in start[:12]:
        return ImportFormat.FLOWS
    if start.startswith(b"{") and b'"context-assay/export"' in start and b'"exchanges":[' not in start:
        return ImportFormat.JSONL
    if start.startswith(b"{") and b'"log"' in start:
        return ImportFormat.HAR
    raise RecordingUnreadableError(f"{path} is no flow file of mitmproxy, no HAR and no JSONL export")


def _read(path: Path, file_format: ImportFormat, redactor: Redactor) -> Iterator[Recording]:
    if file_format is ImportFormat.JSONL:
        from storage.importing.lines import read_lines

        yield from read_lines(path, redactor)
    elif file_format is ImportFormat.HAR:
        from storage.importing.har import read_har

        yield from ((event, None) for event in read_har(path, redactor))
    else:
        from storage.importing.flows import read_flows

        yield from ((event, None) for event in read_flows(path, redactor))


def _groups(recordings: Iterable[Recording]) -> Iterator[list[Recording]]:
    group: list[Recording] = []
    held_bytes = 0
    for recording in recordings:
        group.append(recording)
        held_bytes += _held_bytes(recording[0])
        if len(group) == _GROUP or held_bytes >= _GROUP_BYTES:
            yield group
            group, held_bytes = [], 0
    if group:
        yield group


def _held_bytes(event: ExchangeFinished) -> int:
    return sum(len(body.data or b"") for body in (event.request_body, event.response_body) if body is not None)


class _Import:
    """One run.

    Args:
        database: Where to.
        redactor: Replaces secrets.
        extra_hosts: Hosts to take beside Claude's; `None`: all, since they were captured by Assay once.
        on_exchange: Called for each exchange.
    """

    def __init__(
        self,
        database: Database,
        redactor: Redactor,
        extra_hosts: tuple[str, ...] | None,
        on_exchange: Callable[[], None] | None,
    ) -> None:
        self._database = database
        self._extra_hosts = extra_hosts
        self._on_exchange = on_exchange
        self._ingest = Ingest(f"import-{secrets.token_hex(8)}")
        self._feedback = FeedbackStore(database, redactor=redactor)
        self._counts = {"imported": 0, "already_there": 0, "foreign": 0, "rated": 0}

    def take(self, group: list[Recording]) -> None:
        """Store a group, but for what is foreign or there already."""
        own = [recording for recording in group if self._is_own(recording[0])]
        self._counts["foreign"] += len(group) - len(own)
        new = self._store([event for event, _ in own])
        self._counts["imported"] += len(new)
        self._counts["already_there"] += len(own) - len(new)
        for event, rating in own:
            if rating is not None and event.exchange_id in new:
                self._rate(event.exchange_id, rating)
        if self._on_exchange is not None:
            for _ in group:
                self._on_exchange()

    def report(self) -> ImportReport:
        """Return what was done so far."""
        return ImportReport(**self._counts)

    def _is_own(self, event: ExchangeFinished) -> bool:
        if self._extra_hosts is None:
            return True
        try:
            parts = urlsplit(event.request.url)
        except ValueError:
            return False
        return is_claude_call(parts.hostname or "", parts.path, self._extra_hosts)

    def _store(self, events: list[ExchangeFinished]) -> set[str]:
        """Store what is not there yet and return the ids of that."""
        by_id = {event.exchange_id: event for event in events}
        with self._database.read() as connection:
            known = set(find_rows(connection, list(by_id)))
        new = [event for exchange_id, event in by_id.items() if exchange_id not in known]
        for batch in batches(new):
            with self._database.write() as connection:
                self._ingest.store(connection, batch)
            self._ingest.settle(batch)
        return {event.exchange_id for event in new}

    def _rate(self, exchange_id: str, rating: Rating) -> None:
        try:
            self._feedback.rate(exchange_id, rating.rating, rating.text, rating.user_id)
            self._counts["rated"] += 1
        except FeedbackError:
            return
