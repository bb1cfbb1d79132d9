"""Lines: settled stretches, loops and output become the lines of a ledger, cut at the borders of the billing zones.

A line is drafted without a price; pricing comes last, over all of them at once, so that the shares add up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from proxy_core.attribution.billing import BilledSampling
from proxy_core.attribution.cost import Cost, CostItem
from proxy_core.attribution.model import Grade, LedgerLine, Part, Source, SourceType, Usage, Zone
from proxy_core.attribution.output import OutputShare
from proxy_core.attribution.settlement import SettledItem
from proxy_core.attribution.zones import split_by_zone, zone_widths

WEB_SEARCH = Source(SourceType.TOOL, "web_search")
GRADE_ORDER = (Grade.EXACT, Grade.BOUNDED, Grade.ESTIMATED, Grade.OPAQUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """One line before it is priced."""

    source: Source
    part: Part
    segment_index: int | None
    zone: Zone
    tokens: int
    estimated_tokens: int
    grade: Grade
    sampling: int = 0
    searches: int = 0


def prompt_lines(settled: Sequence[SettledItem], usage: Usage | None) -> list[DraftLine]:
    """Cut the stretches of a prompt into lines; without a bill everything is fresh."""
    sizes = [item.tokens for item in settled]
    widths = [(Zone.FRESH, sum(sizes))] if usage is None else zone_widths(usage)
    drafts: list[DraftLine] = []
    seen: set[int] = set()
    for index, zone, tokens in split_by_zone(sizes, widths):
        stretch = settled[index]
        if not tokens and (stretch.item.segment_index is None or (index in seen)):
            continue
        estimate = 0 if index in seen else round(stretch.item.piece.estimate)
        seen.add(index)
        drafts.append(
            DraftLine(
                source=stretch.item.source,
                part=stretch.item.part,
                segment_index=stretch.item.segment_index,
                zone=zone,
                tokens=tokens,
                estimated_tokens=estimate,
                grade=stretch.grade,
            )
        )
    return _merge_frames(drafts)


def loop_lines(samplings: Sequence[BilledSampling]) -> list[DraftLine]:
    """Draft the input of samplings that read more than what the client sent."""
    return [
        _whole(Source(SourceType.OVERHEAD, sampling.extra_input), Part.OVERHEAD, zone, tokens, index)
        for index, sampling in enumerate(samplings)
        if sampling.extra_input is not None
        for zone, tokens in zone_widths(sampling.usage)
        if tokens
    ]


def output_lines(shares: Iterable[OutputShare], *, is_estimate: bool) -> list[DraftLine]:
    """Draft what the model wrote."""
    grade = Grade.ESTIMATED if is_estimate else Grade.EXACT
    return [
        replace(_whole(share.source, share.part, Zone.OUTPUT, share.tokens, share.sampling), grade=grade) for share in shares
    ]


def search_line(searches: int) -> list[DraftLine]:
    """Draft what web searches cost beside their tokens."""
    if not searches:
        return []
    return [replace(_whole(WEB_SEARCH, Part.RESULT, Zone.OUTPUT, 0, 0), searches=searches)]


def cost_items(drafts: Sequence[DraftLine]) -> list[CostItem]:
    """Tell the pricing what each line is made of."""
    return [
        CostItem(sampling=draft.sampling, zone=draft.zone, tokens=draft.tokens, searches=draft.searches) for draft in drafts
    ]


def priced_lines(drafts: Sequence[DraftLine], cost: Cost) -> tuple[LedgerLine, ...]:
    """Put the prices in."""
    return tuple(
        LedgerLine(
            source=draft.source,
            part=draft.part,
            segment_index=draft.segment_index,
            zone=draft.zone,
            tokens=draft.tokens,
            estimated_tokens=draft.estimated_tokens,
            grade=draft.grade,
            cost_nano_usd=nano_usd,
        )
        for draft, nano_usd in zip(drafts, cost.item_nano_usd, strict=True)
    )


def _whole(source: Source, part: Part, zone: Zone, tokens: int, sampling: int) -> DraftLine:
    return DraftLine(
        source=source,
        part=part,
        segment_index=None,
        zone=zone,
        tokens=tokens,
        estimated_tokens=tokens,
        grade=Grade.EXACT,
        sampling=sampling,
    )


def _merge_frames(drafts: Iterable[DraftLine]) -> list[DraftLine]:
    """Make one line of all overheads of the same name in a zone: frames are many and tiny."""
    merged: list[DraftLine] = []
    places: dict[tuple[Source, Zone], int] = {}
    for draft in drafts:
        key = (draft.source, draft.zone)
        if draft.segment_index is not None or key not in places:
            if draft.segment_index is None:
                places[key] = len(merged)
            merged.append(draft)
            continue
        before = merged[places[key]]
        merged[places[key]] = replace(
            before,
            tokens=before.tokens + draft.tokens,
            estimated_tokens=before.estimated_tokens + draft.estimated_tokens,
            grade=max(before.grade, draft.grade, key=GRADE_ORDER.index),
        )
    return merged
