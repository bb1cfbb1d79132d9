"""`assay what-if`: what captured traffic would have cost without a source, or with its tools deferred."""

import json
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.insight_options import range_options, wanted_turns
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.settings import Group

if TYPE_CHECKING:
    from storage.insights.what_if import WhatIf


@declare(
    "what-if",
    examples=[
        "assay what-if --without mcp:context7 --since 7d",
        "assay what-if --without 'skill:*' --without memory:*/CLAUDE.local.md",
        "assay what-if --defer mcp:github --session 3f2a",
    ],
    exit_codes=["0 told, 2 no such kind of source, 5 database unusable, 7 there is no database yet"],
)
@click.option(
    "--without", "removed", multiple=True, metavar="KIND:NAME", help="Leave this source out (repeatable; * fits all)."
)
@click.option(
    "--defer", "deferred", multiple=True, metavar="KIND:NAME", help="Defer its tools instead: names stay (repeatable)."
)
@range_options
@click.option("--json", "is_json", is_flag=True, help="One JSON object.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, removed: tuple[str, ...], deferred: tuple[str, ...], is_json: bool, **options: Any) -> None:
    """Recompute captured traffic without a source: tokens and dollars, cache effects included."""
    from storage.insights import what_if
    from storage.insights.gates import GateError, source_matches
    from storage.insights.objects import what_if_object

    if bool(removed) == bool(deferred):
        raise click.UsageError("name what to leave out: either --without or --defer")
    with opened_database(settings_of(ctx)) as database:
        turns = wanted_turns(database, options)
    recompute = what_if.without if removed else what_if.deferred
    try:
        result = recompute(turns, lambda source: any(source_matches(source, pattern) for pattern in removed or deferred))
    except GateError as error:
        raise click.UsageError(str(error)) from error
    if is_json:
        click.echo(json.dumps(what_if_object(result), indent=2))
    else:
        _write(result)


def _write(result: "WhatIf") -> None:
    from tui import format as fmt

    before = f"{fmt.tokens(result.before.tokens)} tokens, {fmt.usd(result.before.cost_nano_usd)}"
    mark = "~" if result.is_estimate else ""
    saved_share = fmt.percent(result.tokens_saved, result.before.tokens)
    click.echo(f"Billed input of {result.requests} requests: {before}")
    click.echo(
        f"Saved: {mark}{fmt.tokens(result.tokens_saved)} tokens ({saved_share}), {mark}{fmt.usd(result.cost_saved_nano_usd)},"
        f" in {result.requests_changed} requests"
    )
    if result.breaks_avoided:
        click.echo(
            f"of which {fmt.usd(result.cache_saved_nano_usd)} by {result.breaks_avoided} cache breaks that would not have been"
        )
