"""One insight written out: what was found, what to do about it, the figures behind it."""

from storage.insights.breaks import BreakStory
from storage.insights.carry import CarriedContent
from storage.insights.drift import SizeHistory
from storage.insights.findings import Finding
from storage.insights.worth import SMALLEST_RANKED_VOTES, Worth
from tui import format as fmt
from tui.insight_columns import InsightRow, interval, source_name, value_per_usd
from tui.pages.sheet import Sheet


def write_insight(sheet: Sheet, row: InsightRow) -> None:
    """Write whatever a row stands for."""
    match row:
        case Finding():
            _write_finding(sheet, row)
        case BreakStory():
            _write_break(sheet, row)
        case CarriedContent():
            _write_carried(sheet, row)
        case Worth():
            _write_worth(sheet, row)
        case SizeHistory():
            _write_sizes(sheet, row)


def _write_finding(sheet: Sheet, row: Finding) -> None:
    sheet.text(fmt.one_line(row.summary), sheet.inks.strong)
    sheet.text(f"→ {fmt.one_line(row.action)}", sheet.inks.accent)
    sheet.gap()
    if row.about is not None:
        sheet.pair("asked with", fmt.one_line(row.about))
    share = "" if row.share is None else f", {fmt.percent(row.share, 1.0)} of all input"
    sheet.pair("tokens", f"{fmt.whole(row.tokens)}{share}")
    sheet.pair("cost", fmt.usd(row.cost_nano_usd))
    sheet.pair("requests", fmt.whole(row.exchanges))
    if row.session_id is not None:
        sheet.pair("session", row.session_id)
    if not row.is_certain:
        sheet.text("Read from the traffic, not a fact on the wire: look before you act on it.", sheet.inks.muted)


def _write_break(sheet: Sheet, row: BreakStory) -> None:
    sheet.text(fmt.one_line(row.summary), sheet.inks.strong)
    sheet.text(f"→ {row.action}", sheet.inks.accent)
    sheet.gap()
    sheet.pair("times", fmt.whole(row.breaks))
    sheet.pair("paid for again", f"{fmt.whole(row.rewritten_tokens)} tokens")
    sheet.pair("extra cost", f"{fmt.usd(row.extra_cost_nano_usd)} above reading them from the cache")


def _write_carried(sheet: Sheet, row: CarriedContent) -> None:
    sheet.text(f"{source_name(row.source)}: {row.part.value}", sheet.inks.strong)
    sheet.gap()
    if row.about is not None:
        sheet.pair("asked with", fmt.one_line(row.about))
    sheet.pair("size", f"{fmt.whole(row.tokens_each)} tokens")
    sheet.pair(
        "came in",
        f"with #{row.entered_id}, request {row.entered_turn + 1} of its conversation, for {fmt.usd(row.entry.cost_nano_usd)}",
    )
    later = row.turns_carried - 1
    sheet.pair(
        "carried",
        f"through {fmt.whole(later)} more request{'' if later == 1 else 's'}, for {fmt.usd(row.carried.cost_nano_usd)}"
        f" ({fmt.whole(row.carried.tokens)} tokens)",
    )


def _write_worth(sheet: Sheet, row: Worth) -> None:
    sheet.text(source_name(row.source), sheet.inks.strong)
    sheet.gap()
    sheet.pair("votes", fmt.whole(row.votes))
    sheet.pair("average", f"{fmt.average_rating(row.average_rating)}, 95 % interval {interval(row)}")
    sheet.pair("cost", f"{fmt.usd(row.cost_nano_usd)} in the rated requests")
    if row.is_ranked:
        sheet.pair("value", f"{value_per_usd(row)} points per dollar")
    else:
        sheet.text(f"With fewer than {SMALLEST_RANKED_VOTES} votes nothing is compared.", sheet.inks.muted)


def _write_sizes(sheet: Sheet, row: SizeHistory) -> None:
    sheet.text(source_name(row.source), sheet.inks.strong)
    sheet.text(f"Tokens it puts into a request, {fmt.growth(row.growth)} since it was first seen", sheet.inks.muted)
    sheet.gap()
    for point in row.points:
        sheet.pair(
            point.day,
            f"{fmt.whole(point.tokens)} in {fmt.whole(point.requests)} requests, client {point.client_version or '?'}",
        )
