"""A process of Assay that hangs, gets no more memory, or dies with its screen; a queue that is full."""

import fcntl
import json
import os
import pty
import resource
import signal
import ssl
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx

from benchmarks.chaos import anatomy
from benchmarks.chaos.arena import (
    Arena,
    Disturbance,
    all_of,
    counters,
    expect,
    expect_right_bytes,
    expect_stored,
    under_load,
    wait_until,
)
from benchmarks.chaos.load import Load
from benchmarks.chaos.witness import body_of
from proxy_core.exchange import Side
from storage.database import open_database
from storage.store import Store
from tests.e2e.product import ASSAY, Headless, environment, towards
from tests.e2e.rig import API_URL

_HANG_S = 3.0
_LIMIT_BYTES = 20_000_000


def _stopped(part: str) -> Disturbance:
    """Let a part hang for a while."""

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        victim = anatomy.wait_for(running.process.pid, part)
        anatomy.send(victim, signal.SIGSTOP)
        yield
        anatomy.send(victim, signal.SIGCONT)

    return disturb


def hung_analysis(arena: Arena) -> None:
    """The analysing process hangs for some seconds: everything is stored meanwhile, and analysed afterwards."""
    _, load = under_load(arena, _stopped("analysis"))
    expect_stored(arena, all_of(load))


def hung_analysis_at_the_end(arena: Arena) -> None:
    """The analysing process hangs when Assay is to end: it ends."""
    with Headless(arena.home, arena.standin) as running:
        load = Load(running, arena.witness, 0)
        with load.running():
            victim = anatomy.wait_for(running.process.pid, "analysis")
            expect(load.wait_for_more(5), "nothing was answered")
            anatomy.send(victim, signal.SIGSTOP)
            expect(load.wait_for_more(5), "traffic stopped")
        begun = time.monotonic()
        running.stop()
        arena.note(f"ended after {time.monotonic() - begun:.0f} s")
    expect(not anatomy.send(victim, 0), "the hung process was left behind")
    expect_right_bytes(arena, load)
    expect_stored(arena, all_of(load))


def hung_recording(arena: Arena) -> None:
    """The recording process hangs for good: it is taken for hung (here after 3 s instead of 60) and replaced."""
    program = (sys.executable, "-m", "benchmarks.chaos.doomed", "--hang-s", str(_HANG_S), "--")
    replaced = False

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        nonlocal replaced
        victim = anatomy.wait_for(running.process.pid, "recording")
        anatomy.send(victim, signal.SIGSTOP)
        yield
        replaced = wait_until(lambda: anatomy.find(running.process.pid, "recording") not in {None, victim}, 30)

    _, load = under_load(arena, disturb, seconds=_HANG_S, program=program)
    expect(replaced, "the hung process was not replaced")
    expect_stored(arena, all_of(load))


def hung_api(arena: Arena) -> None:
    """The process that answers the API hangs."""
    _, load = under_load(arena, _stopped("api"))
    expect_stored(arena, all_of(load))


