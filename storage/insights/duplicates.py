"""Instructions that stand more than once in the same request: whole texts, and paragraphs of them."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from proxy_core.attribution.model import LedgerLine, Part, Segment, Source, SourceType
from storage.insights.findings import EVIDENCE_LIMIT, Finding, FindingKind
from storage.insights.turns import Amount, AnalysedTurn

SMALLEST_DUPLICATE_CHARS = 200
"""Shorter paragraphs repeat by nature (headings, list bullets)."""

INSTRUCTION_PARTS = frozenset(
    {Part.INSTRUCTIONS, Part.LISTING, Part.BODY, Part.DEFINITION, Part.TEXT, Part.CONTEXT, Part.PROMPT, Part.RESOURCE}
)
"""What instructs; calls, results and thinking repeat for reasons of their own."""

IGNORED_TYPES = frozenset({SourceType.ASSISTANT, SourceType.OVERHEAD})

_PARAGRAPH_END = re.compile(r"\n[ \t]*\n|\n(?=</)")
"""An empty line, or a closing tag on a line of its own: clients wrap what they inject."""

_CLIENT_TYPES = frozenset({SourceType.FRAMEWORK, SourceType.TOOL})
"""Whose texts the client brings along."""

_OWN_ACTION = "Keep one copy: remove it from the file, or stop including it a second time."
_FOREIGN_ACTION = "The client itself repeats it: nothing you could remove; a newer version may not."

type _Copy = tuple[Source, Amount]
"""Where a copy stands, and what it is billed."""


@dataclass(slots=True)
class _Repeat:
    """Later copies of texts that the same sources share, over all requests."""

    amount: Amount = field(default_factory=Amount)
    exchange_ids: dict[str, None] = field(default_factory=dict)


def duplicated_instructions(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find texts that a request carries twice or more; what the later copies cost is the waste."""
    repeats: dict[tuple[Source, ...], _Repeat] = defaultdict(_Repeat)
    for turn in turns:
        for copies in _copies(turn):
            repeat = repeats[tuple(dict.fromkeys(source for source, _ in copies))]
            repeat.exchange_ids[turn.exchange_id] = None
            for _, amount in copies[1:]:
                repeat.amount += amount
    total = sum(line.tokens for turn in turns for line in turn.input_lines)
    return [_finding(sources, repeat, total) for sources, repeat in repeats.items()]


def _copies(turn: AnalysedTurn) -> Iterator[list[_Copy]]:
    """Yield the copies of every text that stands more than once, the first copy first."""
    lines: dict[int | None, list[LedgerLine]] = defaultdict(list)
    for line in turn.input_lines:
        lines[line.segment_index].append(line)
    found: dict[str, list[_Copy]] = defaultdict(list)
    for index, segment in enumerate(turn.attribution.segments):
        if segment.part in INSTRUCTION_PARTS and segment.source.source_type not in IGNORED_TYPES:
            for content, share in _contents(segment):
                found[content].append((segment.source, _share_of(lines[index], share)))
    return (copies for copies in found.values() if len(copies) > 1)


def _contents(segment: Segment) -> Iterator[tuple[str, float]]:
    """Yield the paragraphs worth comparing with their share of the segment; without text, the whole by its hash."""
    if not segment.text:
        if segment.content_bytes >= SMALLEST_DUPLICATE_CHARS:
            yield segment.content_hash, 1.0
        return
    for paragraph in _PARAGRAPH_END.split(segment.text):
        bare = paragraph.strip()
        if len(bare) >= SMALLEST_DUPLICATE_CHARS:
            yield bare, len(paragraph) / len(segment.text)


def _share_of(lines: Sequence[LedgerLine], share: float) -> Amount:
    total = Amount()
    for line in lines:
        cost = None if line.cost_nano_usd is None else round(line.cost_nano_usd * share)
        total += Amount(round(line.tokens * share), cost)
    return total


def _finding(sources: tuple[Source, ...], repeat: _Repeat, total: int) -> Finding:
    names = " and ".join(f"{s.source_type} {s.source_name or ''}".strip() for s in sources)
    where = f"twice in {names}" if len(sources) == 1 else f"in {names}"
    return Finding(
        kind=FindingKind.DUPLICATE,
        source=sources[0],
        summary=f"The same text stands {where}, in {len(repeat.exchange_ids)} requests",
        action=_FOREIGN_ACTION if all(s.source_type in _CLIENT_TYPES for s in sources) else _OWN_ACTION,
        tokens=repeat.amount.tokens,
        cost_nano_usd=repeat.amount.cost_nano_usd,
        share=repeat.amount.tokens / total if total else None,
        exchanges=len(repeat.exchange_ids),
        session_id=None,
        exchange_ids=tuple(repeat.exchange_ids)[:EVIDENCE_LIMIT],
    )
