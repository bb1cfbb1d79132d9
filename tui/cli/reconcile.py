"""`assay reconcile`: our figures beside count_tokens, the client's own report and the rate-limit headers."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.insight_options import range_options, wanted_range, wanted_turns
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_rows
from tui.settings import Group

if TYPE_CHECKING:
    from storage.database import Database
    from storage.insights.reconciliation import Comparison


@declare(
    "reconcile",
    examples=[
        "assay reconcile --since 1d",
        "claude -p 'hello' --output-format json > run.json; assay reconcile --client-report run.json",
    ],
    exit_codes=["0 all agree, 1 a difference was found, 2 unreadable report, 5 database unusable, 7 there is no database yet"],
)
@click.option(
    "--client-report",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="What `claude -p --output-format json` printed.",
)
@range_options
@click.option("--json", "is_json", is_flag=True, help="One JSON array.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, client_report: Path | None, is_json: bool, **options: Any) -> None:
    """Compare billed tokens and cost with what others say of them, and explain the differences."""
    report = None if client_report is None else _read_report(client_report)
    with opened_database(settings_of(ctx)) as database:
        comparisons = _compare(database, options, report)
    if is_json:
        click.echo(json.dumps([asdict(comparison) for comparison in comparisons], indent=2))
    else:
        _write(comparisons)
    ctx.exit(0 if all(comparison.is_agreed for comparison in comparisons) else 1)


def _compare(database: "Database", options: dict[str, Any], report: dict[str, Any] | None) -> "list[Comparison]":
    from storage.insights.reading import InsightReader
    from storage.insights.reconciliation import compare_client_report, compare_counts, compare_rate_limits

    reader, turns = InsightReader(database), wanted_turns(database, options)
    comparisons = compare_counts(turns, reader.counted_prompts(wanted_range(options), options["session_id"]))
    comparisons += compare_rate_limits(reader.response_headers(turns))
    own = None if report is None else compare_client_report(turns, report)
    return comparisons if own is None else [own, *comparisons]


def _read_report(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{path} cannot be read as JSON: {error}", param_hint="--client-report") from error
    # With --output-format stream-json the result is the last of several objects.
    last = report[-1] if isinstance(report, list) and report else report
    if not isinstance(last, dict) or "total_cost_usd" not in last:
        raise click.BadParameter(f"{path} names no total_cost_usd", param_hint="--client-report")
    return last


def _write(comparisons: "list[Comparison]") -> None:
    if not comparisons:
        click.echo("Nothing to compare with: no count_tokens call for a billed prompt, no allowance that others use.")
        return
    rows = [
        (c.what, _figure(c.ours, c.unit), _figure(c.theirs, c.unit), "agrees" if c.is_agreed else "DIFFERS", c.explanation)
        for c in comparisons
    ]
    write_rows(("what", "ours", "theirs", "result", "why"), rows, right=("ours", "theirs"))


def _figure(value: float, unit: str) -> str:
    return f"${value:.6f}" if unit == "USD" else f"{value:,.0f}"
