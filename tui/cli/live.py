"""`assay` without a command: the proxy with the dashboard, or headless."""

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
    with runtime:
        from tui.app import AssayApp

        if begin is not None:
            begin()
        AssayApp(runtime.store, runtime).run()
        runtime.drain()
        return runtime.exit_code


def has_terminal() -> bool:
    """Say whether a screen can be shown."""
    return sys.stdin.isatty() and sys.stdout.isatty()
