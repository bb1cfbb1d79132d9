"""Cuts a body like the one before in its conversation: what both have in common is neither read nor hashed again.

A request of a long conversation is the one before it, but for the few places where something came in, or a cache breakpoint
moved on. From the places where the two agree only the gaps between are cut anew. It only saves work: whatever is taken
over, the bytes are compared first, and the runs of a cut always give the body.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from storage.cutting import (
    CHUNK_BYTES,
    SHORTEST_PIECE_BYTES,
    Inserts,
    Run,
    cut_element,
    cut_plainly,
    find_elements,
    restore,
)
from storage.pieces import hash_piece

_WORTH_BYTES = 8 * 1024
"""Shorter bodies are cut as if there had been none before."""
_LONGEST_BYTES = 4 * 1024 * 1024
"""Longer ones are not remembered."""
_REMEMBERED = 8
_REMEMBERED_BYTES = 8 * 1024 * 1024
_LEAST_COMMON_BYTES = 256
"""With less in common at the beginning, two bodies are of different conversations."""
_MOST_GAPS = 8
_TRIED_ANCHORS = 6
_LONGEST_GAP_BYTES = 128 * 1024
_ANCHOR_BYTES = 48
_STEP_BYTES = 4096
_FILLER = b"null"


class Part(NamedTuple):
    """A run of a body, named by its hash."""

    content: bytes
    """Without the inserts."""
    size: int
    """With them."""
    key: bytes | None = None
    """`None`: too short to be a piece of its own."""
    inserts: Inserts = ()
    list_name: str | None = None
    """The list of which an element ends with it; `None`: it stands between elements, or is the beginning of a long one."""


class Cut(NamedTuple):
    """A body and its parts."""

    body: bytes
    parts: Sequence[Part]
    ends: Sequence[int]
    """Where in the body each part ends."""


class Cutter:
    """Cuts bodies, and remembers a few to compare others with. For one thread."""

    def __init__(self) -> None:
        self._cuts: deque[Cut] = deque()

    def cut(self, body: bytes) -> Sequence[Part]:
        """Cut a body; joining its parts gives the same bytes."""
        if len(body) < _WORTH_BYTES:
            return list(_cut_whole(body))
        earlier, common = self._find(body)
        parts = None if earlier is None else _cut_like(body, earlier, common)
        cut = _measured(body, list(_cut_whole(body)) if parts is None else parts)
        if parts is not None and earlier is not None:
            self._cuts.remove(earlier)
        self._remember(cut)
        return cut.parts

    def _find(self, body: bytes) -> tuple[Cut | None, int]:
        """Find the body that begins most like this one, and how many bytes they have in common there."""
        best, most = None, _LEAST_COMMON_BYTES - 1
        for cut in self._cuts:
            common = _common(cut.body, 0, body, 0)
            if common > most:
                best, most = cut, common
        return best, most

    def _remember(self, cut: Cut) -> None:
        if len(cut.body) > _LONGEST_BYTES or not any(part.list_name for part in cut.parts):
            return
        self._cuts.append(cut)
        while len(self._cuts) > _REMEMBERED or sum(len(each.body) for each in self._cuts) > _REMEMBERED_BYTES:
            self._cuts.popleft()


def join_parts(parts: Iterable[Part]) -> bytes:
    """Put a body together again."""
    return b"".join(piece for part in parts for piece in restore(part.content, part.inserts))


def name_run(run: Run, list_name: str | None = None) -> Part:
    """Make a part of a run; a short one is kept as the bytes it was."""
    content, inserts = run
    if len(content) >= SHORTEST_PIECE_BYTES:
        size = len(content) + sum(len(insert) for _, insert in inserts) if inserts else len(content)
        return Part(content, size, hash_piece(content), inserts, list_name)
    whole = b"".join(restore(content, inserts)) if inserts else content
    return Part(whole, len(whole), None, (), list_name)


def _cut_whole(body: bytes) -> Iterator[Part]:
    return _cut_elements(body, find_elements(body) or (), 0, len(body))


def _cut_elements(body: bytes, spans: Iterable[tuple[int, int, str]], position: int, end: int) -> Iterator[Part]:
    """Cut a stretch of a body where its elements begin and end."""
    for start, stop, name in spans:
        yield from map(name_run, cut_plainly(body[position:start]))
        *beginning, last = cut_element(body[start:stop])
        yield from map(name_run, beginning)
        yield name_run(last, name)
        position = stop
    yield from map(name_run, cut_plainly(body[position:end]))


def _measured(body: bytes, parts: Sequence[Part]) -> Cut:
    return Cut(body, parts, list(accumulate([part.size for part in parts])))


def _cut_like(body: bytes, earlier: Cut, common: int) -> list[Part] | None:
    """Take over what stands in both and cut the gaps; `None`: that does not work out."""
    index = _last_element(earlier, 0, bisect_right(earlier.ends, common))
    if index == 0:
        return None
    parts = list(earlier.parts[:index])
    position, list_name = earlier.ends[index - 1], parts[-1].list_name
    for _ in range(_MOST_GAPS):
        anchor, start = _find_anchor(body, position, earlier, index)
        gap = _cut_gap(body, position, start, list_name, is_last=anchor is None)
        if gap is None:
            return None
        parts += gap
        if anchor is None:
            return parts
        index, position = _follow(body, start, earlier, anchor)
        parts += earlier.parts[anchor:index]
        list_name = parts[-1].list_name
    return None


def _last_element(earlier: Cut, first: int, end: int) -> int:
    """Step back from `end` to where an element ends, but not before `first`."""
    while end > first and earlier.parts[end - 1].list_name is None:
        end -= 1
    return end


def _find_anchor(body: bytes, position: int, earlier: Cut, index: int) -> tuple[int | None, int]:
    """Find one of the next elements further on in the body: (its index, where it begins); `None`: none, the body's end."""
    tried = 0
    for number in range(index, len(earlier.parts)):
        if earlier.parts[number].key is None or earlier.parts[number].list_name is None:
            continue
        element = earlier.body[earlier.ends[number - 1] : earlier.ends[number]]
        middle = len(element) // 2
        found = body.find(element[middle : middle + _ANCHOR_BYTES], position + middle, position + middle + _LONGEST_GAP_BYTES)
        if found >= 0 and body.startswith(element, found - middle):
            return number, found - middle
        tried += 1
        if tried == _TRIED_ANCHORS:
            break
    return None, len(body)


