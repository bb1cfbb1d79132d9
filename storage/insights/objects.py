"""Insights as plain objects for JSON: one form for the API, the command line and the report."""

from collections.abc import Mapping
from typing import Any

from proxy_core.attribution.model import Source
from storage.insights.breaks import BreakStory
from storage.insights.carry import CarriedContent
from storage.insights.drift import SizeHistory
from storage.insights.findings import Finding
from storage.insights.gates import GateResult
from storage.insights.overview import Insights
from storage.insights.turns import Amount
from storage.insights.what_if import WhatIf
from storage.insights.worth import Worth

type JsonObject = Mapping[str, Any]


def insights_object(insights: Insights) -> JsonObject:
    """Render all insights."""
    return {
        "requests": insights.requests,
        "is_cut": insights.is_cut,
        "textless_requests": insights.textless_requests,
        "session_id": insights.session_id,
        "since_us": insights.since_us,
        "until_us": insights.until_us,
        "input": amount_object(insights.input),
        "waste": amount_object(insights.waste),
        "findings": [finding_object(finding) for finding in insights.findings],
        "session_findings": [finding_object(finding) for finding in insights.session_findings],
        "cache_breaks": [break_object(story) for story in insights.breaks],
        "carried": [carried_object(item) for item in insights.carried],
        "sizes": [size_object(history) for history in insights.sizes],
        "worths": [worth_object(worth) for worth in insights.worths],
    }


def amount_object(amount: Amount) -> JsonObject:
    """Render tokens and cost."""
    return {"tokens": amount.tokens, "cost_usd": usd(amount.cost_nano_usd)}


def source_object(source: Source | None) -> JsonObject:
    """Render a source; nulls for none."""
    if source is None:
        return {"source_type": None, "source_name": None}
    return {"source_type": source.source_type.value, "source_name": source.source_name}


def finding_object(finding: Finding) -> JsonObject:
    """Render a finding."""
    return {
        "kind": finding.kind.value,
        **source_object(finding.source),
        "summary": finding.summary,
        "action": finding.action,
        "tokens": finding.tokens,
        "cost_usd": usd(finding.cost_nano_usd),
        "share": finding.share,
        "requests": finding.exchanges,
        "session_id": finding.session_id,
        "request_ids": list(finding.exchange_ids),
        "is_certain": finding.is_certain,
    }


def break_object(story: BreakStory) -> JsonObject:
    """Render one cause of broken caches."""
    return {
        "cause": story.cause.value,
        **source_object(story.source),
        "summary": story.summary,
        "action": story.action,
        "breaks": story.breaks,
        "rewritten_tokens": story.rewritten_tokens,
        "extra_cost_usd": usd(story.extra_cost_nano_usd),
        "request_ids": list(story.exchange_ids),
    }


def carried_object(item: CarriedContent) -> JsonObject:
    """Render what carrying one content cost."""
    return {
        **source_object(item.source),
        "part": item.part.value,
        "content_hash": item.content_hash,
        "entered_request_id": item.entered_exchange_id,
        "entered_turn": item.entered_turn,
        "turns_carried": item.turns_carried,
        "tokens_each": item.tokens_each,
        "entry": amount_object(item.entry),
        "carried": amount_object(item.carried),
    }


def size_object(history: SizeHistory) -> JsonObject:
    """Render a source's size over time."""
    points = [
        {"day": p.day, "client_version": p.client_version, "tokens": p.tokens, "requests": p.requests} for p in history.points
    ]
    return {**source_object(history.source), "growth": history.growth, "points": points}


def worth_object(worth: Worth) -> JsonObject:
    """Render what a source is worth."""
    return {
        **source_object(worth.source),
        "votes": worth.votes,
        "average_rating": worth.average_rating,
        "interval": None if worth.interval is None else list(worth.interval),
        "cost_usd": usd(worth.cost_nano_usd),
        "value_per_usd": worth.value_per_usd,
        "is_ranked": worth.is_ranked,
    }


def what_if_object(result: WhatIf) -> JsonObject:
    """Render a recomputation."""
    return {
        "before": amount_object(result.before),
        "tokens_saved": result.tokens_saved,
        "cost_saved_usd": usd(result.cost_saved_nano_usd),
        "cache_saved_usd": usd(result.cache_saved_nano_usd),
        "requests": result.requests,
        "requests_changed": result.requests_changed,
        "breaks_avoided": result.breaks_avoided,
        "is_estimate": result.is_estimate,
    }


def gate_object(result: GateResult) -> JsonObject:
    """Render how something stands against its limit."""
    return {
        "name": result.name,
        "is_passed": result.is_passed,
        "tokens": result.measured_tokens,
        "max_tokens": result.gate.max_tokens,
        "cost_usd": usd(result.measured_cost_nano_usd),
        "max_cost_usd": usd(result.gate.max_cost_nano_usd),
    }


def usd(nano_usd: int | None) -> float | None:
    """Convert 1e-9 dollars to dollars; unknown stays unknown."""
    return None if nano_usd is None else nano_usd / 1e9
