"""Our figures beside everybody else's: count_tokens answers on the wire, the client's own report, rate-limit headers.

Differences are explained where the traffic explains them, and left standing where it does not.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proxy_core.exchange import Headers
from storage.insights.turns import AnalysedTurn

COUNT_TOLERANCE = 0.01
"""count_tokens calls itself an estimate; this share of difference is within it."""

COST_TOLERANCE_USD = 1e-6
"""Clients print dollars with about six places."""

_REMAINING = "anthropic-ratelimit-input-tokens-remaining"
_LIMIT = "anthropic-ratelimit-input-tokens-limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure of ours beside the same figure of someone else's."""

    what: str
    """What was compared, one line."""
    ours: float
    theirs: float
    unit: str
    """`tokens` or `USD`."""
    is_agreed: bool
    explanation: str
    """Why they differ, or why they may; one line."""

    @property
    def difference(self) -> float:
        """Theirs less ours."""
        return self.theirs - self.ours


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPrompt:
    """The answer of one count_tokens call."""

    exchange_id: str
    chain_hash: str
    prefix_hash: str | None
    model: str | None
    tokens: int


def compare_counts(turns: Sequence[AnalysedTurn], counted: Sequence[CountedPrompt]) -> list[Comparison]:
    """Compare bills with count_tokens answers for the very same prompt and model."""
    billed: dict[tuple[str, str | None, str | None], int] = {}
    for turn in turns:
        facts, ledger = turn.attribution.facts, turn.attribution.ledger
        if facts.chain_hashes and ledger is not None and ledger.is_settled:
            billed[facts.chain_hashes[-1], facts.prefix_hash, facts.requested_model] = ledger.total_input_tokens
    found = []
    for sample in counted:
        ours = billed.get((sample.chain_hash, sample.prefix_hash, sample.model))
        if ours is not None:
            is_agreed = abs(sample.tokens - ours) <= COUNT_TOLERANCE * ours
            found.append(
                Comparison(
                    what=f"count_tokens {sample.exchange_id[:8]} and the bill for the same prompt",
                    ours=ours,
                    theirs=sample.tokens,
                    unit="tokens",
                    is_agreed=is_agreed,
                    explanation="count_tokens is an estimate and may count tokens that are not billed"
                    if is_agreed
                    else "server tools, context editing or thinking were billed and not counted, or the other way round",
                )
            )
    return found


def compare_client_report(turns: Sequence[AnalysedTurn], report: Mapping[str, Any]) -> Comparison | None:
    """Compare with what `claude -p --output-format json` printed at its end; `None` when it names no cost."""
    theirs, session_id = report.get("total_cost_usd"), report.get("session_id")
    if not isinstance(theirs, int | float):
        return None
    ledgers = [turn.attribution.ledger for turn in turns if turn.session_id == session_id]
    priced = [ledger.cost_nano_usd for ledger in ledgers if ledger is not None and ledger.cost_nano_usd is not None]
    ours = sum(priced) / 1e9
    is_agreed = abs(theirs - ours) <= max(COST_TOLERANCE_USD, abs(ours) * 1e-4)
    return Comparison(
        what=f"the client's own cost of session {session_id}",
        ours=ours,
        theirs=float(theirs),
        unit="USD",
        is_agreed=is_agreed,
        explanation=_explain_cost(len(priced), len(ledgers), ours, float(theirs), is_agreed=is_agreed),
    )


def compare_rate_limits(answers: Sequence[tuple[AnalysedTurn, Headers]]) -> list[Comparison]:
    """Compare the fall of the input-token allowance between two answers with what was billed in between.

    The allowance refills all the time, so only a fall beyond our own traffic tells something: others use the same key.
    """
    found = []
    for (before, before_headers), (after, after_headers) in itertools.pairwise(answers):
        then, now = _number(before_headers, _REMAINING), _number(after_headers, _REMAINING)
        if then is None or now is None or _number(before_headers, _LIMIT) != _number(after_headers, _LIMIT):
            continue
        fall, own = then - now, _counted_by_limits(after)
        if fall > own * (1 + COUNT_TOLERANCE):
            found.append(
                Comparison(
                    what=f"input tokens taken from the allowance at {after.exchange_id[:8]}, after {before.exchange_id[:8]}",
                    ours=own,
                    theirs=fall,
                    unit="tokens",
                    is_agreed=False,
                    explanation="others use the same key, or a client of yours does not go through Assay",
                )
            )
    return found


def _explain_cost(priced: int, seen: int, ours: float, theirs: float, *, is_agreed: bool) -> str:
    if is_agreed:
        return "they agree"
    if not seen:
        return "no request of this session was captured"
    if priced < seen:
        return f"{seen - priced} requests have no known price here"
    if theirs > ours:
        return "the client made requests that did not come through Assay, or prices them otherwise"
    return "the client leaves requests out (titles, retries, side calls), or prices them otherwise"


def _counted_by_limits(turn: AnalysedTurn) -> int:
    """Return the input tokens of a request that count against the allowance: all but what was read from cache."""
    ledger = turn.attribution.ledger
    if ledger is None:
        return 0
    return ledger.total_input_tokens - (ledger.usage.cache_read_tokens or 0)


def _number(headers: Headers, name: str) -> int | None:
    text = next((value for key, value in headers if key.lower() == name), "")
    return int(text) if text.isascii() and text.isdigit() else None
