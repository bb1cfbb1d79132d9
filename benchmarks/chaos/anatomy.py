"""Which process of a running Assay is which."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

from benchmarks.processes import children

PARTS: Final = {
    "recording": "storage.recording_worker",
    "analysis": "storage.analysis_worker",
    "api": "storage.api.worker",
    "screen": "tui.screen_worker",
}


def find(pid: int, part: str) -> int | None:
    """Return the process of a part of the Assay whose main process is `pid`; `None` when there is none now."""
    with contextlib.suppress(OSError):
        for child in children(pid):
            with contextlib.suppress(OSError):
                if PARTS[part].encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                    return child
    return None


def wait_for(pid: int, part: str, timeout_s: float = 90.0, *, other_than: int | None = None) -> int:
    """Return the process of a part, waiting for it.

    Raises:
        TimeoutError: It does not come.
    """
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        found = find(pid, part)
        if found is not None and found != other_than:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"no {part} process")


def starved_s(pid: int | None) -> float:
    """Return how long the threads of a process have waited for a core, in seconds; 0 where the system does not tell."""
    waited_ns = 0
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            waited_ns += int((task / "schedstat").read_text().split()[1])
    return waited_ns / 1e9


def send(pid: int | None, number: int) -> bool:
    """Send a signal; False when nobody is there to get it."""
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def kill_all(pid: int) -> None:
    """Kill everything of an Assay at once, as a machine that loses its power: nobody is left to save what others had."""
    everyone = [pid, *children(pid)]
    for one in everyone:
        send(one, signal.SIGSTOP)
    for one in [*everyone, *children(pid)]:
        send(one, signal.SIGKILL)
