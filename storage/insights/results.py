"""Results that stay in the context: large ones still carried turns later, and ones nothing refers to again."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from proxy_core.attribution.model import Part, Segment, SourceType
from storage.insights.asked import asked_with
from storage.insights.findings import EVIDENCE_LIMIT, Finding, FindingKind
from storage.insights.turns import Amount, AnalysedTurn, amount_of, conversations

OVERSIZED_TOKENS = 4_000
"""A result from here on is called large."""

CARRIED_LONG_TURNS = 3
"""A result still there this many requests after the one it came in is called carried."""

SMALLEST_RESULT_TOKENS = 400
"""Smaller results are not worth asking whether they were referred to."""

_TELLING_WORD = re.compile(r"[A-Za-z_][\w./:-]{7,60}|\d[\d.,:-]{4,30}")
"""What is likely to be repeated by whoever uses a result: paths, identifiers, numbers."""


def oversized_results(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find large results that requests went on carrying, with what that carrying cost."""
    total = sum(line.tokens for turn in turns for line in turn.input_lines)
    return [
        _finding(FindingKind.OVERSIZED, chain, entry, content_hash, total)
        for chain in conversations(turns)
        for content_hash, entry in _entries(chain).items()
        if len(chain) - entry > CARRIED_LONG_TURNS
        and _tokens_of(chain[entry], content_hash) >= OVERSIZED_TOKENS
        and _has(chain[min(entry + CARRIED_LONG_TURNS, len(chain) - 1)], content_hash)
    ]


def unreferenced_results(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find results of which no later answer or call of the conversation repeats a telling word.

    Needs the segments' text. A reading, not a fact: whoever uses a result without naming anything from it is not seen.
    """
    total = sum(line.tokens for turn in turns for line in turn.input_lines)
    findings = []
    for chain in conversations(turns):
        for content_hash, entry in _entries(chain).items():
            if len(chain) - entry <= CARRIED_LONG_TURNS or _tokens_of(chain[entry], content_hash) < SMALLEST_RESULT_TOKENS:
                continue
            if not _is_referred_to(chain, entry, content_hash):
                findings.append(_finding(FindingKind.UNREFERENCED, chain, entry, content_hash, total))
    return findings


def _entries(chain: Sequence[AnalysedTurn]) -> dict[str, int]:
    """Map each result's content hash to the position of the request it first came in."""
    entries: dict[str, int] = {}
    for position, turn in enumerate(chain):
        for segment in turn.attribution.segments:
            if segment.part is Part.RESULT:
                entries.setdefault(segment.content_hash, position)
    return entries


def _segments(turn: AnalysedTurn, content_hash: str) -> list[int]:
    return [i for i, s in enumerate(turn.attribution.segments) if s.content_hash == content_hash and s.part is Part.RESULT]


def _has(turn: AnalysedTurn, content_hash: str) -> bool:
    return bool(_segments(turn, content_hash))


def _amount(turn: AnalysedTurn, content_hash: str) -> Amount:
    own = set(_segments(turn, content_hash))
    return amount_of(line for line in turn.input_lines if line.segment_index in own)


def _tokens_of(turn: AnalysedTurn, content_hash: str) -> int:
    return _amount(turn, content_hash).tokens


def _is_referred_to(chain: Sequence[AnalysedTurn], entry: int, content_hash: str) -> bool:
    first = chain[entry].attribution.segments
    index = _segments(chain[entry], content_hash)[0]
    known = {word for segment in first[:index] for word in _words(segment.text)}
    telling = _words(first[index].text) - known
    if not telling:
        return True
    later = chain[-1].attribution.segments
    return any(telling & _words(segment.text) for segment in _said_after(later, content_hash))


def _said_after(segments: Sequence[Segment], content_hash: str) -> Iterable[Segment]:
    """Yield what the assistant said and called after the result."""
    is_after = False
    for segment in segments:
        is_after = is_after or segment.content_hash == content_hash
        if is_after and (segment.source.source_type is SourceType.ASSISTANT or segment.part is Part.CALL):
            yield segment


@lru_cache(maxsize=2_000)
def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip(".,:/-") for word in _TELLING_WORD.findall(text))


def _finding(kind: FindingKind, chain: Sequence[AnalysedTurn], entry: int, content_hash: str, total: int) -> Finding:
    entered = chain[entry]
    source = entered.attribution.segments[_segments(entered, content_hash)[0]].source
    later = [turn for turn in chain[entry + 1 :] if _has(turn, content_hash)]
    amount = Amount()
    for turn in later:
        amount += _amount(turn, content_hash)
    size = _tokens_of(entered, content_hash)
    name = f"{source.source_type} {source.source_name or ''}".strip()
    is_large = kind is FindingKind.OVERSIZED
    return Finding(
        kind=kind,
        source=source,
        summary=f"A result of {name} of {size} tokens was carried through {len(later)} more requests"
        + ("" if is_large else ", and nothing after it refers to it"),
        action="Ask for less (a range, a filter, a summary)" + (", or clear it after use." if is_large else ", or not at all."),
        tokens=amount.tokens,
        cost_nano_usd=amount.cost_nano_usd,
        share=amount.tokens / total if total else None,
        exchanges=len(later),
        session_id=entered.session_id,
        exchange_ids=tuple(turn.exchange_id for turn in [entered, *later][:EVIDENCE_LIMIT]),
        about=asked_with(entered.attribution.segments, _segments(entered, content_hash)[0]),
        is_certain=is_large,
    )
