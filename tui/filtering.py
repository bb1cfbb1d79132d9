"""How keys and the filter line make one filter: words in, the language of `storage.filters` out. Pure."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from proxy_core.attribution.model import SourceType
from storage.filters.fields import KIND_WORDS
from storage.filters.parsing import parse
from storage.filters.tokens import Token, TokenKind, tokenize
from storage.filters.tree import Filter, FilterError
from tui.ranges import PERIODS, Period

_ERRORS: Final = "error:yes"
_NONE_SAVED: Final[Mapping[str, str]] = {}
_WORDS: Final = {SourceType(value): word for word, value in KIND_WORDS}


def kind_term(kinds: AbstractSet[SourceType]) -> str:
    """Write the term that lets pass what holds any of these kinds; empty for none."""
    words = [word for kind, word in _WORDS.items() if kind in kinds]
    return f"kind:{','.join(words)}" if words else ""


def combined_filter(text: str, kinds: AbstractSet[SourceType], saved: Mapping[str, str] = _NONE_SAVED) -> Filter:
    """Join the filter line and the kinds switched on; a line that is not understood counts as empty.

    Args:
        text: The filter line.
        kinds: Kinds switched on.
        saved: The lines of the saved filters by name.
    """
    term = kind_term(kinds)
    text = text.strip()
    line = f"({text}) {term}" if text and term else text or term
    understood = parse(line, saved)
    return Filter("") if isinstance(understood, FilterError) else understood


def toggle_errors(text: str) -> str:
    """Add the term for failed requests, or take it out."""
    found = [token for token in _outer_terms(text) if text[token.position : token.end].lower() == _ERRORS]
    return _without(text, found) if found else _narrowed(text, _ERRORS)


def cycle_range(text: str) -> tuple[str, Period]:
    """Narrow a line to the last hour, then day, week, month, then to no time; returns what it is narrowed to, too."""
    found = [token for token in _outer_terms(text) if token.name == "since"]
    terms = [period.filter_term for period in PERIODS]
    present = text[found[0].position : found[0].end].lower() if found else ""
    period = PERIODS[(terms.index(present) + 1) % len(PERIODS)] if present in terms else PERIODS[0]
    return _narrowed(_without(text, found), period.filter_term), period


def _outer_terms(text: str) -> list[Token]:
    """Return the terms that hold for the whole line: in no brackets, not negated, in no `or`."""
    outer = _outer_tokens(text)
    if any(token.kind is TokenKind.OR for token in outer):
        return []
    before = [None, *(token.kind for token in outer)]
    return [t for t, kind in zip(outer, before, strict=False) if t.kind is TokenKind.FIELD and kind is not TokenKind.NOT]


def _outer_tokens(text: str) -> list[Token]:
    depth, found = 0, []
    for token in tokenize(text):
        depth -= token.kind is TokenKind.CLOSE
        if depth == 0:
            found.append(token)
        depth += token.kind is TokenKind.OPEN
    return found


def _without(text: str, tokens: Sequence[Token]) -> str:
    for token in reversed(tokens):
        text = f"{text[: token.position].rstrip()} {text[token.end :].lstrip()}"
    return text.strip()


def _narrowed(text: str, term: str) -> str:
    """Join a term to a line: an `or` in the line must not swallow it."""
    text = text.strip()
    has_or = any(token.kind is TokenKind.OR for token in _outer_tokens(text))
    return f"{f'({text})' if has_or and term else text} {term}".strip()


def source_filter(kind: SourceType, name: str | None) -> str:
    """Write the filter for the requests of one source."""
    if name is None:
        return f"kind:{_WORDS[kind]}"
    return f"kind:{_WORDS[kind]} source:={quote(name)}"


def session_filter(session_id: str) -> str:
    """Write the filter for the requests of one session."""
    return f"session:={quote(session_id)}"


def quote(value: str) -> str:
    """Quote a value where the language wants that."""
    if re.fullmatch(r"[\w./@+-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
