"""Members of blocks: what is content, what is structure, what nobody knows. Nothing is dropped."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from proxy_core.attribution.cuts import UNATTRIBUTED, Cut, Pending
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.values import value_cuts
from proxy_core.dialects.wire_json import escape_token

_STRUCTURE = frozenset({"type", "cache_control"})
_SIDE_NOTES = frozenset({"citations", "transformations", "caller"})
"""Members that are on the wire but not in the prompt."""
_LONGEST_PLAIN = 300


class FoundBlock(NamedTuple):
    """A block, and where it was found."""

    block: dict[str, Any]
    pointer: str
    context: ElementContext
    holder: Source | Pending | None
    """Whose the block is when it stands inside another, else `None`."""
    inner: Callable[[Any, str, ElementContext, Source | Pending | None], Iterator[Cut]]
    """Cuts a block inside this one."""


def cache_ttl(holder: dict[str, Any]) -> str | None:
    """Return how long the cache mark on a block, tool or request asks for; `None` when there is none."""
    mark = holder.get("cache_control")
    if not isinstance(mark, dict):
        return None
    return "1h" if mark.get("ttl") == "1h" else "5m"


def other_members(
    block: dict[str, Any],
    pointer: str,
    covered: Collection[str],
    structure: frozenset[str] = frozenset(),
    source: Source | Pending | None = None,
) -> Iterator[Cut]:
    """Cut the members that a reader did not: side notes as such, anything else as unattributed.

    Args:
        block: The whole block.
        pointer: Where it stands.
        covered: Members already cut.
        structure: Members that are no content as long as they are plain values: ids, flags.
        source: Whose side notes are.
    """
    for key, value in block.items():
        if key in covered or value is None or ((key in _STRUCTURE or key in structure) and is_plain(value)):
            continue
        below = f"{pointer}/{escape_token(key)}"
        if key in _SIDE_NOTES:
            yield from value_cuts(below, value, source or UNATTRIBUTED, Part.TEXT, ContentKind.NOT_RENDERED)
        else:
            yield from value_cuts(below, value, Source(SourceType.UNATTRIBUTED, "unknown member"), Part.TEXT)


def is_plain(value: Any) -> bool:
    """Tell whether a value can be an id, a flag or a mark: short, and at most one level deep."""
    if isinstance(value, dict):
        return len(value) <= 8 and all(not isinstance(member, dict | list) and is_plain(member) for member in value.values())
    return not isinstance(value, list) and (not isinstance(value, str) or len(value) <= _LONGEST_PLAIN)


def member_cuts(
    block: dict[str, Any],
    pointer: str,
    source: Source | Pending,
    part: Part,
    kinds: dict[str, ContentKind],
    skip: frozenset[str] = frozenset(),
) -> Iterator[Cut]:
    """Cut the named members as the kinds say, then all others."""
    for key, kind in kinds.items():
        if block.get(key) is not None:
            yield from value_cuts(f"{pointer}/{key}", block[key], source, part, kind)
    yield from other_members(block, pointer, kinds, skip, source)


def string_in(block: dict[str, Any], key: str) -> str:
    """Return a member that is a string; empty when it is none."""
    value = block.get(key)
    return value if isinstance(value, str) else ""
