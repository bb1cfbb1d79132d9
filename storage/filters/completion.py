"""What could be typed next: names of fields, words of a field, saved filters, and names that occur in the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.filters.fields import FIELD_BY_NAME, FIELDS, NUMERIC, Field, Kind
from storage.filters.tokens import Token, TokenKind, tokenize

_LIMIT = 12


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on."""

    text: str
    """What to put in."""
    start: int
    """First character of the line that it replaces."""
    end: int
    """One past the last character that it replaces."""
    meaning: str
    """What it means, for showing beside it."""


class Vocabulary(Protocol):
    """Where names that occur in the database come from; `SourceReader` is one."""

    def words(self, field: str, beginning: str, limit: int) -> Sequence[str]:
        """Return values of a field that hold a text, the likeliest first; none for fields without such values."""


_NONE_SAVED: Mapping[str, str] = {}


def complete(
    text: str, cursor: int, vocabulary: Vocabulary | None = None, saved: Mapping[str, str] = _NONE_SAVED
) -> tuple[Suggestion, ...]:
    """Return what could stand at the cursor, the likeliest first.

    Args:
        text: The line so far.
        cursor: 0-based position of the cursor in it.
        vocabulary: Where names come from; `None`: fields and fixed words only.
        saved: The lines of saved filters by name.
    """
    cursor = max(0, min(cursor, len(text)))
    token = _token_before(text, cursor)
    if token is None:
        return tuple(_fields("", cursor, cursor))[:_LIMIT]
    if token.kind is TokenKind.FIELD and cursor >= token.value_position:
        return tuple(_values(text, cursor, token, vocabulary))[:_LIMIT]
    if token.kind in {TokenKind.OPEN, TokenKind.CLOSE, TokenKind.NOT}:
        return tuple(_fields("", cursor, cursor))[:_LIMIT]
    if token.kind is TokenKind.SAVED:
        return tuple(_saved_filters(text[token.position + 1 : cursor].lower(), token, saved))[:_LIMIT]
    if token.is_quoted:
        return ()
    return tuple(_fields(text[token.position : cursor].lower(), token.position, token.end))[:_LIMIT]


def _token_before(text: str, cursor: int) -> Token | None:
    """Return the token that ends at the cursor or goes over it."""
    for token in tokenize(text):
        if token.position < cursor <= token.end:
            return token
    return None


def _fields(beginning: str, start: int, end: int) -> Iterator[Suggestion]:
    names = [field for field in FIELDS if field.name.startswith(beginning)]
    for field in names:
        yield Suggestion(f"{field.name}:", start, end, field.meaning)


def _saved_filters(beginning: str, token: Token, saved: Mapping[str, str]) -> Iterator[Suggestion]:
    for name, line in sorted(saved.items()):
        if name.startswith(beginning):
            yield Suggestion(f"@{name}", token.position, token.end, line)


def _values(text: str, cursor: int, token: Token, vocabulary: Vocabulary | None) -> Iterator[Suggestion]:
    field = FIELD_BY_NAME.get(token.name)
    if field is None:
        return
    comma = text.rfind(",", token.value_position, cursor) if not token.is_quoted else -1
    start = comma + 1 if comma >= 0 else token.value_position
    typed = text[start:cursor].lstrip('"=').lower()
    for word, meaning in _words(field, typed, vocabulary):
        yield Suggestion(word, start, token.end, meaning)


def _words(field: Field, typed: str, vocabulary: Vocabulary | None) -> Iterable[tuple[str, str]]:
    if field.kind is Kind.CHOICE:
        return [(word, value) for word, value in field.choices if word.startswith(typed)]
    if field.kind is Kind.FLAG:
        return [(word, field.meaning) for word in ("yes", "no") if word.startswith(typed)]
    if field.kind is Kind.TIME:
        return [(word, meaning) for word, meaning in _TIMES if word.startswith(typed)]
    if field.kind in NUMERIC:
        example = field.example.partition(":")[2]
        return [(example, field.meaning)] if example.startswith(typed) else []
    if vocabulary is None:
        return []
    return [(_quote(word), field.meaning) for word in vocabulary.words(field.name, typed, _LIMIT)]


_TIMES = (
    ("15m", "the last quarter of an hour"),
    ("1h", "the last hour"),
    ("today", "from midnight"),
    ("yesterday", "from yesterday's midnight"),
    ("24h", "the last day"),
    ("7d", "the last week"),
    ("30d", "the last thirty days"),
)


def _quote(word: str) -> str:
    is_plain = word and not any(character.isspace() or character in '()",' for character in word) and word[0] not in "=<>"
    if is_plain and word.lower() != "none":
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
