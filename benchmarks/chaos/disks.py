"""A disk that is full, files that become read-only, a database that others hold, share or have changed."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.chaos import anatomy
from benchmarks.chaos.arena import Arena, all_of, counters, expect, expect_stored, under_load, wait_until
from benchmarks.chaos.load import Load
from benchmarks.processes import children
from tests.e2e.product import Headless, assay

_HEADER_BYTES = 100
"""Of an SQLite file: it counts who has opened it to write."""
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def full_disk(arena: Arena) -> None:
    """No file may grow any more: traffic goes on, what waits is stored once there is room again."""

    @contextmanager
    def disturb(running: Headless, load: Load) -> Iterator[None]:
        size = _database(arena).with_name("assay.db-wal").stat().st_size
        _limit(running, (size + 50_000, resource.RLIM_INFINITY))
        yield
        load.wait_for_more(20)
        said = counters(running)
        expect(said["writer_errors"] > 0 and bool(said["last_error"]), f"a full disk is not told of: {said}")
        arena.note(f"told: {said['last_error']}")
        _limit(running, _UNLIMITED)
        _expect_all_taken(running)

    _, load = under_load(arena, disturb)
    expect_stored(arena, all_of(load))


def read_only(arena: Arena) -> None:
    """The database's files cannot be written any more, then can again; at random moments."""

    @contextmanager
    def disturb(running: Headless, load: Load) -> Iterator[None]:
        is_told = False
        for _ in range(arena.rounds):
            if not _protect(arena, "+i"):
                arena.note("this file system (or user) cannot make open files read-only: not tried")
                break
            load.wait_for_more(arena.chance.randint(1, 30))
            is_told = is_told or wait_until(lambda: bool(counters(running)["last_error"]))
            _protect(arena, "-i")
            load.wait_for_more(arena.chance.randint(1, 10))
        else:
            expect(is_told, "files that cannot be written are not told of")
        yield
        _expect_all_taken(running)

    try:
        _, load = under_load(arena, disturb, seconds=0.5)
    finally:
        _protect(arena, "-i")
    expect_stored(arena, all_of(load))


def locked_database(arena: Arena) -> None:
    """Another process holds the database locked for seconds."""

    @contextmanager
    def disturb(_running: Headless, _load: Load) -> Iterator[None]:
        other = sqlite3.connect(_database(arena), isolation_level=None, timeout=20)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    _, load = under_load(arena, disturb, seconds=7.0)
    expect_stored(arena, all_of(load))


def two_on_one_database(arena: Arena) -> None:
    """A second Assay records into the same database; the first one's recording process is killed meanwhile."""
    others: dict[int, float] = {}

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        with Headless(arena.home, arena.standin) as second:
            load = Load(second, arena.witness, 1_000_000, 2)
            with load.running():
                anatomy.send(anatomy.find(running.process.pid, "recording"), 9)
                yield
            expect(second.stop() == 0, "the second Assay did not end well")
        expect(not load.wrong and not load.failed, f"{load.wrong[:3]} {list(load.failed.items())[:3]}")
        others.update(all_of(load))

    _, load = under_load(arena, disturb)
    expect_stored(arena, all_of(load) | others)


def newer_database(arena: Arena) -> None:
    """The database was changed by a newer Assay: this one says so, ends and leaves it alone."""
    with Headless(arena.home, arena.standin) as running:
        running.stop()
    path = _database(arena)
    changed = sqlite3.connect(path)
    tables = [name for (name,) in changed.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    version = next(name for name in tables if "version" in name)
    column = changed.execute(f"PRAGMA table_info({version})").fetchall()[0][1]
    changed.execute(f"UPDATE {version} SET {column} = {column} + 1000")
    changed.commit()
    changed.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    changed.close()
    before = path.read_bytes()[_HEADER_BYTES:]
    done = assay(arena.home, "--headless", "--port", "0", "--no-api")
    said = (done.stdout + done.stderr).decode()
    arena.note(f"exit code {done.returncode}: {said.strip().splitlines()[0]}")
    expect(done.returncode == 5, f"exit code {done.returncode}")
    expect("update Assay" in said, f"it is not said why: {said}")
    expect(path.read_bytes()[_HEADER_BYTES:] == before, "the database was changed")


def _database(arena: Arena) -> Path:
    return next(arena.home.rglob("assay.db"))


def _limit(running: Headless, limits: tuple[int, int]) -> None:
    for pid in children(running.process.pid):
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def _protect(arena: Arena, flag: str) -> bool:
    """Make the database's files immutable or not; False where that is not possible."""
    files = [str(path) for path in arena.home.rglob("assay.db*")]
    if sys.platform != "linux" or not files:
        return False
    try:
        return subprocess.run(["chattr", flag, *files], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _expect_all_taken(running: Headless) -> None:
    holds = wait_until(lambda: counters(running)["queued"] <= 20, 30)
    expect(holds, f"what waited was not stored: {counters(running)}")


TRIALS = {
    "full disk": full_disk,
    "read-only": read_only,
    "locked database": locked_database,
    "two on one database": two_on_one_database,
    "newer database": newer_database,
}
