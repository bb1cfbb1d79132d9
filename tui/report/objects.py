"""The report as a plain object for JSON."""

from collections.abc import Mapping
from typing import Any

from storage.insights.objects import amount_object, insights_object, usd
from tui.report.contents import Report


def report_object(report: Report) -> Mapping[str, Any]:
    """Render the whole report."""
    totals = report.totals
    return {
        "title": report.title,
        "range": report.range_text,
        "made_us": report.made_us,
        "assay_version": report.version,
        "totals": {
            "requests": totals.total_requests,
            "input_tokens": totals.total_input_tokens,
            "output_tokens": totals.total_output_tokens,
            "cost_usd": usd(totals.total_cost_nano_usd),
            "unpriced_requests": totals.unpriced_requests,
        },
        "by_kind": [{"source_type": kind.value, **amount_object(amount)} for kind, amount in report.by_kind],
        "by_zone": [{"zone": zone.value, **amount_object(amount)} for zone, amount in report.by_zone],
        "sources": [
            {
                "source_type": source.source_type.value,
                "source_name": source.source_name,
                "requests": source.usage_count,
                "tokens": source.total_tokens,
                "cost_usd": usd(source.total_cost_nano_usd),
                "average_rating": source.average_rating,
            }
            for source in report.sources
        ],
        "context_growth": [{"started_us": at_us, "input_tokens": tokens} for at_us, tokens in report.context_growth],
        "insights": insights_object(report.insights),
    }
