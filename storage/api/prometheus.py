"""The metrics as Prometheus reads them. Labels have few values: kinds of source, never their names."""

from collections.abc import Iterator

from storage.views import CaptureCounters, SourceMetrics, SummaryMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTERS = {
    "captured": "Exchanges captured since start",
    "stored": "Exchanges stored since start",
    "analysed": "Exchanges analysed since start",
    "dropped": "Exchanges that could not be recorded since start",
    "capture_errors": "Errors of the capture since start",
    "writer_errors": "Errors of the writer since start",
    "analysis_errors": "Errors of the analysis since start",
}
_GAUGES = {"in_flight": "Exchanges that are running", "queued": "Exchanges that wait to be stored"}


def render(summary: SummaryMetrics, sources: tuple[SourceMetrics, ...], counters: CaptureCounters | None) -> str:
    """Return the text of a scrape."""
    lines = [*_totals(summary), *_kinds(sources)]
    if counters is not None:
        lines += _capture(counters)
    return "".join(f"{line}\n" for line in lines)


def _totals(summary: SummaryMetrics) -> Iterator[str]:
    yield from _metric("assay_exchanges_total", "counter", "Finished exchanges in the database", summary.total_requests)
    yield from _metric("assay_input_tokens_total", "counter", "Input tokens billed", summary.total_input_tokens)
    yield from _metric("assay_output_tokens_total", "counter", "Output tokens billed", summary.total_output_tokens)
    cost = (summary.total_cost_nano_usd or 0) / 1e9
    yield from _metric("assay_cost_usd_total", "counter", "Cost in dollars, unpriced calls left out", cost)
    yield from _metric("assay_unpriced_exchanges_total", "counter", "Calls without a known price", summary.unpriced_requests)
    yield from _metric("assay_feedback", "gauge", "Ratings given", summary.feedback_count)
    if summary.average_latency_ms is not None:
        seconds = summary.average_latency_ms / 1000
        yield from _metric("assay_latency_average_seconds", "gauge", "Average latency over all exchanges", seconds)
    if summary.average_proxy_ms is not None:
        seconds = summary.average_proxy_ms / 1000
        yield from _metric("assay_proxy_latency_average_seconds", "gauge", "Assay's own share of it", seconds)


def _kinds(sources: tuple[SourceMetrics, ...]) -> Iterator[str]:
    tokens: dict[str, int] = {}
    costs: dict[str, int] = {}
    for source in sources:
        kind = source.source_type.value
        tokens[kind] = tokens.get(kind, 0) + source.total_tokens
        costs[kind] = costs.get(kind, 0) + (source.total_cost_nano_usd or 0)
    yield from _heading("assay_source_tokens_total", "counter", "Input tokens by kind of source")
    for kind, count in sorted(tokens.items()):
        yield f'assay_source_tokens_total{{source_type="{kind}"}} {count}'
    yield from _heading("assay_source_cost_usd_total", "counter", "Cost by kind of source in dollars")
    for kind, cost in sorted(costs.items()):
        yield f'assay_source_cost_usd_total{{source_type="{kind}"}} {cost / 1e9}'


def _capture(counters: CaptureCounters) -> Iterator[str]:
    for name, meaning in _COUNTERS.items():
        yield from _metric(f"assay_capture_{name}_total", "counter", meaning, getattr(counters, name))
    for name, meaning in _GAUGES.items():
        yield from _metric(f"assay_capture_{name}", "gauge", meaning, getattr(counters, name))
    yield from _metric("assay_capture_paused", "gauge", "1 while the capture is paused", int(counters.is_paused))


def _metric(name: str, kind: str, meaning: str, value: float) -> Iterator[str]:
    yield from _heading(name, kind, meaning)
    yield f"{name} {value}"


def _heading(name: str, kind: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} {kind}"
