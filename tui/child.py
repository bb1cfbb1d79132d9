"""Running the user's program: its standard streams and exit code are its own, and signals reach it.

It must not read or write the program's streams, nor leave it behind when Assay is told to end.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

import click

from tui.ending import handled_signals

EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
"""As shells have it."""

_FORWARDED = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")
_FROM_KEYBOARD = {"SIGINT", "SIGQUIT", "SIGWINCH", "SIGCONT"}
"""The terminal sends these to the whole foreground group: the child has them already."""


def run_child(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a program with these variables added to the environment, and wait for it.

    Returns:
        Its exit code; 128 + n when signal n ended it; 126 or 127 when it could not be started.
    """
    with _forwarded_signals() as children:
        try:
            child = subprocess.Popen(list(command), env={**os.environ, **variables})  # noqa: S603 - the user's own command
        except FileNotFoundError:
            click.echo(f"assay: {command[0]}: command not found", err=True)
            return EXIT_NOT_FOUND
        except OSError as error:
            click.echo(f"assay: {command[0]}: {error.strerror}", err=True)
            return EXIT_NOT_EXECUTABLE
        children.append(child)
        status = child.wait()
    return 128 - status if status < 0 else status


@contextmanager
def _forwarded_signals() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Hand on every signal that Assay gets to the programs that are put into the list."""
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if signal.Signals(number).name in _FROM_KEYBOARD and _shares_foreground():
            return
        for child in children:
            if child.poll() is None:
                child.send_signal(number)

    numbers = [getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)]
    with handled_signals(numbers, forward):
        yield children


def _shares_foreground() -> bool:
    """Say whether a terminal's keys reach Assay and its child alike."""
    try:
        with open(os.ctermid(), "rb", buffering=0) as terminal:  # noqa: PTH123 - no buffering, a device
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):
        return False
