"""Totals by source, in all, and over time."""

from typing import Annotated

from fastapi import APIRouter, Query

from storage.api.answers import AnswerRoute
from storage.api.context import StoreOf
from storage.api.schemas.common import Period
from storage.api.schemas.metrics import (
    SeriesAnswer,
    SeriesQuery,
    SourceMetricsList,
    SourceQuery,
    SummaryAnswer,
    SummaryQuery,
    present_point,
    present_source,
    present_summary,
)
from storage.ranges import TimeRange

router = APIRouter(prefix="/metrics", tags=["metrics"], route_class=AnswerRoute)


@router.get("/sources")
def list_sources(query: Annotated[SourceQuery, Query()], store: StoreOf) -> SourceMetricsList:
    """Every source: how often it was used, what it came to, how it is rated."""
    found = store.sources.metrics(
        range_of(query),
        source_types=() if query.source_type is None else (query.source_type,),
        source_name=query.source_name,
        session_id=query.session_id,
        order=query.sort_by,
        is_descending=query.order == "desc",
        limit=query.limit,
    )
    return SourceMetricsList.model_construct(metrics=[present_source(source) for source in found])


@router.get("/summary")
def summarise(query: Annotated[SummaryQuery, Query()], store: StoreOf) -> SummaryAnswer:
    """All requests together."""
    return present_summary(store.sources.summary(range_of(query)))


@router.get("/timeseries")
def list_series(query: Annotated[SeriesQuery, Query()], store: StoreOf) -> SeriesAnswer:
    """Tokens, cost and requests over time; the range is widened to whole buckets, by the minute at most a day is answered."""
    points = store.sources.timeseries(range_of(query), bucket=query.bucket, group=query.group_by, top=query.top)
    lines = [present_point(point) for point in points]
    return SeriesAnswer.model_construct(bucket=query.bucket, group_by=query.group_by, points=lines)


def range_of(period: Period) -> TimeRange:
    """Return the time range of a question."""
    return TimeRange(since_us=period.start_time, until_us=period.end_time)
