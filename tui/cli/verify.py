"""`assay verify`: the proof that what was captured is still there, byte for byte."""

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.progress import shown_progress
from tui.settings import Group

_SHOWN = 50


@declare(
    "verify",
    examples=["assay verify", "assay verify --database colleague.db"],
    exit_codes=["0 everything is sound, 1 something is not, 5 database unusable, 7 there is none yet"],
)
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, **_settings: object) -> None:
    """Rebuild every stored body and compare it with the SHA-256 of what was on the wire.

    Also reads every header list and attribution, and lets the database check its own file. Nothing is changed.
    """
    from storage.verify import verify_database

    with opened_database(settings_of(ctx)) as database, shown_progress("verifying") as progress:
        report = verify_database(database, progress)
    for damage in report.damage[:_SHOWN]:
        click.echo(f"database: {damage}")
    for problem in report.problems[:_SHOWN]:
        click.echo(f"{problem.exchange_id}: {problem.what}")
    hidden = max(0, len(report.problems) - _SHOWN)
    if hidden:
        click.echo(f"... and {hidden} more")
    click.echo(
        f"{report.exchanges} exchanges: {report.proved} bodies equal to the wire, {report.redacted} equal to what was kept "
        f"(secrets replaced or bytes missing), {report.dropped} not kept; {report.checked_bytes:,} bytes; "
        + ("all sound" if report.is_sound else f"{len(report.problems) + len(report.damage)} PROBLEMS")
    )
    ctx.exit(0 if report.is_sound else 1)
