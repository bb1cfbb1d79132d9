"""`assay check`: budgets that fail a build or a hook."""

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.insight_options import range_options, wanted_turns
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.tables import write_rows
from tui.settings import Group

if TYPE_CHECKING:
    from storage.insights.gates import Gate, GateResult


@declare(
    "check",
    examples=[
        "assay check --max-tokens 'source:mcp:*=20000' --max-cost 1.50 --since 1d",
        "assay check --max-tokens 150k --session 3f2a --json",
    ],
    exit_codes=["0 all within the limits, 1 a limit is passed, 2 wrong use, 5 database unusable, 7 there is no database yet"],
)
@click.option("--max-tokens", multiple=True, metavar="[SOURCE=]N", help="Most input tokens a single request may carry of it.")
@click.option("--max-cost", multiple=True, metavar="[SOURCE=]USD", help="Most it may cost over the range, in dollars.")
@range_options
@click.option("--json", "is_json", is_flag=True, help="One JSON array.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context, /, max_tokens: tuple[str, ...], max_cost: tuple[str, ...], is_json: bool, **options: Any
) -> None:
    """Compare captured traffic with budgets; exit with 1 when one is passed. An unknown price passes no cost limit."""
    from storage.insights.gates import check_gates, parse_cost_gate, parse_tokens_gate
    from storage.insights.objects import gate_object

    gates = [*_read(parse_tokens_gate, max_tokens, "--max-tokens"), *_read(parse_cost_gate, max_cost, "--max-cost")]
    if not gates:
        raise click.UsageError("name a budget: --max-tokens or --max-cost")
    with opened_database(settings_of(ctx)) as database:
        results = check_gates(wanted_turns(database, options), gates)
    if is_json:
        click.echo(json.dumps([gate_object(result) for result in results], indent=2))
    else:
        _write(results)
    ctx.exit(0 if all(result.is_passed for result in results) else 1)


def _read(parse: "Callable[[str], Gate]", texts: Iterable[str], option: str) -> "list[Gate]":
    from storage.insights.gates import GateError

    try:
        return [parse(text) for text in texts]
    except GateError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def _write(results: "list[GateResult]") -> None:
    from tui import format as fmt

    rows = []
    for result in results:
        limit = result.gate.max_tokens
        measured, allowed = (
            (fmt.usd(result.measured_cost_nano_usd), fmt.usd(result.gate.max_cost_nano_usd))
            if limit is None
            else (fmt.whole(result.measured_tokens), fmt.whole(limit))
        )
        rows.append((result.name, measured, allowed, "ok" if result.is_passed else "OVER"))
    write_rows(("what", "measured", "limit", "result"), rows, right=("measured", "limit"))
