"""Filters that a person gave a name: kept in the database, written `@name` wherever a filter is typed.

The one place that reads a line with the names of a database in it: dashboard, command line and API all ask here. A saved
filter may use others; names are the same in any case of letters.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from proxy_core.redact import Redactor
from storage.database import Database
from storage.errors import StorageError
from storage.filters.parsing import parse
from storage.filters.tokens import SAVED_NAME, saved_names, with_renamed
from storage.filters.tree import Filter, FilterError
from storage.models import SavedFilterRow

_saved = SavedFilterRow.__table__.c


class SavedFilterError(StorageError):
    """A saved filter that cannot be kept, changed or removed, for a reason a person can mend."""


class NoSuchSavedFilterError(SavedFilterError):
    """There is no saved filter of this name."""


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """One saved filter."""

    name: str
    """In lower case, without the `@`."""
    text: str
    """The line; `since:1h` in it is always the last hour."""


class SavedFilters:
    """Keeps, lists and reads filters by name.

    Args:
        database: Where.
        redactor: Replaces secrets in what is kept; with the capture's, the mark that takes a key's place finds what the key was
            in. `None`: one of its own, whose fingerprints are nobody else's.
    """

    def __init__(self, database: Database, redactor: Redactor | None = None) -> None:
        self._database = database
        self._redactor = redactor or Redactor(secrets.token_bytes(32))

    def all(self) -> tuple[SavedFilter, ...]:
        """List them by name."""
        with self._database.read() as connection:
            return tuple(SavedFilter(name, text) for name, text in sorted(_read(connection).items()))

    def texts(self) -> dict[str, str]:
        """Return every line by its name."""
        with self._database.read() as connection:
            return _read(connection)

    def find(self, name: str) -> SavedFilter:
        """Return one by its name.

        Raises:
            NoSuchSavedFilterError: There is none of this name.
        """
        name = _plain(name)
        return SavedFilter(name, _text_of(name, self.texts()))

    def parse(self, text: str) -> Filter | FilterError:
        """Read a filter line in which `@name` stands for a saved filter."""
        return parse(text, self.texts() if "@" in text else {})

    def save(self, name: str, text: str) -> SavedFilter:
        """Keep a line under a name, with marks for the secrets in it; one that is there is replaced.

        Raises:
            SavedFilterError: It is no name, or the line is empty, cannot be read or comes back to itself.
        """
        name, text = self._checked_name(name), self._redactor.text(text.strip())
        with self._database.write() as connection:
            known = _read(connection)
            _check_line(name, text, known)
            if name in known:
                connection.execute(update(SavedFilterRow.__table__).where(_saved.name == name).values(text=text))
            else:
                connection.execute(insert(SavedFilterRow.__table__).values(name=name, text=text))
        return SavedFilter(name, text)

    def rename(self, old: str, new: str) -> SavedFilter:
        """Give a saved filter another name, also where other saved filters use it.

        Raises:
            NoSuchSavedFilterError: There is none of the old name.
            SavedFilterError: The new one is no name, or is taken.
        """
        old, new = _plain(old), self._checked_name(new)
        with self._database.write() as connection:
            known = _read(connection)
            text = _text_of(old, known)
            if new == old:
                return SavedFilter(old, text)
            if new in known:
                raise SavedFilterError(f"there is a saved filter @{new} already")
            for name, line in known.items():
                connection.execute(
                    update(SavedFilterRow.__table__).where(_saved.name == name).values(text=with_renamed(line, old, new))
                )
            connection.execute(update(SavedFilterRow.__table__).where(_saved.name == old).values(name=new))
        return SavedFilter(new, text)

    def remove(self, name: str) -> None:
        """Forget a saved filter.

        Raises:
            NoSuchSavedFilterError: There is none of this name.
            SavedFilterError: Other saved filters use it.
        """
        name = _plain(name)
        with self._database.write() as connection:
            known = _read(connection)
            _text_of(name, known)
            users = sorted(f"@{other}" for other, text in known.items() if name in saved_names(text))
            if users:
                raise SavedFilterError(f"@{name} is used by {', '.join(users)}")
            connection.execute(delete(SavedFilterRow.__table__).where(_saved.name == name))

    def _checked_name(self, name: str) -> str:
        if self._redactor.text(name) != name:
            raise SavedFilterError("a key or token is no name for a filter: it would be kept")
        return checked_name(name)


def checked_name(name: str) -> str:
    """Return a name as it is kept.

    Raises:
        SavedFilterError: It is no name.
    """
    plain = _plain(name)
    if not re.fullmatch(SAVED_NAME, plain):
        raise SavedFilterError("a name is 1 to 40 letters, digits, dots, dashes or underscores")
    return plain


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").lower()


def _read(connection: Connection) -> dict[str, str]:
    return {row.name: row.text for row in connection.execute(select(_saved.name, _saved.text))}


def _text_of(name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise NoSuchSavedFilterError(f"there is no saved filter @{name}")
    return known[name]


def _check_line(name: str, text: str, known: Mapping[str, str]) -> None:
    understood = parse(text, known)
    if not isinstance(understood, FilterError):
        if understood.is_empty:
            raise SavedFilterError("an empty filter lets everything pass; there is nothing to save")
        # With the new line in force nothing may come back to itself.
        understood = parse(f"@{name}", {**known, name: text})
    if isinstance(understood, FilterError):
        hint = f" ({understood.hint})" if understood.hint else ""
        raise SavedFilterError(f"the filter cannot be read: {understood.message}{hint}")
