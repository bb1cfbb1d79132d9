"""The cost tab: usage as billed, the arithmetic from tokens to dollars step by step, and the proof that the parts add up."""

from typing import Final

from proxy_core.attribution.model import Ledger, LedgerLine, Zone
from proxy_core.exchange import ExchangeState
from storage.views import ExchangeDetail
from tui import format as fmt
from tui.colours import zone_colour
from tui.composition import INPUT_ZONES
from tui.invocation import own_command
from tui.pages.sheet import Sheet
from tui.theme import ink

ZONE_TITLES: Final = {
    Zone.CACHE_READ: "cache read",
    Zone.CACHE_WRITE_1H: "cache write, 1 hour",
    Zone.CACHE_WRITE_5M: "cache write, 5 minutes",
    Zone.FRESH: "fresh input",
    Zone.OUTPUT: "output",
}
_NAME, _FIGURE = 24, 12


def write_cost(sheet: Sheet, detail: ExchangeDetail) -> None:
    """Write usage, arithmetic and proof."""
    _write_usage(sheet, detail)
    ledger = detail.ledger
    if ledger is None:
        sheet.heading("Cost")
        sheet.text("No prompt was sent, so nothing is billed by tokens.", sheet.inks.muted)
        return
    _write_zones(sheet, ledger)
    _write_steps(sheet, detail, ledger)
    _write_proof(sheet, ledger)
    if ledger.notes or detail.notes:
        sheet.heading("Notes")
        for note in dict.fromkeys((*ledger.notes, *detail.notes)):
            sheet.remark(note)


def _write_usage(sheet: Sheet, detail: ExchangeDetail) -> None:
    usage = detail.usage
    sheet.heading("Usage, as the API reported it")
    if usage is None or usage.total_input_tokens is None:
        sheet.text("The API has reported none; all figures here are estimates.", sheet.inks.muted)
        return
    for name, count in (
        ("fresh input", usage.input_tokens),
        ("cache read", usage.cache_read_tokens),
        ("cache write, 5 minutes", usage.cache_write_5m_tokens),
        ("cache write, 1 hour", usage.cache_write_1h_tokens),
        ("output", usage.output_tokens),
        ("  of it thinking", usage.thinking_tokens),
        ("web searches", usage.web_search_requests),
        ("web fetches", usage.web_fetch_requests),
    ):
        if count is not None:
            sheet.line(
                (" " + fmt.fit(name, _NAME), sheet.inks.muted),
                (fmt.fit(fmt.whole(count), _FIGURE, is_right=True), sheet.inks.plain),
            )
    for name, value in (("service tier", usage.service_tier), ("region", usage.inference_geo), ("speed", usage.speed)):
        if value is not None:
            sheet.line(
                (" " + fmt.fit(name, _NAME), sheet.inks.muted), (fmt.fit(value, _FIGURE, is_right=True), sheet.inks.plain)
            )


def _write_zones(sheet: Sheet, ledger: Ledger) -> None:
    mark = "" if ledger.is_settled else "estimated"
    sheet.heading("What it cost", mark)
    heads = "".join(fmt.fit(text, _FIGURE, is_right=True) for text in ("tokens", "$ per M", "dollars"))
    sheet.line((" " + " " * _NAME + heads, sheet.inks.muted))
    for zone in (*INPUT_ZONES, Zone.OUTPUT):
        lines = [line for line in ledger.lines if line.zone is zone]
        if lines:
            _write_zone(sheet, zone, lines)
    total = sum(line.tokens for line in ledger.lines)
    sheet.line((" " + "─" * (_NAME + 3 * _FIGURE), sheet.inks.faint))
    figures = fmt.fit(fmt.whole(total), _FIGURE, is_right=True) + " " * _FIGURE
    cost = fmt.fit(fmt.exact_usd(ledger.cost_nano_usd), _FIGURE, is_right=True)
    sheet.line((" " + fmt.fit("in all", _NAME), sheet.inks.strong), (figures + cost, sheet.inks.strong))


def _write_zone(sheet: Sheet, zone: Zone, lines: list[LedgerLine]) -> None:
    count = sum(line.tokens for line in lines)
    cost = _known_sum(lines)
    rate = f"{cost / count / 1000:.4g}" if cost is not None and count else fmt.UNKNOWN
    figures = (fmt.whole(count), rate, fmt.exact_usd(cost))
    sheet.line(
        (" ■ ", ink(zone_colour(zone, is_dark=sheet.inks.is_dark))),
        (fmt.fit(ZONE_TITLES[zone], _NAME - 2), sheet.inks.plain),
        ("".join(fmt.fit(text, _FIGURE, is_right=True) for text in figures), sheet.inks.plain),
    )


def _write_steps(sheet: Sheet, detail: ExchangeDetail, ledger: Ledger) -> None:
    basis = ledger.cost_basis
    sheet.heading("Step by step", basis.library)
    is_over = detail.summary.state is not ExchangeState.OPEN
    if basis.price_model is None and not ledger.is_settled and ledger.cost_nano_usd is None and is_over:
        sheet.text("No bill came, so what it cost is not known.", sheet.inks.muted)
        return
    if basis.price_model is None and (not ledger.is_settled or basis.modifiers):
        for step in basis.steps:
            sheet.text(step, sheet.inks.muted)
        return
    if basis.price_model is None:
        sheet.text("No price is known for this model: tokens are counted, dollars are not guessed.", sheet.inks.warning)
        sheet.text(f"Name one in your own price list (--prices FILE), then: {own_command()} reanalyze", sheet.inks.muted)
        return
    sheet.pair("priced as", basis.price_model)
    if basis.modifiers:
        sheet.pair("modifiers", ", ".join(basis.modifiers))
    for step in basis.steps:
        sheet.text(step, indent=1)


def _write_proof(sheet: Sheet, ledger: Ledger) -> None:
    sheet.heading("Does it add up?", f"counted by {ledger.tokenizer}")
    parts = sum(line.tokens for line in ledger.lines if line.zone is not Zone.OUTPUT)
    _write_check(sheet, "tokens of all sources", fmt.whole(parts), fmt.whole(ledger.total_input_tokens), ledger)
    cost = _known_sum(list(ledger.lines))
    if cost is not None:
        _write_check(sheet, "dollars of all sources", fmt.exact_usd(cost), fmt.exact_usd(ledger.cost_nano_usd), ledger)


def _write_check(sheet: Sheet, name: str, parts: str, whole: str, ledger: Ledger) -> None:
    billed = "billed" if ledger.is_settled else "estimated"
    sign, style = ("=", sheet.inks.good) if parts == whole else ("≠", sheet.inks.error)
    sheet.line(
        (" " + fmt.fit(name, _NAME), sheet.inks.muted),
        (fmt.fit(parts, _FIGURE, is_right=True), sheet.inks.plain),
        (f"  {sign}  ", style),
        (f"{whole} {billed}", sheet.inks.plain),
    )


def _known_sum(lines: list[LedgerLine]) -> int | None:
    costs = [line.cost_nano_usd for line in lines if line.cost_nano_usd is not None]
    return sum(costs) if costs else None
