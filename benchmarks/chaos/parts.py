"""A process of Assay that hangs or gets no more memory; a queue that is full."""

import resource
import signal
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
from tests.e2e.product import Headless
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


TRIALS = {
    "hung analysis": hung_analysis,
    "hung analysis at end": hung_analysis_at_the_end,
    "hung recording": hung_recording,
    "hung API": hung_api,
    "analysis out of memory": analysis_without_memory,
    "full queue": full_queue,
}
