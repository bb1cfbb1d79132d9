"""`assay import`: recordings of other programs, and our own exports, taken in and analysed."""

from pathlib import Path

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.progress import shown_progress
from tui.settings import Group


@declare(
    "import",
    examples=[
        "assay import session.har",
        "assay import mitmdump.flows --intercept gateway.example.org",
        "assay import colleague.jsonl --database colleague.db && assay view --database colleague.db",
    ],
    exit_codes=[
        "0 taken in, 1 a file is damaged or of no known format (what came before the damage is in), 5 database unusable"
    ],
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--no-analysis", is_flag=True, help="Only take in; assay reanalyze does the rest later.")
@setting_options(Group.PROXY, only=("intercept",))
@setting_options(Group.STORAGE, only=("database", "data_dir", "prices"))
@click.pass_context
def command(ctx: click.Context, /, files: tuple[Path, ...], no_analysis: bool, **_settings: object) -> None:
    """Take in mitmproxy flow files, HAR files, and Assay's own JSONL.

    Secrets are replaced as in live traffic. An exchange that is there already is left as it is, so an import can be repeated.
    """
    from storage.importing.importing import import_file
    from tui.recording import open_redactor

    settings = settings_of(ctx)
    redactor = open_redactor(settings)
    with opened_database(settings, must_exist=False) as database:
        for path in files:
            report = import_file(database, path, redactor, extra_hosts=settings.intercept)
            click.echo(
                f"{path}: {report.imported} imported, {report.already_there} there already, "
                f"{report.foreign} of other hosts left out" + (f", {report.rated} ratings" if report.rated else "")
            )
        if not no_analysis:
            from storage.reanalysis import reanalyze

            price_file = str(settings.prices) if settings.prices else None
            with shown_progress("analysing") as progress:
                done, failed = reanalyze(database, price_file=price_file, progress=progress)
            click.echo(f"analysed {done} exchanges" + (f", {failed} could not be" if failed else ""))