def _follow(body: bytes, start: int, earlier: Cut, anchor: int) -> tuple[int, int]:
    """Go on from an anchor while both agree, to the end of an element: (index of the part after it, where it ends)."""
    begun = earlier.ends[anchor - 1]
    common = _common(earlier.body, begun, body, start)
    index = _last_element(earlier, anchor + 1, bisect_right(earlier.ends, begun + common))
    return index, start + earlier.ends[index - 1] - begun


def _cut_gap(body: bytes, start: int, end: int, list_name: str | None, *, is_last: bool) -> list[Part] | None:
    """Cut what stands between two elements, of which the first is in this list; `None`: it cannot be read so."""
    gap = body[start:end]
    if len(gap) < SHORTEST_PIECE_BYTES:
        return [name_run(run) for run in cut_plainly(gap)]
    before = b'{"%s":[%s' % ((list_name or "").encode(), _FILLER)
    spans = find_elements(before + gap + (b"" if is_last else _FILLER + b"]}"))
    if spans is None:
        return None
    shift = start - len(before)
    moved = ((first + shift, last + shift, name) for first, last, name in spans)
    return list(_cut_elements(body, [span for span in moved if start <= span[0] and span[1] <= end], start, end))


def _common(one: bytes, start: int, other: bytes, begin: int) -> int:
    """Count the bytes that are the same from these positions on."""
    length = min(len(one) - start, len(other) - begin)
    same, step = 0, _STEP_BYTES
    while same < length and other.startswith(one[start + same : start + same + step], begin + same):
        same += step
        step = min(2 * step, CHUNK_BYTES)
    if same >= length:
        return length
    step = min(step, length - same)
    while step > 1:
        half = step // 2
        if other.startswith(one[start + same : start + same + half], begin + same):
            same, step = same + half, step - half
        else:
            step = half
    return same + (one[start + same : start + same + 1] == other[begin + same : begin + same + 1])
