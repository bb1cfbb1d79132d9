"""`assay reanalyze`: better rules improve the past."""

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.progress import shown_progress
from tui.cli.times import since_option
from tui.settings import Group


@declare(
    "reanalyze",
    examples=["assay reanalyze", "assay reanalyze --since 7d --force --prices my-prices.toml"],
    exit_codes=["0 all analysed, 1 some could not be, 5 database unusable, 7 there is none yet"],
)
@since_option
@click.option(
    "--force", "is_forced", is_flag=True, help="Also what this version has analysed already (prices have changed, say)."
)
@setting_options(Group.STORAGE, only=("database", "data_dir", "prices"))
@click.pass_context
def command(ctx: click.Context, /, since: int | None, is_forced: bool, **_settings: object) -> None:
    """Attribute stored exchanges again, oldest first, and sum up all totals anew.

    What was captured is not touched, and an exchange whose analysis fails keeps the one it has.
    """
    from storage.reanalysis import count_textless, reanalyze
    from tui.starting import open_prices

    settings = settings_of(ctx)
    open_prices(settings)
    with opened_database(settings) as database, shown_progress("analysing") as progress:
        price_file = str(settings.prices) if settings.prices else None
        done, failed = reanalyze(database, since_us=since or 0, is_forced=is_forced, price_file=price_file, progress=progress)
        textless = count_textless(database, since or 0)
    if textless:
        click.echo(
            f"{textless} exchanges have no text any more (kept without bodies, or too old): they stay as they are", err=True
        )
    click.echo(f"analysed {done} exchanges" + (f", {failed} could not be" if failed else ""))
    ctx.exit(1 if failed else 0)
