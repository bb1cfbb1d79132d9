"""`make bench` and `make bench-smoke`: run everything, offline, and write results.json and results.md."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import api_load, latency, report, starting, streams
from benchmarks.processes import ROOT, Contestants

PARTS = ("latency", "streams", "api", "storing", "reading", "dashboard", "starting")


def main() -> int:
    """Run the parts that were asked for."""
    arguments = _arguments()
    begun = last = time.monotonic()
    results: dict[str, Any] = {"circumstances": report.circumstances(), "parts_s": {}}

    def keep(part: str, result: Any) -> None:
        """Write what there is after each part: a run that is broken off keeps its figures."""
        nonlocal last
        now = time.monotonic()
        results[part] = result
        results["parts_s"][part] = round(now - last)
        results["took_s"] = round(now - begun)
        last = now
        report.write(results, arguments.output)

    with tempfile.TemporaryDirectory(prefix="assay-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        if {"latency", "streams", "api"} & set(arguments.only):
            with Contestants(directory) as contestants:
                if "streams" in arguments.only:
                    keep("streams", streams.measure(contestants, is_smoke=arguments.smoke, say=_say))
                if "latency" in arguments.only:
                    keep("latency", latency.measure(contestants, is_smoke=arguments.smoke, say=_say))
                if "api" in arguments.only:
                    keep("api", api_load.measure(contestants, directory, is_smoke=arguments.smoke, say=_say))
        _measure_alone(arguments, directory, keep)
    _say(f"{arguments.output / 'results.md'}, after {results['took_s']} s")
    return 0


def _measure_alone(arguments: argparse.Namespace, directory: Path, keep: Callable[[str, Any], None]) -> None:
    """Run what needs nothing beside it."""
    if "storing" in arguments.only:
        keep("storing", _run("benchmarks.storing", directory, 500 if arguments.smoke else 10_000))
    if "starting" in arguments.only:
        keep("starting", starting.measure(is_smoke=arguments.smoke, say=_say))
    if "reading" in arguments.only:
        counts = [*([2_000] if arguments.smoke else [10_000, 100_000]), *arguments.also]
        keep("reading", [_run("benchmarks.reading", directory / str(n), n) for n in counts])
    if "dashboard" in arguments.only:
        n = 2_000 if arguments.smoke else 100_000
        store = directory / str(n) / "reading.db"
        store.parent.mkdir(exist_ok=True)
        options = [str(store), *(["--smoke"] if arguments.smoke else [])]
        keep("dashboard", _run("benchmarks.dashboard", directory / "dashboard", n, *options))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a minute, fewer cases")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--million", dest="also", action="store_const", const=[1_000_000], default=[], help="read at 1M too")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks", help="where the results go")
    return parser.parse_args()


def _run(module: str, directory: Path, count: int, *options: str) -> dict[str, Any]:
    directory.mkdir(exist_ok=True)
    command = [sys.executable, "-m", module, str(directory), str(count), *options]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    _say(f"{module} {count}: {done.stdout.strip()}")
    return result


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
