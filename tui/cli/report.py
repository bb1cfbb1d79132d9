"""`assay report`: a page about captured traffic that a person would share."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_database
from tui.cli.options import setting_options, settings_of
from tui.cli.times import since_option, until_option
from tui.errors import NotFoundError
from tui.settings import Group

if TYPE_CHECKING:
    from tui.report.contents import Report

_FORMATS = ("html", "md", "json")


@declare(
    "report",
    examples=[
        "assay report --since 7d -o report.html   # a self-contained page",
        "assay report --session 3f2a --format md  # for an issue or a chat",
    ],
    exit_codes=["0 written, 5 database unusable, 7 no database or no such session"],
)
@since_option
@until_option
@click.option("--session", "session_id", default=None, metavar="ID", help="About this session only.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="File; its ending names the format."
)
@click.option(
    "--format", "wanted_format", type=click.Choice(_FORMATS), default=None, help="Format; html if nothing says otherwise."
)
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(
    ctx: click.Context, /, output: Path | None, wanted_format: str | None, session_id: str | None, **options: Any
) -> None:
    """Write a report: what the requests were made of, what to change, the cache's story. Names and sizes, no contents."""
    from storage.ranges import TimeRange
    from tui.report.gathering import NoSuchSessionError, gather_report

    with opened_database(settings_of(ctx)) as database:
        try:
            report = gather_report(database, TimeRange(options["since"], options["until"]), session_id)
        except NoSuchSessionError as error:
            raise NotFoundError(str(error)) from error
    rendered = _render(report, wanted_format or _format_of(output))
    if output is None:
        click.echo(rendered, nl=False)
    else:
        output.write_text(rendered, encoding="utf-8")
        click.echo(f"wrote {output}", err=True)


def _format_of(output: Path | None) -> str:
    ending = output.suffix.removeprefix(".").lower() if output is not None else ""
    return {"md": "md", "markdown": "md", "json": "json"}.get(ending, "html")


def _render(report: "Report", wanted_format: str) -> str:
    if wanted_format == "html":
        from tui.report.html import render_html

        return render_html(report)
    if wanted_format == "md":
        from tui.report.markdown import render_markdown

        return render_markdown(report)
    from tui.report.objects import report_object

    return json.dumps(report_object(report), indent=2) + "\n"
