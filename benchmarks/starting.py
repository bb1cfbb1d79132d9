"""How long it takes until Assay is there: the version, headless listening, the dashboard painted."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import spread
from benchmarks.processes import ROOT, free_port, wait_listening
from benchmarks.terminal import Terminal

_SHOWN = {"dashboard painted": b"Sessions", "dashboard says where it listens": b"Assay listens on"}
_GONE_S = 20.0
_ASSAY = str(Path(sys.executable).with_name("assay"))


def measure(*, is_smoke: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Start each a few times, each time with a new home."""
    rounds = 2 if is_smoke else 5
    taken: dict[str, list[float]] = {}
    for start in (_version, _headless, _dashboard):
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="assay-bench-", ignore_cleanup_errors=True) as home:
                for name, seconds in start(Path(home)).items():
                    taken.setdefault(name, []).append(seconds)
                _wait_gone(Path(home))
    result = {name: spread(seconds).as_json() for name, seconds in taken.items()}
    for name, figure in result.items():
        say(f"{name}: {figure['median']:.2f} s")
    return result


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {"HOME": str(home), "TERM": "xterm-256color", "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}


def _wait_gone(home: Path) -> None:
    """Wait until all processes of that home have ended: told to end while they load, they take CPU from the next start."""
    deadline = time.monotonic() + _GONE_S
    while time.monotonic() < deadline and any(_is_at_home(process, home) for process in Path("/proc").glob("[0-9]*")):
        time.sleep(0.05)


def _is_at_home(process: Path, home: Path) -> bool:
    try:
        return f"HOME={home}\0".encode() in (process / "environ").read_bytes()
    except OSError:  # it has ended, or is another user's
        return False


def _version(home: Path) -> dict[str, float]:
    begun = time.perf_counter()
    subprocess.run([_ASSAY, "--version"], check=True, capture_output=True, env=_environment(home), cwd=ROOT)
    return {"version": time.perf_counter() - begun}


def _headless(home: Path) -> dict[str, float]:
    port = free_port()
    begun = time.perf_counter()
    command = [_ASSAY, "--headless", "--port", str(port), "--api-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(home), cwd=ROOT)
    try:
        wait_listening(port)
        return {"headless listening": time.perf_counter() - begun}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _dashboard(home: Path) -> dict[str, float]:
    """Return when its texts stood in a terminal."""
    with Terminal([_ASSAY, "--port", "0", "--api-port", "0"], _environment(home)) as terminal:
        return {name: terminal.wait_for(text) - terminal.begun for name, text in _SHOWN.items()}
