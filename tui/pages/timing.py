"""The timing tab: where the time of one exchange went, as a waterfall over its recorded times."""

from dataclasses import dataclass
from typing import Final

from rich.style import Style

from proxy_core.exchange import ExchangeState, Timing
from storage.views import ExchangeDetail
from tui import format as fmt
from tui.pages.sheet import Sheet
from tui.theme import Inks

_NAME: Final = 26
_TIME: Final = 9


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of an exchange."""

    name: str
    start_us: int | None
    end_us: int | None
    owner: str
    """Whose time it is: `client`, `assay`, `api`."""


def phases(timing: Timing) -> tuple[Phase, ...]:
    """Cut an exchange into its stretches, in order; unknown ends stay `None`."""
    return (
        Phase("client sends request", timing.client_started_us, timing.proxy_received_us, "client"),
        Phase("Assay passes it on", timing.proxy_received_us, timing.proxy_forwarded_us, "assay"),
        Phase("API thinks", timing.proxy_forwarded_us, timing.first_byte_us, "api"),
        Phase("Assay passes first byte on", timing.first_byte_us, timing.first_byte_delivered_us, "assay"),
        Phase("API answers", timing.first_byte_us, timing.last_byte_us, "api"),
        Phase("Assay passes last byte on", timing.last_byte_us, timing.delivered_us, "assay"),
    )


def write_timing(sheet: Sheet, detail: ExchangeDetail) -> None:
    """Write waterfall, times and rates."""
    timing, summary = detail.timing, detail.summary
    ended = "still running" if summary.state is ExchangeState.OPEN else "it never ended"
    total = f"{fmt.milliseconds(timing.latency_ms)} in all" if timing.latency_ms is not None else ended
    sheet.heading("Where the time went", total)
    sheet.gap()
    span_us = max((phase.end_us or 0 for phase in phases(timing)), default=0) - timing.client_started_us
    for phase in phases(timing):
        _write_phase(sheet, phase, timing.client_started_us, span_us)
    sheet.gap()
    _write_owners(sheet, timing)
    sheet.heading("Times")
    for name, at_us in (
        ("client started", timing.client_started_us),
        ("request complete", timing.proxy_received_us),
        ("forwarded", timing.proxy_forwarded_us),
        ("first byte in", timing.first_byte_us),
        ("first byte out", timing.first_byte_delivered_us),
        ("last byte in", timing.last_byte_us),
        ("last byte out", timing.delivered_us),
    ):
        sheet.pair(name, fmt.precise(at_us))
    sheet.heading("Rates")
    sheet.pair("first byte after", fmt.milliseconds(summary.first_byte_ms))
    sheet.pair("Assay's own share", fmt.milliseconds(summary.proxy_ms))
    sheet.pair("waited to connect", _connection(timing))
    sheet.pair("output", _rate(detail))


def _write_phase(sheet: Sheet, phase: Phase, origin_us: int, span_us: int) -> None:
    inks = sheet.inks
    if phase.start_us is None or phase.end_us is None:
        sheet.line((" " + fmt.fit(phase.name, _NAME), inks.muted), (fmt.fit(fmt.UNKNOWN, _TIME, is_right=True), inks.faint))
        return
    room = max(10, sheet.width - _NAME - _TIME - 5)
    start = round(room * (phase.start_us - origin_us) / span_us) if span_us > 0 else 0
    length = (phase.end_us - phase.start_us) / span_us if span_us > 0 else 0
    start = min(start, room - 1)
    drawn = fmt.bar(min(length, (room - start) / room), room) or "▏"
    if start == room - 1 and drawn == "▏":
        drawn = "▕"
    took = fmt.milliseconds((phase.end_us - phase.start_us) / 1000)
    sheet.line(
        (" " + fmt.fit(phase.name, _NAME), inks.plain),
        (fmt.fit(took, _TIME, is_right=True) + "  ", inks.strong),
        (" " * start + drawn, _owner_ink(phase.owner, inks)),
    )


def _write_owners(sheet: Sheet, timing: Timing) -> None:
    spent: dict[str, int] = {}
    for phase in phases(timing):
        if phase.start_us is not None and phase.end_us is not None and phase.name != "Assay passes first byte on":
            spent[phase.owner] = spent.get(phase.owner, 0) + phase.end_us - phase.start_us
    if "assay" in spent:
        spent["assay"] = max(0, spent["assay"] - (timing.upstream_connect_us or 0))
    names = {"client": "client", "assay": "Assay", "api": "API"}
    runs: list[tuple[str, Style]] = [(" ", sheet.inks.plain)]
    for owner, taken in spent.items():
        runs.append(("■ ", _owner_ink(owner, sheet.inks)))
        runs.append((f"{names[owner]} {fmt.milliseconds(taken / 1000)}   ", sheet.inks.muted))
    sheet.line(*runs)


def _owner_ink(owner: str, inks: Inks) -> Style:
    return {"client": inks.muted, "assay": inks.accent, "api": inks.good}[owner]


def _connection(timing: Timing) -> str:
    if timing.upstream_connect_us is None:
        return fmt.UNKNOWN
    if timing.upstream_connect_us == 0:
        return "no, the connection was reused or made ahead"
    return f"{fmt.milliseconds(timing.upstream_connect_us / 1000)} (TCP and TLS to the API)"


def _rate(detail: ExchangeDetail) -> str:
    timing, output = detail.timing, detail.summary.output_tokens
    if output is None or timing.first_byte_us is None or timing.last_byte_us is None:
        return fmt.UNKNOWN
    seconds = (timing.last_byte_us - timing.first_byte_us) / 1_000_000
    return f"{output / seconds:.0f} tokens/s" if seconds > 0.001 else fmt.UNKNOWN
