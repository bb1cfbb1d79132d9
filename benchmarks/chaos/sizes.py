"""Bodies of 50 MB and ten thousand idle connections."""

import hashlib
import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx

from benchmarks.chaos.arena import Arena, all_of, expect, expect_stored, under_load, wait_until
from benchmarks.chaos.load import Load
from benchmarks.processes import children, memory_mb
from proxy_core.exchange import Side
from storage.database import open_database
from storage.store import Store
from tests.e2e.product import Headless
from tests.e2e.rig import API_URL

_PIECE = bytes(range(32, 127)) * 11_000
_PIECES = 48
_IDLE = 10_000
_SPARE_HANDLES = 500


def large_bodies(arena: Arena) -> None:
    """Uploads of 50 MB while others are served: whole on the other side, whole in the database, memory bounded."""
    digest = hashlib.sha256(_PIECE * _PIECES).hexdigest()
    most_mb: dict[str, float] = {"main": 0.0, "all": 0.0}

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        context = ssl.create_default_context(cafile=str(running.certificate))
        size = str(len(_PIECE) * _PIECES)

        def pieces() -> Iterator[bytes]:
            for _ in range(_PIECES):
                yield _PIECE
                _note_memory(running, most_mb)

        with httpx.Client(proxy=running.proxy_url, verify=context, trust_env=False, timeout=120) as client:
            for _ in range(2):
                headers = {"x-api-key": "k", "content-length": size}
                client.post(f"{API_URL}/v1/messages", content=pieces(), headers=headers)
        yield
        _note_memory(running, most_mb)

    _, load = under_load(arena, disturb)
    expect_stored(arena, all_of(load))
    arena.note(f"at most {most_mb['main']:.0f} MB in the main process, {most_mb['all']:.0f} MB in all")
    database = open_database(next(arena.home.rglob("assay.db")))
    exchanges = Store(database).exchanges
    large = [one.id for one in exchanges.page(2000) if (one.request_bytes or 0) > 40_000_000]
    kept = [hashlib.sha256(exchanges.body(number, Side.REQUEST) or b"").hexdigest() for number in large]
    database.close()
    expect(kept == [digest] * 2, f"{len(large)} large bodies, of which {kept.count(digest)} are right")
    expect(most_mb["main"] < 400, f"{most_mb['main']:.0f} MB")


def idle_connections(arena: Arena) -> None:
    """Ten thousand connections that say nothing: the others are served as before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(_IDLE, hard - _SPARE_HANDLES)

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        before_mb = memory_mb(running.process.pid)
        with ExitStack() as stack:
            for _ in range(count):
                connection = socket.create_connection((running.host, running.port), timeout=30)
                stack.callback(connection.close)
            taken = wait_until(lambda: _handles(running) > count, 60)
            expect(taken, f"only {_handles(running)} of {count} connections were taken")
            grown_mb = memory_mb(running.process.pid) - before_mb
            arena.note(f"{count} idle connections (limit {hard}), {grown_mb * 1000 / count:.0f} kB each")
            yield
        expect(wait_until(lambda: _handles(running) < _SPARE_HANDLES, 60), "handles were left open")

    try:
        _, load = under_load(arena, disturb)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    expect_stored(arena, all_of(load))


def _handles(running: Headless) -> int:
    return sum(1 for _ in Path(f"/proc/{running.process.pid}/fd").iterdir())


def _note_memory(running: Headless, most_mb: dict[str, float]) -> None:
    main = memory_mb(running.process.pid)
    others = 0.0
    for pid in children(running.process.pid):
        with suppress(OSError):
            others += memory_mb(pid)
    most_mb["main"] = max(most_mb["main"], main)
    most_mb["all"] = max(most_mb["all"], main + others)


TRIALS = {"large bodies": large_bodies, "idle connections": idle_connections}
