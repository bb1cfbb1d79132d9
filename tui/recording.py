"""How what was captured is recorded and read back: in which process, and with what errors."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tui.errors import AssayError, AuthorityError, DatabaseUnusableError
from tui.settings import Settings
from tui.trust import authority_directory

if TYPE_CHECKING:
    from proxy_core.hook_feed import HookFeed
    from proxy_core.redact import Redactor
    from storage.database import Database
    from storage.notices import Notices
    from storage.recorder import Recorder
    from storage.remote_recorder import RemoteRecorder
    from storage.store import Store

_END_S = 5.0
"""For the recording process to end, once it has stored and analysed or run out of time for it."""


class Reading:
    """The database as this process reads it; opened when it is first asked for, because loading that takes a while.

    Args:
        settings: The settings in force.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def is_in_memory(self) -> bool:
        """The database lives in this process's memory: no other can reach it."""
        return self._settings.database in {"sqlite://", "sqlite:///:memory:"}

    @cached_property
    def database(self) -> "Database":
        """The database.

        Raises:
            DatabaseUnusableError: It cannot be used.
        """
        from storage import database, errors

        try:
            return database.open_database(self._settings.database)
        except errors.StorageError as error:
            raise DatabaseUnusableError(str(error)) from error

    @cached_property
    def store(self) -> "Store":
        """What was captured."""
        from storage.store import Store

        return Store(self.database, open_redactor(self._settings))

    def close(self) -> None:
        """Close the database, if it was opened."""
        if "database" in self.__dict__:
            self.database.close()


def make_recording(
    settings: Settings, notices: "Notices", reading: "Reading", *, tells_summaries: bool = False
) -> "tuple[HookFeed, Recorder | RemoteRecorder]":
    """Make the feed, and what records from it: a process of its own, unless the database lives in this one's memory.

    Args:
        settings: The settings in force.
        notices: Who hears of what was stored.
        reading: The database as this process reads it.
        tells_summaries: Have it told how each analysed exchange reads; see `ExchangeChanged.summary`.

    Raises:
        AuthorityError: The redaction key cannot be read or made.
        DatabaseUnusableError: The database cannot be used.
    """
    from tui.runtime import ANALYSE_S, STORE_S

    make_database_directory(settings)
    key = open_key(settings)
    options: dict[str, Any] = {
        "price_file": str(settings.prices) if settings.prices else None,
        "has_bodies": settings.bodies,
        "max_age_days": settings.retention_days or None,
        "max_bytes": settings.retention_size,
        "store_s": STORE_S,
        "analyse_s": ANALYSE_S,
    }
    if reading.is_in_memory:
        made = _local_recording(key, notices, reading, options)
    else:
        made = _remote_recording(key, notices, settings.database, options, tells_summaries=tells_summaries)
    if not settings.capture:
        made[0].pause()
    return made


def _remote_recording(
    key: bytes, notices: "Notices", url: str, options: Mapping[str, Any], *, tells_summaries: bool
) -> "tuple[HookFeed, Recorder | RemoteRecorder]":
    from proxy_core.hook_feed import HookFeed
    from proxy_core.redact import Redactor
    from storage.remote_recorder import RecordingPlan, RemoteRecorder

    feed = HookFeed(Redactor(key))
    stop_s = options["store_s"] + options["analyse_s"] + _END_S
    plan = RecordingPlan(url=url, redaction_key=key, options=options, stop_s=stop_s, tells_summaries=tells_summaries)
    return feed, RemoteRecorder(feed, notices, plan)


def _local_recording(
    key: bytes, notices: "Notices", reading: "Reading", options: Mapping[str, Any]
) -> "tuple[HookFeed, Recorder | RemoteRecorder]":
    from proxy_core.feed import CaptureFeed
    from proxy_core.redact import Redactor
    from storage.recorder import Recorder, RecordingOptions

    feed = CaptureFeed(Redactor(key))
    return feed, Recorder(reading.database, feed, notices, RecordingOptions(**options))


def make_database_directory(settings: Settings) -> None:
    """Make the directory that the database is in.

    Raises:
        DatabaseUnusableError: It cannot be made.
    """
    if (path := settings.database_path) is None:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusableError(f"cannot make the directory of {path}: {error.strerror}") from error


def launch_recorder(recorder: "Recorder | RemoteRecorder") -> None:
    """Let the recorder get ready while others do.

    Raises:
        AssayError: No process or memory is left for it.
    """
    try:
        recorder.launch()
    except OSError as error:
        raise AssayError(f"the recording process cannot be started: {error.strerror or error}") from error


def start_recorder(recorder: "Recorder | RemoteRecorder") -> None:
    """Start recording.

    Raises:
        DatabaseUnusableError: The database cannot be opened, or takes no writes.
    """
    from storage.errors import StorageError

    try:
        recorder.start()
    except StorageError as error:
        raise DatabaseUnusableError(str(error)) from error


def open_key(settings: Settings) -> bytes:
    """Open the key that the fingerprints of secrets are made with.

    Raises:
        AuthorityError: It cannot be read or made.
    """
    from proxy_core import errors
    from proxy_core.private_files import open_redaction_key

    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open_redaction_key(authority_directory(settings.data_dir))
    except errors.AuthorityError as error:
        raise AuthorityError(str(error)) from error
    except OSError as error:
        raise AuthorityError(f"cannot use the data directory {settings.data_dir}: {error.strerror}") from error


def open_redactor(settings: Settings) -> "Redactor":
    """Open the redactor with the key that fingerprints are made with.

    Raises:
        AuthorityError: The key cannot be read or made.
    """
    from proxy_core.redact import Redactor

    return Redactor(open_key(settings))


def find_redactor(settings: Settings) -> "Redactor | None":
    """Open the redactor of the captures before; `None` when there was none, so there is no fingerprint to agree with."""
    from proxy_core.private_files import find_redaction_key
    from proxy_core.redact import Redactor

    key = find_redaction_key(authority_directory(settings.data_dir))
    return None if key is None else Redactor(key)
