"""Requests that the capture path itself changed, and how to capture them unchanged."""

from collections.abc import Sequence

from storage.insights.findings import EVIDENCE_LIMIT, Finding, FindingKind
from storage.insights.turns import AnalysedTurn


def distorted_capture(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find requests that came by a base URL: the client then sends other content than it would to the API itself."""
    distorted = [turn for turn in turns if turn.attribution.facts.is_distorted]
    if not distorted:
        return []
    tokens = sum(line.tokens for turn in distorted for line in turn.input_lines)
    total = sum(line.tokens for turn in turns for line in turn.input_lines)
    return [
        Finding(
            kind=FindingKind.DISTORTION,
            source=None,
            summary=(
                f"{len(distorted)} requests came through a base URL: the client switched tool search off"
                " and sends all tool definitions; cache marks differ too"
            ),
            action="Capture by interception instead: `assay run -- claude`, without ANTHROPIC_BASE_URL.",
            tokens=tokens,
            cost_nano_usd=None,
            share=tokens / total if total else None,
            exchanges=len(distorted),
            session_id=None,
            exchange_ids=tuple(turn.exchange_id for turn in distorted[:EVIDENCE_LIMIT]),
        )
    ]
