"""`assay` without a command: the proxy with the dashboard, or headless."""

import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from tui.settings import Settings

if TYPE_CHECKING:
    from tui.runtime import Runtime


def run_live(settings: Settings, *, is_headless: bool, line_format: str | None) -> int:
    """Start the proxy and show what comes through until told to end.

    Returns:
        The exit code.
    """
    if not is_headless and not has_terminal():
        click.echo("assay: no terminal here, so running headless (--headless says the same)", err=True)
        is_headless = True
    from tui.runtime import Runtime

    runtime = Runtime(settings)
    if is_headless:
        from tui.headless import run_headless

        return run_headless(runtime, line_format or "text")
    return run_dashboard(runtime)


def run_dashboard(runtime: "Runtime", begin: Callable[[], None] | None = None) -> int:
    """Show the dashboard over a proxy for as long as a person looks.

    Args:
        runtime: Started and stopped here.
        begin: Called once it runs.

    Returns:
        The exit code.

    Raises:
        AssayError: It could not start.
    """
    from tui.headless import ending_signals

    with runtime:
        if begin is not None:
            begin()
        code = show_dashboard(runtime)
        if code and not runtime.has_ended:
            click.echo("assay: the dashboard failed; capturing goes on without it, Ctrl-C ends it", err=True)
            with ending_signals() as ending:
                while not (ending.wait(0.2) or runtime.has_ended):
                    pass
        runtime.drain()
        return code or runtime.exit_code


def show_dashboard(runtime: "Runtime") -> int:
    """Show the dashboard until a person or a signal closes it; returns 0, or what Textual says of a failure."""
    from tui.app import AssayApp

    app = AssayApp(runtime.store, runtime)
    before = {number: signal.signal(number, lambda *_received: app.exit()) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        app.run()
    except Exception as error:  # noqa: BLE001 - a broken screen must not take the proxy along; reported here
        click.echo(f"assay: {type(error).__name__}: {error}", err=True)
        return 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return app.return_code or 0


def has_terminal() -> bool:
    """Say whether a screen can be shown."""
    return sys.stdin.isatty() and sys.stdout.isatty()
