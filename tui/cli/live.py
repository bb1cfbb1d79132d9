"""`assay` without a command: the proxy with the dashboard, or headless."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from tui.settings import Settings
from tui.troubles import TroubleTeller, say

if TYPE_CHECKING:
    from tui.ending import Ending
    from tui.runtime import Runtime
    from tui.screen_here import ScreenHere
    from tui.screen_process import ScreenProcess


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
    from tui.ending import ending_signals
    from tui.terminal import end_with_terminal

    with open_screen(runtime) as screen:
        runtime.start(screen.begin)
        try:
            screen.tell_place()
            if begin is not None:
                begin()
            # To the very end: a terminal that goes away kills the screen at once, and tells us a moment later.
            with ending_signals(screen.end) as ending:
                end_with_terminal()
                code = screen.wait()
                if ending.is_set():
                    code = 0
                elif code and not runtime.has_ended:
                    _go_on_without_screen(runtime, ending)
                runtime.drain()
                runtime.stop()
            return code or runtime.exit_code
        finally:
            runtime.stop()


def open_screen(runtime: "Runtime") -> "ScreenProcess | ScreenHere":
    """Open the dashboard: in a process of its own, so that drawing never holds up what is forwarded, where that can be."""
    from tui.screen_here import ScreenHere
    from tui.screen_process import ScreenProcess, can_share

    settings = runtime.settings
    if can_share(settings.database):
        return ScreenProcess(runtime, settings.data_dir, settings.database)
    return ScreenHere(runtime)


def _go_on_without_screen(runtime: "Runtime", ending: "Ending") -> None:
    say("the dashboard failed; capturing goes on without it, Ctrl-C ends it")
    troubles = TroubleTeller(runtime.troubles)
    while not (ending.wait(0.2) or runtime.has_ended):
        troubles.look()


def has_terminal() -> bool:
    """Say whether a screen can be shown."""
    return sys.stdin.isatty() and sys.stdout.isatty()
