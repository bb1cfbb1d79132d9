"""`make chaos`: kill, lock, fill and cut under load; after each the client's bytes must be right and nothing promised lost.

Prints one line per trial and ends with 1 if any promise was broken. Bounded: `--kills` decides how long it takes.
"""

import argparse
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.faults import Fault, FaultKind
from proxy_core.standin.server import StandinServer
from tests.e2e.killing import Load, Toll, audit, kill_often
from tests.e2e.product import Headless, assay

type Trial = Callable[[Path, StandinServer, argparse.Namespace], str | None]
"""Returns what was broken, or `None`."""


def kills(home: Path, standin: StandinServer, options: argparse.Namespace) -> str | None:
    """Kill -9 at random moments."""
    toll = kill_often(home, standin, kills=options.kills, seed=options.seed)
    print(f"  {toll.kills} kills, {toll.answered} promised, {toll.interrupted} interrupted", flush=True)
    return _broken(toll)


def locked_database(home: Path, standin: StandinServer, _options: argparse.Namespace) -> str | None:
    """Another process holds the database locked for seconds."""

    @contextmanager
    def locked() -> Iterator[None]:
        (path,) = home.rglob("*.db")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    return _under_load(home, standin, locked)


def two_on_one_database(home: Path, standin: StandinServer, _options: argparse.Namespace) -> str | None:
    """A second Assay uses the same database."""

    @contextmanager
    def second() -> Iterator[None]:
        with Headless(home, standin) as other:
            load = Load(other, 1_000_000, 2)
            with load.running():
                yield
            other.stop()

    return _under_load(home, standin, second)


def breaking_api(home: Path, standin: StandinServer, _options: argparse.Namespace) -> str | None:
    """The API errs, cuts, resets and sends garbage between good answers."""
    kinds = (FaultKind.CUT, FaultKind.RESET, FaultKind.GARBAGE, FaultKind.ERROR_EVENT)

    @contextmanager
    def broken() -> Iterator[None]:
        api = standin.responder
        assert isinstance(api, MessagesApi)
        api.faults.add(*(Fault(kind, 3) if number % 2 else None for number, kind in enumerate(kinds * 8)))
        yield

    return _under_load(home, standin, broken, clients_may_stop=True)


def full_disk(home: Path, standin: StandinServer, _options: argparse.Namespace) -> str | None:
    """No file may grow any further: traffic goes on, and Assay says so."""
    with Headless(home, standin) as running:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        load = Load(running, 0, 4)
        with load.running():
            time.sleep(4)
            before = len(load.answered)
            time.sleep(1)
            after = len(load.answered)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        is_alive = running.process.poll() is None
        running.stop()
    if not is_alive:
        return f"Assay ended on a full disk: {running.output.decode()[-300:]}"
    if after <= before:
        return "traffic stopped on a full disk"
    verified = assay(home, "verify")
    return None if verified.returncode == 0 else verified.stdout.decode()


TRIALS: dict[str, Trial] = {
    "locked database": locked_database,
    "two on one database": two_on_one_database,
    "breaking API": breaking_api,
    "full disk": full_disk,
    "kills": kills,
}


def _under_load(
    home: Path, standin: StandinServer, disturb: Callable[[], AbstractContextManager[None]], *, clients_may_stop: bool = False
) -> str | None:
    """Load, disturb for three seconds, go on for one, stop in order: every answer must be stored."""
    with Headless(home, standin) as running:
        load = Load(running, 0, 4)
        with load.running():
            time.sleep(0.5)
            begun = len(load.answered)
            with disturb():
                time.sleep(3)
                during = len(load.answered)
            time.sleep(1)
        exit_code = running.stop()
    if during <= begun and not clients_may_stop:
        return "traffic stopped"
    if exit_code != 0:
        return f"exit code {exit_code}: {running.output.decode()[-300:]}"
    toll = audit(home, dict.fromkeys(load.answered, 0.0))
    print(f"  {len(load.answered)} answered", flush=True)
    return _broken(toll)


def _broken(toll: Toll) -> str | None:
    if toll.lost:
        return f"{len(toll.lost)} promised exchanges are lost: {list(toll.lost.items())[:10]}"
    if toll.open_left:
        return f"{toll.open_left} exchanges are still open"
    return toll.verify_output or None


def main() -> int:
    """Run the trials that were asked for."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many kills (50)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="for the moments of the kills")
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS), metavar="TRIAL", help=", ".join(TRIALS))
    options = parser.parse_args()
    failed = 0
    for name in options.only:
        pace = Pace(event_s=0.01)
        with (
            tempfile.TemporaryDirectory(prefix="assay-chaos-", ignore_cleanup_errors=True) as directory,
            StandinServer(MessagesApi(ApiSettings(pace=pace, content_encoding="auto"))) as standin,
        ):
            broken = TRIALS[name](Path(directory) / "home", standin, options)
        print(f"{name}: {'held' if broken is None else 'BROKEN: ' + broken}", flush=True)
        failed += broken is not None
    print(f"seed {options.seed}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
