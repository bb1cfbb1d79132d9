"""How keys and the filter line make one filter: words in, the language of `storage.filters` out. Pure."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from proxy_core.attribution.model import SourceType
from storage.filters.fields import KIND_WORDS
from storage.filters.parsing import parse
from storage.filters.tree import Filter, FilterError

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
    words = text.split()
    if _ERRORS in words:
        return " ".join(word for word in words if word != _ERRORS)
    return f"{text.strip()} {_ERRORS}".strip()


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
