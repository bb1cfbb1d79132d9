"""Instructions that stand more than once in the same request."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from proxy_core.attribution.model import LedgerLine, Part, Source, SourceType
from storage.insights.findings import EVIDENCE_LIMIT, Finding, FindingKind
from storage.insights.turns import Amount, AnalysedTurn, amount_of

SMALLEST_DUPLICATE_BYTES = 200
"""Shorter texts repeat by nature (headings, list bullets)."""

INSTRUCTION_PARTS = frozenset(
    {Part.INSTRUCTIONS, Part.LISTING, Part.BODY, Part.DEFINITION, Part.TEXT, Part.CONTEXT, Part.PROMPT, Part.RESOURCE}
)
"""What instructs; calls, results and thinking repeat for reasons of their own."""

IGNORED_TYPES = frozenset({SourceType.ASSISTANT, SourceType.OVERHEAD})


@dataclass(slots=True)
class _Repeat:
    """Later copies of one text, over all requests."""

    sources: tuple[Source, ...]
    amount: Amount = field(default_factory=Amount)
    exchange_ids: list[str] = field(default_factory=list)


def duplicated_instructions(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find texts that a request carries twice or more; what the later copies cost is the waste."""
    repeats: dict[str, _Repeat] = {}
    for turn in turns:
        for content_hash, sources, lines in _copies(turn):
            repeat = repeats.setdefault(content_hash, _Repeat(sources))
            repeat.amount += amount_of(lines)
            repeat.exchange_ids.append(turn.exchange_id)
    total = sum(line.tokens for turn in turns for line in turn.input_lines)
    return [_finding(repeat, total) for repeat in repeats.values()]


def _copies(turn: AnalysedTurn) -> Iterable[tuple[str, tuple[Source, ...], list[LedgerLine]]]:
    places: dict[str, list[int]] = defaultdict(list)
    for index, segment in enumerate(turn.attribution.segments):
        judged = segment.part in INSTRUCTION_PARTS and segment.source.source_type not in IGNORED_TYPES
        if judged and segment.content_bytes >= SMALLEST_DUPLICATE_BYTES:
            places[segment.content_hash].append(index)
    lines_by_segment: dict[int | None, list[LedgerLine]] = defaultdict(list)
    for line in turn.input_lines:
        lines_by_segment[line.segment_index].append(line)
    for content_hash, indices in places.items():
        if len(indices) > 1:
            sources = tuple(dict.fromkeys(turn.attribution.segments[i].source for i in indices))
            yield content_hash, sources, [line for i in indices[1:] for line in lines_by_segment[i]]


def _finding(repeat: _Repeat, total: int) -> Finding:
    first = repeat.sources[0]
    names = " and ".join(f"{s.source_type} {s.source_name or ''}".strip() for s in repeat.sources)
    where = f"twice in {names}" if len(repeat.sources) == 1 else f"in {names}"
    return Finding(
        kind=FindingKind.DUPLICATE,
        source=first,
        summary=f"The same text stands {where}, in {len(repeat.exchange_ids)} requests",
        action="Keep one copy: remove it from the file, or stop including it a second time.",
        tokens=repeat.amount.tokens,
        cost_nano_usd=repeat.amount.cost_nano_usd,
        share=repeat.amount.tokens / total if total else None,
        exchanges=len(repeat.exchange_ids),
        session_id=None,
        exchange_ids=tuple(repeat.exchange_ids[:EVIDENCE_LIMIT]),
    )
