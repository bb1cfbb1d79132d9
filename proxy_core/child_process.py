"""Starts a module of ours as a process of its own that hears us on its standard input and answers on its standard output.

Such a process is in a group of its own (a terminal's Ctrl-C is for us, not for it) and ends with its input. It imports our
modules from where ours came from, and nothing from the directory that Assay was started in.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PIPE_BYTES = 1024 * 1024
"""Of a pipe, where the system lets us, and of what is gathered for one write: each gives up the interpreter lock for a turn."""


def launch(module: str, *, inherits: Sequence[int] = (), command: Sequence[str] | None = None) -> "subprocess.Popen[bytes]":
    """Start a module by our own interpreter.

    Args:
        module: Its name; imported from where this one was.
        inherits: Descriptors that it gets too, under the same numbers; not on Windows.
        command: What to start instead; for tests.

    Raises:
        OSError: No memory or no process left.
    """
    return subprocess.Popen(  # noqa: S603 - our own module
        list(command or own_module(module)),
        bufsize=PIPE_BYTES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=own_environment(),
        process_group=0,
        pass_fds=inherits,
    )


def own_module(name: str) -> list[str]:
    """Command that runs a module of ours; `-P`, for a `queue.py` in the user's directory is not ours to import."""
    return [sys.executable, "-P", "-m", name]


def own_environment() -> dict[str, str]:
    """Our environment, with the directory that our modules come from first among those that modules are looked for in."""
    home = str(Path(__file__).resolve().parents[1])
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))}


def outlive_signals() -> None:
    """Let no signal to all processes (of a service, of a machine that is shut down) end this one before its input ends."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


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
