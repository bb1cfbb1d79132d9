"""`assay view`: the dashboard over what was captured before, without a proxy."""

import os

import click

from tui.cli.command import command as declare
from tui.cli.live import has_terminal
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.errors import AssayError
from tui.invocation import own_command
from tui.settings import Group


@declare(
    "view",
    examples=["assay view", "assay view --database colleague.db"],
    exit_codes=["0 closed, 1 there is no terminal, or the dashboard failed, 5 database unusable, 7 there is no database yet"],
)
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, **_settings: object) -> None:
    """Open the dashboard over a database; nothing is captured."""
    with opened_store(settings_of(ctx)) as store:
        if not has_terminal() and "TEXTUAL_DRIVER" not in os.environ:
            assay = own_command()
            raise AssayError(
                "there is no terminal to show a dashboard on", f"See {assay} sessions, {assay} sources, {assay} export"
            )
        from tui.app import AssayApp
        from tui.interpreter import DRAWING_THRESHOLDS, favour_latency
        from tui.terminal import draw_where_it_is_seen, end_with_terminal

        draw_where_it_is_seen()
        end_with_terminal()
        app = AssayApp(store)
        favour_latency(DRAWING_THRESHOLDS)
        app.run()
    ctx.exit(app.return_code or 0)
