"""`assay api`: the JSON API over a database alone."""

import click

from tui.cli.command import command as declare
from tui.cli.opening import opened_store
from tui.cli.options import setting_options, settings_of
from tui.errors import AssayError, PortTakenError
from tui.settings import Group


@declare(
    "api",
    examples=[
        "assay api --database colleague.db --api-port 0",
        'curl -H "Authorization: Bearer $(assay token)" http://127.0.0.1:3001/api/claude/metrics/summary',
    ],
    exit_codes=["0 ended by SIGINT or SIGTERM, 1 the API failed, 3 port taken, 5 database unusable, 7 there is none yet"],
)
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@setting_options(Group.API, leave_out=("api",))
@click.pass_context
def command(ctx: click.Context, /, **_settings: object) -> None:
    """Serve the JSON API over a database, without a proxy, until SIGINT or SIGTERM."""
    from storage.api.server import ApiThread
    from storage.errors import ApiUnavailableError
    from tui.ending import ending_signals
    from tui.headless import token_command
    from tui.starting import api_settings

    settings = settings_of(ctx)
    with opened_store(settings) as store, ending_signals() as ending:
        shape = api_settings(settings)
        api = ApiThread(store, shape)
        try:
            api.start()
        except ApiUnavailableError as error:
            raise PortTakenError(str(error)) from error
        if shape.warning:
            click.echo(f"assay: WARNING: {shape.warning}", err=True)
        click.echo(f"assay: JSON API on {api.url} ({token_command(settings.data_dir)} prints its key)", err=True)
        while not ending.wait(0.5) and api.is_running:
            pass
        api.stop()
        if api.failure is not None:
            raise AssayError(f"the JSON API failed: {api.failure}")
