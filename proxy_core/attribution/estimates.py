"""Estimates: what every segment should cost before any bill is looked at, and how sure that is.

Text is counted (from the cache where it was counted before), images go by their formula, thinking by its reported figure, and
payloads by a guess with a wide error. Nothing base64 is ever given to a counter.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.content_classes import ContentClass, class_of_content
from proxy_core.attribution.context import AnalysisContext
from proxy_core.attribution.model import ContentKind, Part, Segment
from proxy_core.attribution.self_check import TokenizerState
from proxy_core.attribution.tokens.counting import TokenCount
from proxy_core.attribution.tokens.families import V3, claude_version
from proxy_core.attribution.tokens.images import image_tokens, tier_of
from proxy_core.attribution.tokens.rendering import is_counted, is_rendered, rendered_text

UNSEEN_IMAGE_TOKENS = 1300
UNSEEN_DOCUMENT_TOKENS = 3000
UNSEEN_THINKING_TOKENS = 400
"""First guesses for content whose size is not on the wire; their error is as large as they are."""
PDF_BYTES_PER_PAGE = 60_000
PDF_TOKENS_PER_PAGE = 2300
"""A page is 1,500..3,000 tokens of text and an image (Anthropic, "PDF support", 2026-08-21)."""
OPAQUE_BYTES_PER_TOKEN = 5
MAX_OPAQUE_TOKENS = 200_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one segment should cost."""

    piece: Piece
    is_rough: bool = False
    """Sampled, provisional or guessed: no count."""
    is_opaque: bool = False
    """Its content is not visible."""


NOTHING = Estimate(Piece(0.0, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Raw counts of texts by content hash."""

    final: Mapping[str, TokenCount]
    quick: Mapping[str, TokenCount]


def count_segments(segments: Iterable[Segment], family: str, context: AnalysisContext, *, patience_s: float) -> Counts:
    """Count the texts of segments: known ones from the cache, new ones by the counting service."""
    wanted = {segment.content_hash: segment for segment in segments if is_counted(segment)}
    known = dict(context.cached_counts(family, wanted.keys()))
    missing = {key: rendered_text(segment) for key, segment in wanted.items() if key not in known}
    if not missing:
        return Counts(final=known, quick={})
    counted = context.counting.count(family, missing, patience_s=patience_s)
    if counted.counts:
        context.keep_counts(family, counted.counts)
    return Counts(final=known | dict(counted.counts), quick=counted.quick)


class Estimator:
    """Estimates the segments of one request."""

    def __init__(self, *, model: str | None, tokenizer: TokenizerState, counts: Counts) -> None:
        self._tokenizer = tokenizer
        self._counts = counts
        self._ratios: Mapping[ContentClass, float] | None = tokenizer.ratios() if tokenizer.is_scaled else None
        self._image_tier = tier_of(claude_version(model) if model else None)

    def estimate(self, segment: Segment) -> Estimate:
        """Estimate a segment on its own; thinking is better known by `share_thinking`."""
        kind = segment.content_kind
        if not is_rendered(segment):
            return NOTHING
        if is_counted(segment):
            return self._counted(segment)
        if kind is ContentKind.IMAGE:
            return self._image(segment)
        if kind is ContentKind.THINKING or segment.part is Part.THINKING:
            return guess(UNSEEN_THINKING_TOKENS)
        if kind in (ContentKind.OPAQUE, ContentKind.DOCUMENT):
            return guess(_opaque_tokens(segment))
        return NOTHING

    def raw_count(self, segment: Segment) -> int | None:
        """Return the final count of a segment's text, before any ratio; `None` when there is none."""
        count = self._counts.final.get(segment.content_hash)
        return None if count is None or count.is_sampled else count.tokens

    def _counted(self, segment: Segment) -> Estimate:
        count = self._counts.final.get(segment.content_hash)
        is_rough = count is None or count.is_sampled
        count = count or self._counts.quick.get(segment.content_hash) or TokenCount(len(segment.text) // 4 + 1, is_sampled=True)
        tokens = float(count.tokens)
        if self._ratios is not None:
            tokens *= self._ratios[class_of_content(segment.content_hash, segment.text)]
        deviation = self._deviation(segment, tokens, is_rough=is_rough)
        return Estimate(Piece(tokens, deviation**2, is_text=True), is_rough=is_rough)

    def _deviation(self, segment: Segment, tokens: float, *, is_rough: bool) -> float:
        if is_rough:
            return 2 + 0.08 * tokens
        if self._ratios is not None:
            return 1 + 0.06 * tokens
        if segment.content_kind is ContentKind.TOOL_DEFINITION:
            return (3 if self._tokenizer.family == V3 else 6) + 0.01 * tokens
        return 1 + 0.03 * tokens if segment.content_kind is ContentKind.JSON else 0.4 + 0.0005 * tokens

    def _image(self, segment: Segment) -> Estimate:
        facts = segment.image
        if facts is None or facts.width_px is None or facts.height_px is None:
            return guess(UNSEEN_IMAGE_TOKENS)
        return Estimate(Piece(float(image_tokens(facts.width_px, facts.height_px, self._image_tier)), 1.0))


def guess(tokens: float) -> Estimate:
    """Estimate something that cannot be seen."""
    return Estimate(Piece(tokens, (0.8 * tokens) ** 2), is_rough=True, is_opaque=True)


def share_thinking(weights: Sequence[int], reported_tokens: int) -> list[Estimate]:
    """Share the reported thinking of one answer among its blocks, by their size on the wire."""
    whole = sum(weights) or 1
    shares = [reported_tokens * weight / whole for weight in weights]
    return [Estimate(Piece(share, (0.3 + 0.02 * share) ** 2)) for share in shares]


def _opaque_tokens(segment: Segment) -> float:
    if segment.content_kind is ContentKind.DOCUMENT or segment.part is Part.DOCUMENT:
        pages = segment.content_bytes / PDF_BYTES_PER_PAGE
        return max(UNSEEN_DOCUMENT_TOKENS, min(MAX_OPAQUE_TOKENS, pages * PDF_TOKENS_PER_PAGE))
    return min(MAX_OPAQUE_TOKENS, max(20.0, segment.content_bytes / OPAQUE_BYTES_PER_TOKEN))


def count_text(text: str, family: str, context: AnalysisContext, *, patience_s: float) -> int | None:
    """Count one text that is no segment; `None` when no exact count was to be had."""
    key = content_hash(text)
    known = context.cached_counts(family, (key,)).get(key)
    if known is None:
        counted = context.counting.count(family, {key: text}, patience_s=patience_s)
        context.keep_counts(family, counted.counts)
        known = counted.counts.get(key)
    return None if known is None or known.is_sampled else known.tokens


def content_hash(text: str) -> str:
    """Hash a text the way segments' contents are hashed."""
    return hashlib.blake2b(text.encode("utf-8", errors="surrogatepass"), digest_size=16).hexdigest()
