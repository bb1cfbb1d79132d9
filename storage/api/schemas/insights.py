"""Insights, in the form of `storage.insights.objects`: what the command line prints as JSON is what the API answers."""

from typing import Annotated

from pydantic import Field

from storage.api.questions import FilterLine
from storage.api.schemas.common import Answer, ExchangeId, Period, Usd

_Pattern = Annotated[str, Field(min_length=1, max_length=1000, examples=["mcp:context7"])]


class InsightsQuery(Period):
    """Which traffic to look at; the newest two thousand model calls of it."""

    session_id: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    q: FilterLine | None = None
    """A line of the filter language."""


class WhatIfQuery(InsightsQuery):
    """Which sources to leave out, or whose tools to defer; one of the two."""

    without: list[_Pattern] = Field(default=[], max_length=50)
    """`kind:name`, both may be `*`."""
    defer: list[_Pattern] = Field(default=[], max_length=50)


class AmountAnswer(Answer):
    """Tokens and what they cost."""

    tokens: int
    cost_usd: Usd | None
    """`null`: at least one part has no known price."""


class _OfSource(Answer):
    """Something about one source."""

    source_type: str | None = Field(examples=["McpServer"])
    source_name: str | None = Field(examples=["context7"])


class FindingAnswer(_OfSource):
    """One thing to change."""

    kind: str = Field(examples=["unused"])
    """`unused`, `duplicate`, `oversized`, `unreferenced`, `drift`, `distortion`."""
    summary: str
    action: str
    tokens: int
    cost_usd: Usd | None
    share: float | None
    """Of all input tokens looked at, 0 to 1."""
    requests: int
    session_id: str | None
    """`null`: over all sessions."""
    request_ids: list[ExchangeId]
    """Evidence, at most five."""
    is_certain: bool
    """False: a reading of the traffic, not a fact on the wire."""


class BreakAnswer(_OfSource):
    """What broke the prompt cache."""

    cause: str = Field(examples=["edited"])
    summary: str
    action: str
    breaks: int
    rewritten_tokens: int
    extra_cost_usd: Usd | None
    request_ids: list[ExchangeId]


class CarriedAnswer(_OfSource):
    """What carrying one content cost."""

    part: str
    content_hash: str
    entered_request_id: ExchangeId
    entered_turn: int
    turns_carried: int
    tokens_each: int
    entry: AmountAnswer
    carried: AmountAnswer


class SizePointAnswer(Answer):
    """A source's median size on one day under one client version."""

    day: str
    client_version: str | None
    tokens: int
    requests: int


class SizeAnswer(_OfSource):
    """How large a source's definitions were over time."""

    growth: float
    points: list[SizePointAnswer]


class WorthAnswer(_OfSource):
    """What a source is worth by its ratings."""

    votes: int
    average_rating: float
    interval: list[float] | None
    """95 % interval of the average; `null` below two votes."""
    cost_usd: Usd | None
    value_per_usd: float | None
    is_ranked: bool


class InsightsAnswer(Answer):
    """Everything that the traffic says."""

    requests: int
    is_cut: bool
    """The range holds more; the newest were looked at."""
    textless_requests: int
    """Requests whose texts were not kept: what compares texts sees less there."""
    session_id: str | None
    input: AmountAnswer
    waste: AmountAnswer
    findings: list[FindingAnswer]
    session_findings: list[FindingAnswer]
    cache_breaks: list[BreakAnswer]
    carried: list[CarriedAnswer]
    sizes: list[SizeAnswer]
    worths: list[WorthAnswer]


class WhatIfAnswer(Answer):
    """Captured traffic beside its recomputation."""

    before: AmountAnswer
    tokens_saved: int
    cost_saved_usd: Usd | None
    cache_saved_usd: Usd | None
    """Part of `cost_saved_usd`: caches that would not have been rewritten."""
    requests: int
    requests_changed: int
    breaks_avoided: int
    is_estimate: bool
