"""What one request is made of, summed up for the breakdown: sources, and the segments of each.

Pure, from `ExchangeDetail` alone. Every ledger line ends up in exactly one source, so that the sums stay those of the bill.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from proxy_core.attribution.model import Grade, Ledger, LedgerLine, Part, Segment, Source, Zone
from storage.views import ExchangeDetail

_GRADES: Final = (Grade.EXACT, Grade.BOUNDED, Grade.ESTIMATED, Grade.OPAQUE)
"""Surest first."""

INPUT_ZONES: Final = (Zone.CACHE_READ, Zone.CACHE_WRITE_1H, Zone.CACHE_WRITE_5M, Zone.FRESH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """An amount of a request, however it was gathered."""

    tokens: int
    cost_nano_usd: int | None
    """`None`: no price known."""
    grade: Grade
    """The least sure of what it is made of."""
    zones: tuple[tuple[Zone, int], ...]
    """Tokens by zone, most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentShare:
    """One segment (or an overhead without text) of a source."""

    segment: Segment | None
    """`None` for overheads and output."""
    index: int | None
    """Place among the segments of the request; `None` for overheads and output."""
    part: Part
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """One source of a request."""

    source: Source
    share: Share
    segments: tuple[SegmentShare, ...]
    """In wire order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A whole request."""

    sources: tuple[SourceShare, ...]
    """Input, largest first."""
    outputs: tuple[SourceShare, ...]
    """What the answer was billed as."""
    input_tokens: int
    is_settled: bool
    """False: the figures are estimates, the bill has not come (or never will)."""


def compose(detail: ExchangeDetail) -> Composition | None:
    """Sum up a request; `None` where it has no ledger."""
    ledger = detail.ledger
    if ledger is None:
        return None
    sources = _by_source((line for line in ledger.lines if line.zone is not Zone.OUTPUT), detail.segments, ledger)
    outputs = _by_source((line for line in ledger.lines if line.zone is Zone.OUTPUT), detail.segments, ledger)
    return Composition(sources=sources, outputs=outputs, input_tokens=ledger.total_input_tokens, is_settled=ledger.is_settled)


def gather(lines: Sequence[LedgerLine], *, is_settled: bool = True) -> Share:
    """Add up ledger lines.

    Args:
        lines: At least one.
        is_settled: False makes every figure an estimate, whatever its own grade says.
    """
    zones: dict[Zone, int] = {}
    for line in lines:
        zones[line.zone] = zones.get(line.zone, 0) + line.tokens
    costs = [line.cost_nano_usd for line in lines if line.cost_nano_usd is not None]
    grade = max((line.grade for line in lines), key=_GRADES.index)
    return Share(
        tokens=sum(line.tokens for line in lines),
        cost_nano_usd=sum(costs) if costs else None,
        grade=grade if is_settled else max(grade, Grade.ESTIMATED, key=_GRADES.index),
        zones=tuple(sorted(zones.items(), key=lambda item: -item[1])),
    )


def is_guess(grade: Grade) -> bool:
    """Say whether a figure of this grade is to be marked by a `~`."""
    return grade in {Grade.ESTIMATED, Grade.OPAQUE}


def _by_source(lines: Iterable[LedgerLine], segments: Sequence[Segment], ledger: Ledger) -> tuple[SourceShare, ...]:
    grouped: dict[Source, list[LedgerLine]] = {}
    for line in lines:
        grouped.setdefault(line.source, []).append(line)
    shares = [
        SourceShare(
            source=source,
            share=gather(own, is_settled=ledger.is_settled),
            segments=_by_segment(own, segments, ledger),
        )
        for source, own in grouped.items()
    ]
    return tuple(
        sorted(shares, key=lambda share: (-share.share.tokens, share.source.source_type, share.source.source_name or ""))
    )


def _by_segment(lines: Sequence[LedgerLine], segments: Sequence[Segment], ledger: Ledger) -> tuple[SegmentShare, ...]:
    grouped: dict[tuple[int | None, Part], list[LedgerLine]] = {}
    for line in lines:
        grouped.setdefault((line.segment_index, line.part), []).append(line)
    return tuple(
        SegmentShare(
            segment=segments[index] if index is not None and index < len(segments) else None,
            index=index,
            part=part,
            share=gather(own, is_settled=ledger.is_settled),
        )
        for (index, part), own in sorted(grouped.items(), key=lambda item: (item[0][0] is None, item[0][0] or 0, item[0][1]))
    )
