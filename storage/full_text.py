"""Full-text search, as SQLite has it: by which words an exchange is found.

The index holds no text: what was added must be taken out with the same words. Nothing that a person types is syntax.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, column, literal_column, select, table

from storage.sqlite import TEXT_COLUMNS, Arm, execute

_MOST_WORDS = 16
"""To find so many words of the full-text index takes a millisecond."""


def index_text(connection: Connection, row_id: int, texts: Sequence[str]) -> None:
    """Add an exchange's texts, one for each of `TEXT_COLUMNS`, to the full-text index."""
    if connection.dialect.name == "sqlite":
        statement = "INSERT INTO text_index(rowid, title, user_text, assistant_text) VALUES (?, ?, ?, ?)"
        connection.exec_driver_sql(statement, (row_id, *texts))


def unindex_text(connection: Connection, row_id: int, texts: Sequence[str]) -> None:
    """Take exactly what was added out again: an index without content needs to be told (SQLite before 3.43)."""
    if connection.dialect.name == "sqlite":
        statement = "INSERT INTO text_index(text_index, rowid, title, user_text, assistant_text) VALUES ('delete', ?, ?, ?, ?)"
        connection.exec_driver_sql(statement, (row_id, *texts))


def match_text(words: str, columns: Iterable[str] = (), ids: tuple[Any, Any] | None = None) -> Select[Any]:
    """Select the ids of exchanges whose texts hold all the words (each as a prefix), for `id IN (...)`.

    Args:
        words: What a person typed; every character but letters and digits parts words, nothing is syntax.
        columns: Only these of `TEXT_COLUMNS`; all when empty.
        ids: Only ids between these two.
    """
    index = table("text_index", column("rowid"))
    found = select(index.c.rowid).where(literal_column("text_index").op("MATCH")(_text_query(words, columns)))
    return found if ids is None else found.where(index.c.rowid > ids[0], index.c.rowid < ids[1])


def _text_query(words: str, columns: Iterable[str] = ()) -> str:
    chosen = " ".join(name for name in columns if name in TEXT_COLUMNS)
    terms = " ".join(f'"{term}"*' for term in _terms(words)) or '""'
    return f"{{{chosen}}} : ({terms})" if chosen else terms


def text_arm(connection: Connection, words: str, *, has_leftovers: bool) -> Arm:
    """Return the way to the exchanges whose texts hold all the words.

    Args:
        connection: For reading.
        words: As for `match_text`.
        has_leftovers: The index may know texts of exchanges that are gone (`storage.texts`).
    """
    found = "SELECT rowid FROM text_index WHERE text_index MATCH ?"
    there = " AND EXISTS (SELECT 1 FROM exchange WHERE exchange.id = text_index.rowid)" if has_leftovers else ""
    return Arm(f"{found}{there}", (_spelled_out(connection, words),), "rowid")


def _spelled_out(connection: Connection, words: str) -> str:
    """Name the whole words that are meant, where they are few.

    Full-text search collects all that a beginning of a word leads to before it gives the first; of whole words it gives one
    after the other.
    """
    return " AND ".join(_any_of(_words_beginning(connection, term)) or f'"{term}"*' for term in _terms(words)) or '""'


def _any_of(words: Sequence[str]) -> str:
    return f"({' OR '.join(f'"{word}"' for word in words)})" if words else ""


def _words_beginning(connection: Connection, term: str) -> list[str]:
    """Find the words in the index that begin so; none where they are too many, or may be written in several ways."""
    found: list[str] = []
    beginning = sought = term.lower()
    while term.isascii():
        rows = execute(connection, "SELECT term FROM text_term WHERE term >= ? LIMIT 1", (sought,))
        if not rows or not rows[0][0].startswith(beginning):
            return found
        word = rows[0][0]
        if len(found) == _MOST_WORDS or not word.isascii():
            break
        found.append(word)
        sought = f"{word}\x01"  # the next one, without walking over all places of this one
    return []


def _terms(words: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in words).split()
