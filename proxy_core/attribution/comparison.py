"""What changed between two requests of one conversation, segment by segment.

Pure: works on segments alone, decides nothing about money (`cache_breaks.py` does).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from proxy_core.attribution.model import Part, Region, Segment, Source


class Change(StrEnum):
    """What became of a segment."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    EDITED = "edited"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """One segment's fate from one request to the next."""

    change: Change
    before_index: int | None
    """Index into the earlier request's segments; `None` for what was added."""
    after_index: int | None
    """Index into the later request's segments; `None` for what was removed."""


type _Identity = tuple[str, Source, Part, Region]
type _Place = tuple[Source, Part, Region]


def compare_segments(before: Sequence[Segment], after: Sequence[Segment]) -> tuple[SegmentChange, ...]:
    """List the fate of every segment of both requests, in the order of the later one.

    A removed segment stands where it would have stood. Moved means: the same content of the same
    source at another place; edited: the same source and part at the same place with other content.
    """
    head = _common_prefix(before, after)
    tail = _common_suffix(before[head:], after[head:])
    changes = [SegmentChange(Change.SAME, index, index) for index in range(head)]
    changes += _compare_middle(before, after, head, tail)
    shift = len(after) - len(before)
    changes += [SegmentChange(Change.SAME, i, i + shift) for i in range(len(before) - tail, len(before))]
    return tuple(_pair_moves(changes, before, after))


def first_difference(before: Sequence[Segment], after: Sequence[Segment]) -> int:
    """Return the index of the first segment in which the two differ; the shorter length when one is the other's prefix."""
    return _common_prefix(before, after)


def _identity(segment: Segment) -> _Identity:
    return (segment.content_hash, segment.source, segment.part, segment.region)


def _place(segment: Segment) -> _Place:
    return (segment.source, segment.part, segment.region)


def _common_prefix(before: Sequence[Segment], after: Sequence[Segment]) -> int:
    limit = min(len(before), len(after))
    return next((i for i in range(limit) if _identity(before[i]) != _identity(after[i])), limit)


def _common_suffix(before: Sequence[Segment], after: Sequence[Segment]) -> int:
    return _common_prefix(before[::-1], after[::-1])


def _compare_middle(before: Sequence[Segment], after: Sequence[Segment], head: int, tail: int) -> list[SegmentChange]:
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    matcher = SequenceMatcher(None, [_identity(s) for s in old], [_identity(s) for s in new], autojunk=False)
    changes: list[SegmentChange] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            changes += [
                SegmentChange(Change.SAME, head + i, head + j) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
            ]
        else:
            changes += _pair_edits(before, after, range(head + i1, head + i2), range(head + j1, head + j2))
    return changes


def _pair_edits(before: Sequence[Segment], after: Sequence[Segment], old: range, new: range) -> list[SegmentChange]:
    """Pair what was taken out with what was put in at the same spot, by source and part, in order."""
    waiting: dict[_Place, list[int]] = defaultdict(list)
    for index in reversed(old):
        waiting[_place(before[index])].append(index)
    changes: list[SegmentChange] = []
    for index in new:
        candidates = waiting[_place(after[index])]
        if candidates:
            changes.append(SegmentChange(Change.EDITED, candidates.pop(), index))
        else:
            changes.append(SegmentChange(Change.ADDED, None, index))
    left = sorted(index for indices in waiting.values() for index in indices)
    return [SegmentChange(Change.REMOVED, index, None) for index in left] + changes


def _pair_moves(changes: Sequence[SegmentChange], before: Sequence[Segment], after: Sequence[Segment]) -> list[SegmentChange]:
    """Turn a removal and an addition of the same content into one move."""
    gone: dict[_Identity, list[int]] = defaultdict(list)
    for change in changes:
        if change.change is Change.REMOVED and change.before_index is not None:
            gone[_identity(before[change.before_index])].append(change.before_index)
    moved: set[int] = set()
    paired: list[SegmentChange] = []
    for change in changes:
        candidates = gone[_identity(after[change.after_index])] if change.after_index is not None else []
        if change.change is Change.ADDED and candidates:
            source_index = candidates.pop(0)
            moved.add(source_index)
            paired.append(SegmentChange(Change.MOVED, source_index, change.after_index))
        else:
            paired.append(change)
    return [c for c in paired if c.change is not Change.REMOVED or c.before_index not in moved]
