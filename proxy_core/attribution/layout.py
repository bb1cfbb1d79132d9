"""Layout: the prompt as the API renders it, in order: segments, and between them what is added without being shown.

Tools come first, then system, then settings that are rendered, then messages with their frames. Sizes are expectations; no bill
is looked at here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.estimates import NOTHING, Estimate
from proxy_core.attribution.model import ContentKind, Part, Region, Segment, Source, SourceType
from proxy_core.attribution.overhead_priors import CALL_FRAME, FIRST_FRAME, IMAGE_FRAME, NEXT_FRAME, RESULT_FRAME
from proxy_core.attribution.overheads import HIDDEN, Overhead
from proxy_core.attribution.tokens.rendering import is_rendered

REGION_ORDER = {Region.TOOLS: 0, Region.SYSTEM: 1, Region.SETTINGS: 2, Region.MESSAGES: 3}
HIDDEN_PIECE = Piece(0.0, 15.0**2)
"""Something unseen may always be there; usually it is not."""
MESSAGE_FRAMES = "message frames"
CALL_FRAMES = "tool call frames"
RESULT_FRAMES = "tool result frames"
IMAGE_FRAMES = "image frames"


@dataclass(frozen=True, slots=True)
class Item:
    """One stretch of the rendered prompt."""

    source: Source
    part: Part
    segment_index: int | None
    piece: Piece
    is_rough: bool = False
    is_opaque: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The stretches in order, and the places that bills can pin down."""

    items: tuple[Item, ...]
    message_ends: dict[int, int]
    """Message index -> number of items up to and with its last."""
    marks: tuple[tuple[int, str], ...]
    """(number of items up to and with it, lifetime) of every cache breakpoint, in order."""
    message_starts: dict[int, int]
    """Message index -> number of items before its first."""


class _Builder:
    """Puts the items down one after another."""

    def __init__(self, family: str, overheads: Sequence[Overhead]) -> None:
        self.items: list[Item] = []
        self.marks: list[tuple[int, str]] = []
        self.starts: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        self._family = family
        self._late = [overhead for overhead in overheads if not overhead.at_start]
        self._blocks: set[str] = set()
        self._message: int | None = None
        for overhead in overheads:
            if overhead.at_start:
                self._add_overhead(overhead)
        self._frame(HIDDEN, HIDDEN_PIECE, is_opaque=True)

    def add(self, index: int, segment: Segment, estimate: Estimate) -> None:
        if segment.region is Region.MESSAGES and segment.message_index != self._message:
            self._begin_message(segment.message_index)
        if segment.region is Region.MESSAGES and is_rendered(segment):
            self._frame_block(segment)
        self.items.append(
            Item(segment.source, segment.part, index, estimate.piece, estimate.is_rough, estimate.is_opaque),
        )
        if segment.cache_ttl is not None:
            self.marks.append((len(self.items), segment.cache_ttl))
        if self._message is not None:
            self.ends[self._message] = len(self.items)

    def finish(self) -> Layout:
        if self._message is None:
            self._begin_message(None)
        return Layout(items=tuple(self.items), message_ends=self.ends, marks=tuple(self.marks), message_starts=self.starts)

    def _begin_message(self, message_index: int | None) -> None:
        is_first = self._message is None
        if is_first:
            for overhead in self._late:
                self._add_overhead(overhead)
            self._late = []
        self._message = -1 if message_index is None else message_index
        self.starts[self._message] = len(self.items)
        tokens = FIRST_FRAME[self._family] if is_first else NEXT_FRAME[self._family]
        self._frame(MESSAGE_FRAMES, Piece(float(tokens), 0.25))

    def _frame_block(self, segment: Segment) -> None:
        name, tokens, variance = self._block_frame(segment)
        if not name:
            return
        block = "/".join(segment.pointer.split("/", 5)[:5])
        if block not in self._blocks or segment.content_kind is ContentKind.IMAGE:
            self._blocks.add(block)
            self._frame(name, Piece(float(tokens), variance))

    def _block_frame(self, segment: Segment) -> tuple[str, int, float]:
        if segment.content_kind is ContentKind.IMAGE:
            return IMAGE_FRAMES, IMAGE_FRAME, 1.0
        if segment.part is Part.CALL:
            return CALL_FRAMES, CALL_FRAME[self._family], 12.0**2
        if segment.part is Part.RESULT:
            return RESULT_FRAMES, RESULT_FRAME[self._family], 4.0
        return "", 0, 0.0

    def _frame(self, name: str, piece: Piece, *, is_opaque: bool = False) -> None:
        source = Source(SourceType.OVERHEAD, name)
        self.items.append(Item(source, Part.OVERHEAD, None, piece, is_opaque=is_opaque))

    def _add_overhead(self, overhead: Overhead) -> None:
        self._frame(overhead.name, overhead.piece, is_opaque=overhead.is_opaque)


def lay_out(
    segments: Sequence[Segment], family: str, overheads: Sequence[Overhead], estimate: Callable[[int, Segment], Estimate]
) -> Layout:
    """Lay a request out.

    Args:
        segments: As the reading cut them.
        family: Tokenizer family, for the size of frames.
        overheads: What the API adds.
        estimate: Size of a segment, by its index.
    """
    builder = _Builder(family, overheads)
    for index in sorted(range(len(segments)), key=lambda index: REGION_ORDER[segments[index].region]):
        builder.add(index, segments[index], estimate(index, segments[index]))
    return builder.finish()


def without_cleared(layout: Layout, cleared_tokens: int) -> Layout:
    """Empty the oldest tool results and thinking that context editing took out of the prompt."""
    items = list(layout.items)
    left = float(cleared_tokens)
    for index, item in enumerate(items):
        if left < 1:
            break
        if item.segment_index is not None and item.part in (Part.RESULT, Part.THINKING) and item.piece.estimate > 0:
            left -= item.piece.estimate
            items[index] = replace(item, piece=NOTHING.piece, is_rough=True)
    return replace(layout, items=tuple(items))
