"""What a run came to, on standard error: requests, tokens, cost, the largest sources, and what went wrong."""

from typing import TYPE_CHECKING

import click

from tui import format as fmt
from tui.cli.opening import opened_store
from tui.cli.sources import write_sources
from tui.errors import AssayError
from tui.invocation import own_command
from tui.settings import Settings

if TYPE_CHECKING:
    from storage.views import SummaryMetrics
    from tui.runtime import Runtime

_TOP = 8


def write_summary(settings: Settings, runtime: "Runtime") -> None:
    """Write the summary of everything that was captured since the runtime started."""
    try:
        with opened_store(settings) as store:
            from storage.ranges import TimeRange
            from storage.views import SourceOrder

            wanted = TimeRange(runtime.started_us, None)
            totals = store.sources.summary(wanted)
            found = store.sources.metrics(wanted, order=SourceOrder.TOTAL_TOKENS)
    except AssayError as error:
        click.echo(f"assay: no summary: {error}", err=True)
        return
    click.echo(f"\nassay: {totals_line(totals)}", err=True)
    if found:
        write_sources(found, _TOP, is_error=True)
    for line in trouble_lines(runtime):
        click.echo(f"assay: {line}", err=True)
    click.echo(f"assay: look closer with: {own_command()} view", err=True)


def totals_line(totals: "SummaryMetrics") -> str:
    """Say in one line what a range came to."""
    if not totals.total_requests:
        return f"no request to the Claude API was seen ({own_command()} doctor tells the usual reasons)"
    parts = [
        f"{totals.total_requests} request{'s' if totals.total_requests != 1 else ''}",
        f"{fmt.tokens(totals.total_input_tokens)} tokens in",
        f"{fmt.tokens(totals.total_output_tokens)} out",
        fmt.usd(totals.total_cost_nano_usd) if totals.total_cost_nano_usd is not None else "not priced",
    ]
    if totals.unpriced_requests and totals.total_cost_nano_usd is not None:
        parts[-1] += f" (+ {totals.unpriced_requests} requests without a known price)"
    if totals.average_proxy_ms is not None:
        parts.append(f"{fmt.milliseconds(totals.average_proxy_ms)} in Assay each")
    return ", ".join(parts)


def trouble_lines(runtime: "Runtime") -> list[str]:
    """Say what could not be kept; an empty list when all is well."""
    counters = runtime.counters()
    lines = []
    if counters.dropped:
        lines.append(f"{counters.dropped} exchanges could not be recorded (their traffic went on): {counters.last_error}")
    if counters.capture_errors or counters.writer_errors or counters.analysis_errors:
        lines.append(
            f"errors: {counters.capture_errors} while capturing, {counters.writer_errors} while storing, "
            f"{counters.analysis_errors} while analysing; the last: {counters.last_error}"
        )
    if failure := runtime.failure():
        lines.append(failure)
    return lines
