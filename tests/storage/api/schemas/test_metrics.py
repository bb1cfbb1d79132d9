"""What is written as it is has exactly the fields, of the types, that the document promises."""

from pydantic import TypeAdapter

from proxy_core.attribution.model import SourceType
from storage.api.schemas.metrics import (
    ContextSourceMetrics,
    SeriesAnswer,
    SeriesPointAnswer,
    SourceMetricsList,
    present_point,
    present_source,
)
from storage.views import SeriesGroup, SeriesPoint, SourceMetrics, TimeBucket
from tests.factories import START_US

SOURCE = SourceMetrics(
    source_id=1,
    source_type=SourceType.MCP_SERVER,
    source_name="context7",
    usage_count=3,
    total_tokens=10,
    average_tokens=10 / 3,
    total_cost_nano_usd=1_234_500_000,
    feedback_count=2,
    average_rating=0.5,
    last_used_us=START_US,
    created_us=START_US,
)
UNKNOWN = SourceMetrics(
    source_id=2,
    source_type=SourceType.USER,
    source_name=None,
    usage_count=1,
    total_tokens=0,
    average_tokens=0.0,
    total_cost_nano_usd=None,
    feedback_count=0,
    average_rating=None,
    last_used_us=0,
    created_us=0,
)
POINTS = (
    SeriesPoint(bucket_us=START_US, key="other", tokens=5, cost_nano_usd=None, requests=1),
    SeriesPoint(bucket_us=START_US, key="McpServer", tokens=5, cost_nano_usd=5_000_000_000, requests=1),
)


def as_told(kind, lines):
    """Return lines that went through the type that the document shows: what it does not name is gone."""
    return TypeAdapter(list[kind]).validate_python(lines, strict=True)


def test_a_source_has_the_fields_that_are_told():
    lines = [present_source(SOURCE), present_source(UNKNOWN)]
    assert as_told(ContextSourceMetrics, lines) == lines
    assert [line["total_cost_usd"] for line in lines] == [1.2345, None]
    assert lines[0]["average_tokens"] == 3.333


def test_a_point_has_the_fields_that_are_told():
    lines = [present_point(point) for point in POINTS]
    assert as_told(SeriesPointAnswer, lines) == lines


def test_lists_are_written_as_models_would_be():
    sources = SourceMetricsList.model_construct(metrics=[present_source(SOURCE)])
    assert sources.model_dump_json() == (
        '{"metrics":[{"source_name":"context7","source_type":"McpServer","usage_count":3,"total_tokens":10,'
        '"average_tokens":3.333,"total_cost_usd":1.2345,"feedback_count":2,"average_rating":0.5,'
        '"last_used":"2026-01-01T00:00:00.000000Z","created_at":"2026-01-01T00:00:00.000000Z"}]}'
    )
    points = [present_point(POINTS[0])]
    series = SeriesAnswer.model_construct(bucket=TimeBucket.DAY, group_by=SeriesGroup.KIND, points=points)
    assert series.model_dump_json().startswith('{"bucket":"day","group_by":"kind","points":[{"timestamp":"')
