"""`assay insights`: what to cut, what broke the cache, what carrying costs, what it was worth."""

import json
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.insight_options import range_options, wanted_clause, wanted_range
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_rows
from tui.settings import Group

if TYPE_CHECKING:
    from storage.insights.overview import Insights


@declare(
    "insights",
    examples=[
        "assay insights --since 7d              # what to change, dearest first",
        "assay insights --session 3f2a --json   # everything, for a program",
    ],
    exit_codes=["0 told, 5 database unusable, 7 there is no database yet"],
)
@range_options
@click.option("--limit", type=click.IntRange(1, 1000), default=15, show_default=True, help="Rows of each table.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object with everything.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, limit: int, is_json: bool, **options: Any) -> None:
    """Tell what was carried in vain, what broke the prompt cache, what grew, and what each source was worth."""
    from storage.insights.objects import insights_object
    from storage.insights.reading import InsightReader

    with opened_database(settings_of(ctx)) as database:
        where = wanted_clause(options, database)
        found = InsightReader(database).insights(wanted_range(options), options["session_id"], where)
    if is_json:
        click.echo(json.dumps(insights_object(found), indent=2))
    else:
        _write(found, limit)


def _write(found: "Insights", limit: int) -> None:
    from tui import format as fmt

    cut = " (the newest of the range)" if found.is_cut else ""
    click.echo(
        f"{found.requests} requests{cut}, {fmt.tokens(found.input.tokens)} tokens in for {fmt.usd(found.input.cost_nano_usd)}"
    )
    if found.waste.cost_nano_usd:
        click.echo(f"{fmt.usd(found.waste.cost_nano_usd)} of it could have been saved")
    if found.textless_requests:
        click.echo(
            f"{found.textless_requests} of them without text: repeated paragraphs and unneeded results are not seen there"
        )
    _write_findings(found, limit)
    _write_breaks(found, limit)
    _write_carried(found, limit)
    _write_worths(found, limit)


def _heading(text: str) -> None:
    click.echo()
    click.echo(click.style(text, bold=True))


def _write_findings(found: "Insights", limit: int) -> None:
    from tui import format as fmt

    _heading("What to change")
    if not found.findings:
        click.echo("Nothing was found that was carried in vain.")
    for finding in found.findings[:limit]:
        doubt = "" if finding.is_certain else " (perhaps)"
        figures = f"{fmt.tokens(finding.tokens)} tokens, {fmt.usd(finding.cost_nano_usd)}"
        click.echo(f"- {fmt.one_line(finding.summary)}{doubt}: {figures}")
        click.echo(f"  {fmt.one_line(finding.action)}")


def _write_breaks(found: "Insights", limit: int) -> None:
    from tui import format as fmt

    if not found.breaks:
        return
    _heading("What broke the prompt cache")
    rows = [
        (story.summary, str(story.breaks), fmt.tokens(story.rewritten_tokens), fmt.usd(story.extra_cost_nano_usd))
        for story in found.breaks[:limit]
    ]
    write_rows(("cause", "times", "rewritten", "extra cost"), rows, right=("times", "rewritten", "extra cost"))


def _write_carried(found: "Insights", limit: int) -> None:
    from tui import format as fmt

    _heading("What carrying costs")
    rows = [
        (
            f"{item.source.source_type} {item.source.source_name or ''} {item.part}".replace("  ", " "),
            fmt.tokens(item.tokens_each),
            str(item.turns_carried),
            fmt.usd(item.entry.cost_nano_usd),
            fmt.usd(item.carried.cost_nano_usd),
        )
        for item in found.carried[:limit]
    ]
    columns = ("content", "tokens", "requests", "to enter", "to carry")
    write_rows(columns, rows, right=columns[1:])


def _write_worths(found: "Insights", limit: int) -> None:
    from tui import format as fmt

    if not found.worths:
        return
    _heading("What it was worth")
    rows = [
        (
            f"{worth.source.source_type} {worth.source.source_name or ''}".rstrip(),
            str(worth.votes),
            fmt.average_rating(worth.average_rating),
            "-" if worth.interval is None else f"{worth.interval[0]:+.2f} to {worth.interval[1]:+.2f}",
            "-" if worth.value_per_usd is None or not worth.is_ranked else f"{worth.value_per_usd:,.1f}",
        )
        for worth in found.worths[:limit]
    ]
    columns = ("source", "votes", "average", "95 % interval", "value per $")
    write_rows(columns, rows, right=columns[1:])
