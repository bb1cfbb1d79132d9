"""`assay run -- CMD`: one program, captured through a proxy of its own."""

import os
from dataclasses import replace

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.settings import Group, Settings

EXIT_NOT_STARTED = 125
"""Assay itself could not start, so the program never ran (as `env`, `timeout` and `docker run` have it)."""


@declare(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    examples=[
        "assay run -- claude",
        'assay run -- claude -p "why does the build fail?"',
        "assay run --quiet -- python agent.py < tasks.txt > answers.txt",
        "assay run --intercept gateway.example.org -- my-agent",
    ],
    exit_codes=[
        "the program's own; 128 + n when signal n ended it; 125 Assay could not start (the program",
        "never ran), 126 it cannot be executed, 127 it was not found",
    ],
)
@click.option("-q", "--quiet", is_flag=True, help="No summary at the end.")
@setting_options(Group.PROXY, leave_out=("capture",))
@setting_options(Group.STORAGE)
@setting_options(Group.API, only=("api", "api_port"))
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, /, quiet: bool, command: tuple[str, ...], **_settings: object) -> None:
    """Run a program through a private proxy on a free port.

    It gets the proxy and the certificate authority by way of its environment; its input, output and exit code are its own, and
    signals reach it. At the end a summary by source goes to standard error.
    """
    ctx.exit(run(private_settings(ctx), command, is_quiet=quiet))


def private_settings(ctx: click.Context) -> Settings:
    """Return the settings of a proxy beside others: a free port and no API, unless they were asked for right here."""
    settings = settings_of(ctx)
    if ctx.params.get("port") is None:
        settings = replace(settings, port=0)
    return replace(settings, api=ctx.params.get("api") is True)


def run(settings: Settings, command: tuple[str, ...], *, is_quiet: bool) -> int:
    """Start everything, run the program, stop everything.

    Returns:
        The exit code.
    """
    from tui.child import run_child
    from tui.environment import client_environment
    from tui.errors import AssayError
    from tui.runtime import Runtime
    from tui.troubles import troubles_told_beside

    runtime = Runtime(settings, is_private=True)
    try:
        runtime.start()
    except AssayError as error:
        click.echo(f"assay: {error}", err=True)
        return EXIT_NOT_STARTED
    try:
        with troubles_told_beside(runtime.troubles):
            return run_child(command, client_environment(runtime.address, os.environ))
    finally:
        runtime.stop()
        if not is_quiet:
            from tui.cli.summary import write_summary

            write_summary(settings, runtime)
