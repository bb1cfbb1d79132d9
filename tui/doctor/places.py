"""What Assay itself needs: settings, directory, certificate authority, database, port. Nothing is made or repaired."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tui.config import default_config_path
from tui.doctor.findings import Finding, bad, note, ok
from tui.errors import AssayError
from tui.invocation import own_command
from tui.presence import find_running
from tui.settings import Settings
from tui.starting import check_address
from tui.trust import authority_directory

_LITTLE_SPACE_BYTES = 200_000_000


def check_configuration(config: Path | None) -> Iterator[Finding]:
    """See which configuration file counts (that it can be read was seen before)."""
    path = config or default_config_path()
    yield ok("settings", f"read from {path}" if path.exists() else f"defaults (there is no {path})")


def check_directory(data_dir: Path) -> Iterator[Finding]:
    """See whether the data directory is private and has room."""
    if not data_dir.exists():
        yield ok("data", f"{data_dir} will be made at the first start")
        return
    mode = stat.S_IMODE(data_dir.stat().st_mode)
    if not os.access(data_dir, os.W_OK | os.X_OK):
        yield bad("data", f"{data_dir} cannot be written", "Correct its owner, or choose another --data-dir")
        return
    free = shutil.disk_usage(data_dir).free
    if free < _LITTLE_SPACE_BYTES:
        yield bad("data", f"only {free // 1_000_000} MB are free in {data_dir}", "Make room; traffic goes on, but is not kept")
    elif mode & 0o077:
        yield note("data", f"{data_dir} is open to other users (mode {mode:o})", f"chmod 700 {data_dir}")
    else:
        yield ok("data", f"{data_dir}, private, {free // 1_000_000_000} GB free")


def check_authority(data_dir: Path) -> Iterator[Finding]:
    """See whether the certificate authority can be used."""
    from proxy_core.certificates import open_authority
    from proxy_core.errors import AuthorityError

    directory = authority_directory(data_dir)
    if not (directory / "ca.pem").exists():
        yield ok("authority", f"will be made at the first start in {directory}")
        return
    try:
        pem = (directory / "ca.pem").read_bytes()
    except OSError as error:
        yield bad("authority", f"{directory / 'ca.pem'} cannot be read: {error.strerror}", "Correct its owner")
        return
    if not pem:
        yield bad("authority", f"{directory / 'ca.pem'} is empty", "Remove it: a new one is made")
        return
    try:
        authority = open_authority(directory)
    except AuthorityError as error:
        yield bad("authority", str(error))
        return
    left = (authority.valid_until - datetime.now(UTC)).days
    yield ok("authority", f"{authority.certificate_path}, valid for {left} more days")


def check_database(settings: Settings) -> Iterator[Finding]:
    """See whether the database opens, and when something was last captured."""
    from storage.database import open_database
    from storage.errors import StorageError
    from storage.store import Store

    path = settings.database_path
    if path is not None and not path.exists():
        yield ok("database", f"{path} will be made at the first start")
        return
    try:
        database = open_database(settings.database)
    except StorageError as error:
        yield bad("database", str(error))
        return
    try:
        totals = Store(database).sources.summary()
    except StorageError as error:
        yield bad("database", str(error))
        return
    finally:
        database.close()
    if totals.newest_us is None:
        yield note("database", f"{database.name}: nothing captured yet")
        return
    newest = datetime.fromtimestamp(totals.newest_us / 1e6, UTC).astimezone()
    yield ok("database", f"{database.name}: {totals.total_requests} requests, the newest {newest:%Y-%m-%d %H:%M}")


def check_port(settings: Settings) -> Iterator[Finding]:
    """See whether the port is free, or held by an Assay."""
    running = find_running(settings.data_dir)
    if running:
        yield ok("proxy", f"an Assay runs on {running[0].proxy_url} (process {running[0].pid})")
        return
    try:
        check_address(settings.listen, settings.port)
    except AssayError as error:
        yield bad("proxy", str(error))
        return
    assay = own_command()
    text = f"no Assay is running; {settings.listen}:{settings.port} is free"
    yield note("proxy", text, f"Start one: {assay}, or {assay} run -- CLIENT")
