"""Opening the database for a command that needs nothing else, with errors a person can act on."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.errors import AssayError, DatabaseUnusableError, NotFoundError
from tui.invocation import own_command
from tui.settings import Settings

if TYPE_CHECKING:
    from storage.database import Database
    from storage.store import Store


@contextmanager
def opened_database(settings: Settings, *, must_exist: bool = True) -> "Iterator[Database]":
    """Open the database of the settings and close it afterwards.

    Raises:
        NotFoundError: There is none yet, and the command only makes sense over one.
        DatabaseUnusableError: It cannot be used.
        AssayError: What the command did with it failed.
    """
    from storage import errors
    from storage.database import open_database
    from storage.filters.saved import NoSuchSavedFilterError

    path = settings.database_path
    if must_exist and path is not None and not path.exists():
        assay = own_command()
        raise NotFoundError(
            f"there is no database {path} yet", f"Capture something first: {assay} run -- CLIENT, or {assay} demo"
        )
    if path is not None and sys.stderr.isatty():
        _say_update(path)
    try:
        database = open_database(settings.database)
    except errors.DatabaseUnusableError as error:
        raise DatabaseUnusableError(str(error)) from error
    try:
        yield database
    except (errors.NoSuchExchangeError, errors.AmbiguousIdError, NoSuchSavedFilterError) as error:
        raise NotFoundError(str(error)) from error
    except errors.StorageError as error:
        raise AssayError(str(error)) from error
    finally:
        database.close()


def _say_update(path: Path) -> None:
    """Say what a person at a terminal is about to wait for."""
    from storage.updating import pending_update
    from tui.notices import updating_notice

    update = pending_update(path)
    if update is not None:
        notice = updating_notice(update)
        click.echo(f"assay: {notice.text}, {notice.remedy} ...", err=True)


@contextmanager
def opened_store(settings: Settings, *, must_exist: bool = True) -> "Iterator[Store]":
    """Open the store over the database of the settings.

    Raises:
        NotFoundError: There is none yet, and the command only makes sense over one.
        DatabaseUnusableError: It cannot be used.
        AssayError: What the command did with it failed.
    """
    from storage.store import Store
    from tui.recording import find_redactor

    with opened_database(settings, must_exist=must_exist) as database:
        yield Store(database, find_redactor(settings))
