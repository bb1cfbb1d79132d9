"""Assay as it is, but for what this tells of: patience that is shorter, or a recording process that kills itself.

    python -m benchmarks.chaos.doomed [--hang-s 3] [--stops 40] [--limit-bytes 30000000] -- --headless ...

The recording process is run by this module too, with `--recording N`: it dies before its N-th statement on the database.
"""

import argparse
import os
import runpy
import signal
import sys
from pathlib import Path

_LONG_LIFE = 150
"""Statements."""
_ROOT = Path(__file__).resolve().parents[2]


def _doom_recordings(stops: int) -> None:
    """Let every other life of the recording process end before a statement, each time one later; the others are long."""
    from proxy_core import child_process
    from storage import remote_recorder

    lives = iter(range(1_000_000))

    def launch(module: str, **_command: object) -> object:
        life = next(lives)
        if life // 2 >= stops:
            return child_process.launch(module)
        last = _LONG_LIFE if life % 2 else life // 2 + 1
        doomed = (sys.executable, "-m", "benchmarks.chaos.doomed", "--recording", str(last), module)
        return child_process.launch(module, command=doomed)

    remote_recorder.launch = launch  # type: ignore[assignment]


def _record(last: int) -> None:
    """Be the recording process, until the statement with the number `last`."""
    from sqlalchemy import Engine, event

    from proxy_core.relay import Mirror

    has_begun = False
    seen = 0

    def count(*_statement: object) -> None:
        nonlocal seen
        seen += has_begun
        if seen >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    def apply(mirror: Mirror, message: bytes) -> None:
        nonlocal has_begun
        has_begun = True  # what is done to open the database is not what this is about
        original(mirror, message)

    original = Mirror.apply
    Mirror.apply = apply  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    sys.argv = ["storage.recording_worker"]
    runpy.run_module("storage.recording_worker", run_name="__main__", alter_sys=True)


def main() -> None:
    """Run the command line with what is told here taken into account."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hang-s", type=float)
    parser.add_argument("--stops", type=int)
    parser.add_argument("--limit-bytes", type=int)
    parser.add_argument("--recording", type=int)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    told = parser.parse_args()
    if told.recording is not None:
        _record(told.recording)
        return
    from storage import remote_recorder

    if told.hang_s is not None:
        remote_recorder.HANG_S = told.hang_s
    if told.stops is not None:
        _doom_recordings(told.stops)
    if told.limit_bytes is not None:
        from proxy_core.hook_feed import HookFeed

        HookFeed.__init__.__defaults__ = (told.limit_bytes, *HookFeed.__init__.__defaults__[1:])  # type: ignore[index]
    os.environ["PYTHONPATH"] = str(_ROOT)
    sys.argv = ["assay", *[argument for argument in told.rest if argument != "--"]]
    from tui.cli.main import main as assay

    assay()


if __name__ == "__main__":
    main()
