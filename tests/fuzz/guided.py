"""`make fuzz-guided`: the same searches, led by which of our lines a case reaches (atheris) instead of by chance alone.

Each search runs in a process of its own, for so many seconds; a case that breaks it ends the run, and its bytes are left in a
file named on the last lines, to be tried again with `python -m tests.fuzz.guided --search NAME --again FILE`.
"""

import argparse
import importlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS = ["proxy_core", "storage"]
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
LONGEST_BYTES = 16_384
"""Of what a case is drawn from."""
SEEDS = 100


def searches(module: str) -> dict[str, Callable[..., Any]]:
    """Return the searches of a module by name, as functions that take the bytes that a case is drawn from."""
    found = vars(importlib.import_module(f"tests.fuzz.{module}"))
    return {
        f"{module}.{name}": test.hypothesis.fuzz_one_input
        for name, test in found.items()
        if name.startswith("test_") and hasattr(test, "hypothesis")
    }


def search(name: str, seconds: int, again: Path | None) -> None:
    """Run one search; ends the process."""
    import atheris  # installed only for this

    with atheris.instrument_imports(include=OURS):
        run = searches(name.partition(".")[0])[name]
    if again is not None:
        run(again.read_bytes())
        return
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST_BYTES}", "-timeout=60", "-rss_limit_mb=2048"]
    with tempfile.TemporaryDirectory() as corpus:
        _seed(Path(corpus))
        atheris.Setup([sys.argv[0], "-print_final_stats=1", *limits, corpus], run)
        atheris.Fuzz()


def _seed(corpus: Path) -> None:
    """Write some cases to begin with: from too few bytes nothing can be drawn."""
    chance = random.Random(1)
    for number in range(SEEDS):
        (corpus / str(number)).write_bytes(chance.randbytes(2 ** (4 + number % 10)))


def main() -> int:
    """Run every search in turn, or one."""
    parser = argparse.ArgumentParser(prog="make fuzz-guided", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="for each search")
    parser.add_argument("--search", help="only this one: MODULE.TEST")
    parser.add_argument("--again", type=Path, help="try the case in this file again")
    options = parser.parse_args()
    if options.search is not None:
        if options.search.partition(".")[0] not in MODULES:
            parser.error(f"{options.search} is no MODULE.TEST; the modules are {', '.join(MODULES)}")
        search(options.search, options.seconds, options.again)
        return 0
    broken = [name for module in MODULES for name in searches(module) if not _holds(name, options.seconds)]
    print("Broken: " + ", ".join(broken) if broken else "Nothing broke.")
    return 1 if broken else 0


def _holds(name: str, seconds: int) -> bool:
    """Search in a process of its own; say how many cases were tried, and what broke."""
    with tempfile.TemporaryFile("w+") as heard:
        command = [sys.executable, "-m", "tests.fuzz.guided", "--search", name, "--seconds", str(seconds)]
        code = subprocess.run(command, stdout=heard, stderr=heard, check=False).returncode
        heard.seek(0)
        lines = heard.read().splitlines()
    cases = next((line.rpartition(":")[2].strip() for line in lines if "number_of_executed_units" in line), "no")
    print(f"{name}: {cases} cases, {'held' if code == 0 else 'BROKEN'}", flush=True)
    if code:
        print("\n".join(lines[-40:]), flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
