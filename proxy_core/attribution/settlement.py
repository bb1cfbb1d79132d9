"""Settlement: a layout and its anchors become whole tokens for every stretch, summing to the bill between any two anchors.

Where a bill holds more than the visible content can explain, the rest becomes an overhead of its own, never a markup on a
user's sources.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from proxy_core.attribution.anchors import Anchor
from proxy_core.attribution.calibration import Piece, calibrate, spread_of
from proxy_core.attribution.layout import Item, Layout
from proxy_core.attribution.model import Grade, Part, Source, SourceType
from proxy_core.attribution.overheads import HIDDEN

SURPRISE = 3.0
"""Standard errors beyond which a surplus is no error of counting."""
SURPRISE_SHARE = 0.05
SURPRISE_TOKENS = 25
MAX_TOKENIZER_ERROR = 0.4
"""No known tokenizer is further off than this for whole prompts; what is missing beyond it was never there."""
MAX_TOKENIZER_FACTOR = 1.0
"""A surplus larger than this many times the text is no tokenizer's."""
CERTAIN_VARIANCE = 1.5
"""Tokens squared: neighbours as sure as this leave a single unsure piece no freedom."""


@dataclass(frozen=True, slots=True)
class SettledItem:
    """One stretch with its final size."""

    item: Item
    tokens: int
    grade: Grade
    variance: float
    """What is left of its own error, tokens squared."""


def settle(layout: Layout, anchors: Sequence[Anchor], tokenizer_error: float, *, hidden_limit: float) -> list[SettledItem]:
    """Fit every stretch between its anchors.

    Args:
        layout: The request.
        anchors: Consistent, in order. Behind the last one (when nothing is billed yet) estimates stay estimates.
        tokenizer_error: Relative error that all texts share.
        hidden_limit: Tokens of a surprising surplus that may be something hidden; a larger one is the tokenizer's.
    """
    settled: list[SettledItem] = []
    left = Anchor(0, 0)
    for right in anchors:
        items = list(layout.items[left.boundary : right.boundary])
        settled += _settle_interval(items, right.tokens - left.tokens, tokenizer_error, hidden_limit=hidden_limit)
        left = right
    settled += [_unsettled(item) for item in layout.items[left.boundary :]]
    return settled


def _settle_interval(items: list[Item], target: int, tokenizer_error: float, *, hidden_limit: float) -> Iterator[SettledItem]:
    pieces = [item.piece for item in items]
    surprise = surprising_rest(pieces, target, tokenizer_error)
    text = sum(piece.estimate for piece in pieces if piece.is_text)
    if 0 < surprise <= hidden_limit or surprise > MAX_TOKENIZER_FACTOR * text:
        items = [hidden_item(surprise**2), *items]
        pieces = [item.piece for item in items]
    elif surprise:
        tokenizer_error = max(tokenizer_error, min(MAX_TOKENIZER_ERROR, abs(surprise) / (text or 1.0)))
    tokens = calibrate(pieces, target, tokenizer_error)
    if tokens is None:
        items = [hidden_item(1.0), *items]
        pieces = [item.piece for item in items]
        tokens = [target] + [0] * (len(items) - 1)
    spread = spread_of(pieces, tokenizer_error) ** 2
    for item, size in zip(items, tokens, strict=True):
        variance = item.piece.variance
        left = variance * (1 - variance / spread) if spread > 0 else 0.0
        yield SettledItem(item, size, _grade(item, variance, spread), left)


def surprising_rest(pieces: Sequence[Piece], target: int, tokenizer_error: float) -> float:
    """Return what a bill holds beyond the expected, when that is too much for an error of counting; else 0.

    Too much is something hidden. Too little can only be a tokenizer that counts less than ours.
    """
    expected = sum(piece.estimate for piece in pieces)
    rest = target - expected
    limit = SURPRISE * spread_of(pieces, tokenizer_error) + SURPRISE_SHARE * expected + SURPRISE_TOKENS
    return rest if abs(rest) > limit else 0.0


def hidden_item(variance: float) -> Item:
    """Make a stretch that nobody can see."""
    return Item(Source(SourceType.OVERHEAD, HIDDEN), Part.OVERHEAD, None, Piece(0.0, variance), is_opaque=True)


def _grade(item: Item, variance: float, whole_variance: float) -> Grade:
    if item.is_opaque:
        return Grade.OPAQUE
    if whole_variance - variance <= CERTAIN_VARIANCE:
        return Grade.EXACT
    return Grade.ESTIMATED if item.is_rough else Grade.BOUNDED


def _unsettled(item: Item) -> SettledItem:
    grade = Grade.OPAQUE if item.is_opaque else Grade.ESTIMATED
    return SettledItem(item, round(item.piece.estimate), grade, item.piece.variance)


def as_estimate(settled: SettledItem) -> SettledItem:
    """Mark a fitted stretch as an estimate, when what it was fitted to was no bill."""
    return settled if settled.grade is Grade.OPAQUE else replace(settled, grade=Grade.ESTIMATED)
