"""A JSON document as a foldable list of lines. Pure; only what is unfolded is ever walked."""

import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

type Path = tuple[str | int, ...]
"""Keys and indices from the root."""

_PREVIEW_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One line of the tree."""

    path: Path
    label: str
    """Key or index; empty for the root."""
    text: str
    """The value of a leaf, or what a branch holds."""
    kind: str
    """`object`, `array`, `string`, `number`, `literal`."""
    is_branch: bool
    is_unfolded: bool

    @property
    def depth(self) -> int:
        """How far it is indented."""
        return len(self.path)


def first_unfolded(document: Any) -> set[Path]:
    """Return what is unfolded at first: the root, and what is small below it."""
    unfolded: set[Path] = {()}
    for path, child in _children((), document):
        if isinstance(child, dict) and 0 < len(child) <= 16:
            unfolded.add(path)
    return unfolded


def flatten(document: Any, unfolded: AbstractSet[Path]) -> list[JsonRow]:
    """List the lines in sight."""
    rows: list[JsonRow] = []
    _walk((), document, unfolded, rows)
    return rows


def pointer(path: Path) -> str:
    """Write a path as an RFC 6901 JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def value_at(document: Any, path: Sequence[str | int]) -> Any:
    """Return the value at a path that `flatten` gave."""
    for step in path:
        document = document[step]
    return document


def branches(document: Any) -> set[Path]:
    """Return every branch; bounded, so that a hostile document cannot hold the screen up."""
    found: set[Path] = set()
    waiting: list[tuple[Path, Any]] = [((), document)]
    while waiting and len(found) < 2_000:
        path, value = waiting.pop()
        if isinstance(value, (dict, list)) and value:
            found.add(path)
            waiting.extend(_children(path, value))
    return found


def _walk(path: Path, value: Any, unfolded: AbstractSet[Path], rows: list[JsonRow]) -> None:
    waiting: list[tuple[Path, Any]] = [(path, value)]
    while waiting:
        place, current = waiting.pop()
        is_branch = isinstance(current, (dict, list)) and bool(current)
        is_unfolded = is_branch and place in unfolded
        label = str(place[-1]) if place else ""
        rows.append(JsonRow(place, label, _text(current), _kind(current), is_branch, is_unfolded))
        if is_unfolded:
            waiting.extend(reversed(list(_children(place, current))))


def _children(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key), child
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield (*path, index), child


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, str):
        return "string"
    return "literal" if value is None or isinstance(value, bool) else "number"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{len(value)}}}  {_hint(value)}" if value else "{}"
    if isinstance(value, list):
        return f"[{len(value)}]" if value else "[]"
    if isinstance(value, str):
        return json.dumps(value[:_PREVIEW_CHARS], ensure_ascii=False)
    return json.dumps(value)


def _hint(value: dict[str, Any]) -> str:
    """Name an object by what tells its kind."""
    parts = [str(value[key])[:40] for key in ("type", "role", "name") if isinstance(value.get(key), str)]
    return " ".join(parts)
