"""Where the requests behind an insight are: a row in, a line of the filter language out. Pure."""

from storage.insights.breaks import BreakStory
from storage.insights.carry import CarriedContent
from storage.insights.findings import Finding, FindingKind
from tui.filtering import source_filter
from tui.insight_columns import InsightRow
from tui.ranges import Period


def requests_filter(row: InsightRow, period: Period) -> str:
    """Write the filter for the requests that show what a row says."""
    match row:
        case Finding() if row.kind is not FindingKind.UNUSED or row.source is None:
            return _ids(row.exchange_ids)
        case BreakStory():
            return _ids(row.exchange_ids)
        case CarriedContent():
            return _ids((row.entered_exchange_id,))
        case _:
            source = row.source
            assert source is not None, "only findings and breaks can be nobody's"
            return f"{source_filter(source.source_type, source.source_name)} {period.filter_term}".strip()


def _ids(exchange_ids: tuple[str, ...]) -> str:
    return " or ".join(f"id:={exchange_id}" for exchange_id in exchange_ids)
