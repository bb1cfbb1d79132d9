"""`assay serve`: the dashboard in a web browser, by way of textual-serve."""

import os
import shlex
import sys

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.errors import AssayError, ConfigurationError
from tui.invocation import named_command
from tui.settings import Group
from tui.starting import check_address

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@declare(
    "serve",
    examples=["assay serve", "assay serve --web-port 8001 --database colleague.db"],
    exit_codes=["0 ended, 1 textual-serve is not installed, 2 not a loopback address, 3 the port is taken"],
)
@click.option("--web-host", default="127.0.0.1", show_default=True, help="Loopback address to serve on.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to serve on.")
@setting_options(Group.STORAGE, only=("database", "data_dir"))
@click.pass_context
def command(ctx: click.Context, /, web_host: str, web_port: int, **_settings: object) -> None:
    """Show the dashboard over the database in a web browser (no proxy: start that beside it)."""
    if web_host not in _LOOPBACK:
        message = f"--web-host {web_host}: whoever can reach the page can try to read every prompt"
        raise ConfigurationError(message, f"Use one of {', '.join(_LOOPBACK)}, and an SSH tunnel from elsewhere")
    try:
        from tui.browser import BrowserServer
    except ImportError as error:
        raise AssayError("textual-serve is not installed", "Install it beside Assay: pip install textual-serve") from error
    settings = settings_of(ctx)
    check_address(web_host, web_port, option="--web-port")
    # By the environment: a command line, with whatever password is in it, can be read by others.
    os.environ |= {"ASSAY_DATABASE": settings.database, "ASSAY_DATA_DIR": str(settings.data_dir)} | named_command()
    line = shlex.join([sys.executable, "-c", "from tui.cli.main import main; main()", "view"])
    server = BrowserServer(line, web_host, web_port)
    click.echo(f"assay: the dashboard is on {server.address}\n       for this user alone; Ctrl+C ends it", err=True)
    server.serve()
