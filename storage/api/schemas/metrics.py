"""Totals by source, in all and over time, as the contract names them."""

from typing import Annotated, Literal, TypedDict

from pydantic import Field

from proxy_core.attribution.model import SourceType
from storage.api.schemas.common import (
    Answer,
    Period,
    Timestamp,
    Usd,
    as_line,
    to_timestamp,
    to_timestamp_or_none,
    to_usd,
)
from storage.views import SeriesGroup, SeriesPoint, SourceMetrics, SourceOrder, SummaryMetrics, TimeBucket


class SourceQuery(Period):
    """Which sources are wanted, and in which order; without times: all that was ever seen."""

    source_name: Annotated[str, Field(max_length=1000)] | None = None
    """Exactly this name."""
    source_type: SourceType | None = None
    session_id: Annotated[str, Field(max_length=200)] | None = None
    """Only what was used in this session."""
    sort_by: SourceOrder = SourceOrder.USAGE_COUNT
    order: Literal["asc", "desc"] = "desc"
    limit: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """At most so many; all when left out."""


@as_line
class ContextSourceMetrics(TypedDict):
    """What one source came to."""

    source_name: Annotated[str | None, Field(examples=["context7"])]
    source_type: Annotated[str, Field(examples=["McpServer"])]
    usage_count: int
    """Requests it was in."""
    total_tokens: int
    average_tokens: float
    total_cost_usd: Usd | None
    """`null`: none of its requests has a known price."""
    feedback_count: int
    average_rating: float | None
    last_used: Timestamp
    created_at: Timestamp
    """When it was first seen."""


class SourceMetricsList(Answer):
    """Sources, sorted."""

    metrics: list[ContextSourceMetrics]


class SummaryAnswer(Answer):
    """Everything over a time range."""

    total_requests: int
    total_tokens_sent: int
    total_tokens_received: int
    total_cost_usd: Usd | None
    """`null`: no price known for any."""
    unpriced_requests: int
    """Model calls without a known price: the cost leaves them out."""
    average_latency_ms: float | None
    average_proxy_latency_ms: float | None
    feedback_count: int
    average_rating: float | None
    oldest_capture: Timestamp | None
    newest_capture: Timestamp | None


class SeriesQuery(Period):
    """Which time series are wanted; without times: all, by the minute the last day."""

    bucket: TimeBucket = TimeBucket.HOUR
    group_by: SeriesGroup = SeriesGroup.KIND
    top: Annotated[int, Field(ge=1, le=100)] = 20
    """So many series with the most tokens; the others are summed up as `other`."""


@as_line
class SeriesPointAnswer(TypedDict):
    """One bucket of one series."""

    timestamp: Timestamp
    """Start of the bucket, UTC."""
    key: Annotated[str, Field(examples=["McpServer"])]
    """Kind, source name, model or cache zone, as asked for."""
    tokens: int
    cost_usd: Usd | None
    requests: int
    """Exchanges; for kinds, uses of its sources: an exchange with two of a kind counts twice."""


class SeriesAnswer(Answer):
    """Time series, oldest bucket first; buckets without traffic are left out."""

    bucket: TimeBucket
    group_by: SeriesGroup
    points: list[SeriesPointAnswer]


def present_source(view: SourceMetrics) -> ContextSourceMetrics:
    """Present one source."""
    return {
        "source_name": view.source_name,
        "source_type": view.source_type,
        "usage_count": view.usage_count,
        "total_tokens": view.total_tokens,
        "average_tokens": round(view.average_tokens, 3),
        "total_cost_usd": to_usd(view.total_cost_nano_usd),
        "feedback_count": view.feedback_count,
        "average_rating": view.average_rating,
        "last_used": to_timestamp(view.last_used_us),
        "created_at": to_timestamp(view.created_us),
    }


def present_summary(view: SummaryMetrics) -> SummaryAnswer:
    """Present the totals."""
    return SummaryAnswer(
        total_requests=view.total_requests,
        total_tokens_sent=view.total_input_tokens,
        total_tokens_received=view.total_output_tokens,
        total_cost_usd=to_usd(view.total_cost_nano_usd),
        unpriced_requests=view.unpriced_requests,
        average_latency_ms=view.average_latency_ms,
        average_proxy_latency_ms=view.average_proxy_ms,
        feedback_count=view.feedback_count,
        average_rating=view.average_rating,
        oldest_capture=to_timestamp_or_none(view.oldest_us),
        newest_capture=to_timestamp_or_none(view.newest_us),
    )


def present_point(view: SeriesPoint) -> SeriesPointAnswer:
    """Present one bucket of one series."""
    return {
        "timestamp": to_timestamp(view.bucket_us),
        "key": view.key,
        "tokens": view.tokens,
        "cost_usd": to_usd(view.cost_nano_usd),
        "requests": view.requests,
    }


class SummaryQuery(Period):
    """The time range; without times: all."""
