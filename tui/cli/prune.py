"""`assay prune`: what retention does by itself every hour, now."""

import sys
import time
from typing import TYPE_CHECKING

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.times import POINT_IN_TIME
from tui.settings import Group

if TYPE_CHECKING:
    from storage.retention import RetentionPolicy


@declare(
    "prune",
    examples=["assay prune", "assay prune --older-than 7d --yes", "assay prune --retention-size 500MB --yes"],
    exit_codes=["0 done, 1 not confirmed, 5 database unusable, 7 there is none yet"],
)
@click.option("--older-than", type=POINT_IN_TIME, default=None, help="Instead of --retention-days: 12h, 7d, 2026-01-31.")
@click.option("-y", "--yes", "is_confirmed", is_flag=True, help="Do not ask.")
@setting_options(Group.STORAGE, only=("database", "data_dir", "retention_days", "retention_size"))
@click.pass_context
def command(ctx: click.Context, /, older_than: int | None, is_confirmed: bool, **_settings: object) -> None:
    """Delete exchanges that are older than --retention-days, and the oldest ones beyond --retention-size.

    Totals per source outlive them. A running Assay does this by itself.
    """
    from storage.retention import DAY_US, RetentionPolicy, prune
    from tui.starting import retention_policy

    settings = settings_of(ctx)
    policy = retention_policy(settings)
    if older_than is not None:
        age_days = max(0, time.time_ns() // 1000 - older_than) / DAY_US
        policy = RetentionPolicy(max_age_days=age_days, max_bytes=policy.max_bytes)
    with opened_database(settings) as database:
        if not is_confirmed and not confirm(policy, database.name):
            return
        outcome = prune(database, policy)
    click.echo(f"deleted {outcome.exchanges} exchanges, freed {outcome.freed_bytes:,} bytes")


def confirm(policy: "RetentionPolicy", name: str) -> bool:
    """Ask; False when there is nothing to ask about."""
    rules = [f"older than {policy.max_age_days:g} days"] if policy.max_age_days is not None else []
    rules += [f"beyond {policy.max_bytes:,} bytes"] if policy.max_bytes else []
    if not rules:
        click.echo("nothing to do: there is no bound on age or size")
        return False
    if not sys.stdin.isatty():
        raise click.UsageError("Nobody can be asked here: confirm with --yes")
    click.confirm(f"Delete exchanges {' and '.join(rules)} from {name}?", abort=True, err=True)
    return True
