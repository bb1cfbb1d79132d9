"""`assay prune`: what retention does by itself every hour, now."""

import sys

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.settings import Group


@declare(
    "prune",
    examples=["assay prune", "assay prune --retention-days 7 --yes", "assay prune --retention-size 500MB --yes"],
    exit_codes=["0 done, 1 not confirmed, 5 database unusable, 7 there is none yet"],
)
@click.option("-y", "--yes", "is_confirmed", is_flag=True, help="Do not ask.")
@setting_options(Group.STORAGE, only=("database", "data_dir", "retention_days", "retention_size"))
@click.pass_context
def command(ctx: click.Context, /, is_confirmed: bool, **_settings: object) -> None:
    """Delete exchanges that are older than --retention-days, and the oldest ones beyond --retention-size.

    Totals per source outlive them. A running Assay does this by itself.
    """
    from storage.retention import prune
    from tui.starting import retention_policy

    settings = settings_of(ctx)
    policy = retention_policy(settings)
    with opened_database(settings) as database:
        if not is_confirmed:
            rules = [f"older than {settings.retention_days} days"] if settings.retention_days else []
            rules += [f"beyond {settings.retention_size:,} bytes"] if settings.retention_size else []
            if not rules:
                click.echo("nothing to do: there is no bound on age or size")
                return
            if not sys.stdin.isatty():
                raise click.UsageError("Nobody can be asked here: confirm with --yes")
            click.confirm(f"Delete exchanges {' and '.join(rules)} from {database.name}?", abort=True, err=True)
        outcome = prune(database, policy)
    click.echo(f"deleted {outcome.exchanges} exchanges, freed {outcome.freed_bytes:,} bytes")