def analysis_without_memory(arena: Arena) -> None:
    """The analysing process gets no more memory; later it does, and what it failed at can be done again."""

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        for _ in range(arena.rounds):
            victim = anatomy.find(running.process.pid, "analysis")
            if victim is not None:
                try:
                    resource.prlimit(victim, resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
                except ProcessLookupError:
                    continue
            time.sleep(0.2)
        yield
        anatomy.send(anatomy.find(running.process.pid, "analysis"), signal.SIGKILL)

    _, load = under_load(arena, disturb)
    expect_stored(arena, all_of(load))


def full_queue(arena: Arena) -> None:
    """Nobody takes what is captured, its room (here 20 MB) runs out: traffic goes on, what is missing is marked or counted."""
    program = (sys.executable, "-m", "benchmarks.chaos.doomed", "--limit-bytes", str(_LIMIT_BYTES), "--")
    with Headless(arena.home, arena.standin, has_api=True, program=program) as running:
        context = ssl.create_default_context(cafile=str(running.certificate))
        victim = anatomy.wait_for(running.process.pid, "recording")
        anatomy.send(victim, signal.SIGSTOP)
        with httpx.Client(proxy=running.proxy_url, verify=context, trust_env=False, timeout=30) as client:
            for number in range(20):
                large = body_of(5_000_001 + number) + b" " * 2_000_000
                reply = client.post(f"{API_URL}/v1/messages", content=large, headers={"x-api-key": "k"})
                expect(reply.status_code == 200 and "message_stop" in reply.text, f"answered {reply.status_code}")
        arena.witness.mangled.clear()
        anatomy.send(victim, signal.SIGCONT)
        load = Load(running, arena.witness, 1000)
        expect(wait_until(lambda: counters(running)["queued"] == 0, 30), f"nothing was taken: {counters(running)}")
        with load.running():
            expect(load.wait_for_more(8), "the next requests did not work")
        said = counters(running)
        running.stop()
    whole, cut = _large_ones(arena)
    arena.note(f"of 20 large ones {whole} whole, {cut} marked as cut, {said['dropped']} dropped")
    expect(whole + cut + said["dropped"] == 20, "something is neither kept nor counted")
    expect(cut + said["dropped"] > 0, "the queue was never full")
    expect_right_bytes(arena, load)
    expect_stored(arena, all_of(load))


def _large_ones(arena: Arena) -> tuple[int, int]:
    """Count the large requests that are there whole, and those of which bytes are said to be missing."""
    database = open_database(next(arena.home.rglob("assay.db")))
    exchanges = Store(database).exchanges
    marks = []
    for one in exchanges.page(500):
        body = exchanges.detail(one.id).request_body
        kept = exchanges.body(one.id, Side.REQUEST) or b""
        if body is not None and (body.is_truncated or len(kept) > 1_500_000):
            marks.append(body.is_truncated)
    database.close()
    return marks.count(False), marks.count(True)


def dead_screen(arena: Arena) -> None:
    """The terminal of the dashboard goes away: what was answered before is stored, and nothing is left running."""
    leader, follower = pty.openpty()
    options = ["--port", "0", "--no-api", *towards(arena.standin)]
    terminal = environment(arena.home) | {"TERM": "xterm-256color", "COLUMNS": "140", "LINES": "40"}
    process = subprocess.Popen(
        [ASSAY, *options],
        env=terminal,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - its own terminal, as in a window
    )
    os.close(follower)
    os.set_blocking(leader, False)
    try:
        running = _Shown(process, arena, leader)
        load = Load(running, arena.witness, 0)  # type: ignore[arg-type]
        with load.running():
            expect(load.wait_for_more(20), "nothing was answered")
            os.close(leader)
            leader = -1
            gone_at = time.monotonic()
            parts = [one for part in anatomy.PARTS if (one := anatomy.find(process.pid, part)) is not None]
            wait_until(lambda: process.poll() is not None, 60)
            load.end()
        arena.note(f"ended with {process.returncode} after {time.monotonic() - gone_at:.0f} s, {len(load.answered)} answered")
        expect(process.poll() is not None, "it did not end without its terminal")
        expect(wait_until(lambda: not any(anatomy.send(one, 0) for one in parts), 30), "processes were left behind")
    finally:
        process.kill()
        process.wait()
        if leader >= 0:
            os.close(leader)
    expect_right_bytes(arena, load, clients_may_fail=True)
    expect_stored(arena, {number: gone_at - at for number, at in load.answered.items() if at < gone_at})


class _Shown:
    """An Assay with a dashboard, as far as `Load` has to know it; its terminal is read all the time."""

    def __init__(self, process: "subprocess.Popen[bytes]", arena: Arena, leader: int) -> None:
        self.process = process
        self.proxy_url = ""

        def is_there() -> bool:
            with suppress(OSError):
                os.read(leader, 1 << 20)
            for path in arena.home.rglob("*.json"):
                try:
                    told = json.loads(path.read_text())
                except (OSError, ValueError):
                    continue
                if isinstance(told, dict) and told.get("pid") == process.pid:
                    self.proxy_url = told["proxy_url"]
            return bool(self.proxy_url)

        expect(wait_until(is_there, 40), "the dashboard did not start")
        self.certificate = next(arena.home.rglob("ca-cert.pem"))


TRIALS = {
    "hung analysis": hung_analysis,
    "hung analysis at end": hung_analysis_at_the_end,
    "hung recording": hung_recording,
    "hung API": hung_api,
    "analysis out of memory": analysis_without_memory,
    "full queue": full_queue,
    "dead screen": dead_screen,
}
