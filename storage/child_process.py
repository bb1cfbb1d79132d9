"""Starts a module of ours as a process of its own that hears us on its standard input and answers on its standard output.

Such a process is in a session of its own (a terminal's Ctrl-C is for us, not for it) and ends with its input.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PIPE_BYTES = 1024 * 1024
"""Of a pipe, where the system lets us, and of what is gathered for one write: each gives up the interpreter lock for a turn."""


def launch(module: str, *, command: Sequence[str] | None = None) -> "subprocess.Popen[bytes]":
    """Start a module by our own interpreter.

    Args:
        module: Its name; imported from where this one was.
        command: What to start instead; for tests.

    Raises:
        OSError: No memory or no process left.
    """
    path = os.pathsep.join([str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(  # noqa: S603 - our own module
        list(command or (sys.executable, "-m", module)),
        bufsize=PIPE_BYTES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ) | {"PYTHONPATH": path},
        start_new_session=True,
    )


def widen(descriptor: int) -> None:
    """Let more bytes wait in a pipe, where that can be asked for."""
    try:
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (ImportError, AttributeError, OSError):  # not Linux, or not allowed
        return


def close_pipes(process: "subprocess.Popen[bytes]") -> None:
    """Close both ends of a process that has ended."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):  # what was not written any more
                pipe.close()
