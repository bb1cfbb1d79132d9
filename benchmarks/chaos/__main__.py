"""Run the trials that were asked for, one line each and a table at the end; 1 if any promise was broken."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos import disks, kills, parts, screens, sizes, wires
from benchmarks.chaos.arena import Arena, BrokenPromiseError
from benchmarks.chaos.witness import Witness
from proxy_core.standin.api import ApiSettings
from proxy_core.standin.events import Pace
from proxy_core.standin.server import StandinServer
from proxy_core.standin.wire import Journal

type Trial = Callable[[Arena], None]
TRIALS: dict[str, Trial] = {**kills.TRIALS, **parts.TRIALS, **screens.TRIALS, **disks.TRIALS, **wires.TRIALS, **sizes.TRIALS}


def run_trial(trial: Trial, directory: Path, *, seed: int, rounds: int, grace_s: float) -> tuple[str | None, list[str]]:
    """Run one trial; returns what was broken (`None`: nothing) and what is worth telling."""
    witness = Witness(ApiSettings(pace=Pace(event_s=0.01), content_encoding="auto", max_body_bytes=10**9))
    with StandinServer(witness, journal=Journal(is_recording=False)) as standin:
        arena = Arena(
            home=directory / "home",
            standin=standin,
            witness=witness,
            chance=random.Random(seed),
            rounds=rounds,
            grace_s=grace_s,
        )
        try:
            trial(arena)
        except BrokenPromiseError as broken:
            return str(broken), arena.notes
    return None, arena.notes


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often each thing is done that is done again and again (10)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="for the moments of what happens at random")
    parser.add_argument("--grace", type=float, default=0.1, help="seconds after which an answer must be safe (0.1)")
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS), metavar="TRIAL", help=", ".join(TRIALS))
    options = parser.parse_args()
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # trials hang up; under nohup nobody would hear it
    rows: list[tuple[str, str, float, str]] = []
    for name in options.only:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="assay-chaos-", ignore_cleanup_errors=True) as directory:
            broken, notes = run_trial(
                TRIALS[name], Path(directory), seed=options.seed, rounds=options.rounds, grace_s=options.grace
            )
        verdict = "held" if broken is None else "BROKEN"
        rows.append((name, verdict, time.monotonic() - begun, "; ".join([*notes, *([broken] if broken else [])])))
        print(f"{name}: {verdict}: {rows[-1][3]}", flush=True)
    print()
    for name, verdict, seconds, told in rows:
        print(f"{name:<22} {verdict:<7} {seconds:5.0f} s  {told[:200]}")
    print(f"seed {options.seed}", flush=True)
    return 1 if any(verdict != "held" for _, verdict, _, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
