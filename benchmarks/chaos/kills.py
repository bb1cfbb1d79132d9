"""Kill -9: of everything, of each process alone, at random moments and between any two writes."""

import signal
import sys
import time
from collections.abc import Callable

from benchmarks.chaos import anatomy
from benchmarks.chaos.arena import Arena, all_of, counters, expect, expect_right_bytes, expect_stored, tail, wait_until
from benchmarks.chaos.load import Load
from tests.e2e.product import Headless

_STARVED_S = 0.5
"""For so long the recording may get no core while it is still asked that enough is promised to prove something."""


def _kill_again_and_again(arena: Arena, kill: Callable[[Headless], None], *, grace_s: float) -> None:
    """Start, load, kill at a random moment, start again on the same database; at the end look for what was promised.

    What is promised is promised on a machine that is not overloaded: time for which the recording got no core does not count.
    """
    first = 0
    promised: dict[int, float] = {}
    is_overloaded = False
    for _ in range(arena.rounds):
        with Headless(arena.home, arena.standin) as assayed:
            load = Load(assayed, arena.witness, first, timeout_s=5)
            recording = anatomy.find(assayed.process.pid, "recording")
            before_s = anatomy.starved_s(recording)
            with load.running():
                load.wait_for_more(2)  # so that enough is promised, however slow it goes on
                time.sleep(grace_s + _STARVED_S + arena.chance.uniform(0.0, 0.9))
                starved_s = anatomy.starved_s(recording) - before_s
                is_overloaded |= starved_s > _STARVED_S
                killed_at = time.monotonic()
                kill(assayed)
                load.end()
            first = load.next_number
        expect_right_bytes(arena, load, clients_may_fail=True)
        safe_at = killed_at - grace_s - starved_s
        promised |= {number: killed_at - at for number, at in load.answered.items() if at < safe_at}
    with Headless(arena.home, arena.standin) as last:
        last.stop()
    arena.note(f"{arena.rounds} kills, {len(promised)} promised")
    expect(is_overloaded or len(promised) > arena.rounds, "too little was promised to prove anything")
    expect_stored(arena, promised)


def kill_everything(arena: Arena) -> None:
    """All processes at one moment, as when the power goes."""

    def kill(assayed: Headless) -> None:
        anatomy.kill_all(assayed.process.pid)
        assayed.kill()

    _kill_again_and_again(arena, kill, grace_s=arena.grace_s)


def kill_main(arena: Arena) -> None:
    """The process that forwards: who records stores what has arrived."""
    _kill_again_and_again(arena, Headless.kill, grace_s=arena.grace_s)


def kill_recording(arena: Arena) -> None:
    """The process that records, while traffic goes on: nothing at all is lost, and nobody notices."""
    _kill_part(arena, "recording")


def kill_analysis(arena: Arena) -> None:
    """The process that analyses."""
    _kill_part(arena, "analysis")


def kill_api(arena: Arena) -> None:
    """The process that answers the JSON API: it is started anew."""
    _kill_part(arena, "api")


def _kill_part(arena: Arena, part: str) -> None:
    killed = 0
    with Headless(arena.home, arena.standin, has_api=True) as assayed:
        load = Load(assayed, arena.witness, 0)
        with load.running():
            for _ in range(arena.rounds):
                expect(load.wait_for_more(1), f"traffic stopped after {killed} kills")
                expect(part != "api" or wait_until(lambda: bool(_said(assayed)), 40), "the API does not answer any more")
                victim = anatomy.wait_for(assayed.process.pid, part)
                time.sleep(arena.chance.uniform(0.0, 0.7))
                killed += anatomy.send(victim, signal.SIGKILL)
                wait_until(lambda gone=victim: anatomy.find(assayed.process.pid, part) != gone, 10)  # type: ignore[misc]
            expect(load.wait_for_more(8), "the next requests did not work")
        expect(wait_until(lambda: _is_all_stored(assayed), 40), f"not everything was stored: {_said(assayed)}")
        said = counters(assayed)
        exit_code = assayed.stop()
    arena.note(f"{killed} kills, {len(load.answered)} answered")
    expect_right_bytes(arena, load)
    expect(said["dropped"] == 0, f"counted as dropped: {said}")
    expect(exit_code == 0, f"exit code {exit_code}: {tail(assayed)}")
    expect_stored(arena, all_of(load))


def _is_all_stored(assayed: Headless) -> bool:
    said = _said(assayed)
    return bool(said) and said["captured"] == said["stored"] and said["in_flight"] == 0


def _said(assayed: Headless) -> dict[str, object]:
    try:
        return dict(counters(assayed))
    except OSError:
        return {}


def stops_between_writes(arena: Arena) -> None:
    """The recording process kills itself before its n-th statement, for every n in turn; each second life goes undisturbed."""
    program = (sys.executable, "-m", "benchmarks.chaos.doomed", "--stops", str(arena.rounds), "--")
    with Headless(arena.home, arena.standin, has_api=True, program=program) as assayed:
        load = Load(assayed, arena.witness, 0, clients=2)
        with load.running():
            deaths = 0
            before: int | None = None
            until = time.monotonic() + 5.0 * arena.rounds + 20
            while deaths < 2 * arena.rounds and time.monotonic() < until:
                recording = anatomy.find(assayed.process.pid, "recording")
                if recording is not None and recording != before:
                    deaths += before is not None
                    before = recording
                time.sleep(0.02)
            expect(load.wait_for_more(8), "the next requests did not work")
        expect(wait_until(lambda: _is_all_stored(assayed), 40), f"not everything was stored: {_said(assayed)}")
        exit_code = assayed.stop()
    arena.note(f"{deaths} deaths, {len(load.answered)} answered")
    expect_right_bytes(arena, load)
    expect(deaths >= arena.rounds, f"only {deaths} deaths")
    expect(exit_code == 0, f"exit code {exit_code}: {tail(assayed)}")
    expect_stored(arena, all_of(load))


TRIALS = {
    "kill everything": kill_everything,
    "kill main": kill_main,
    "kill recording": kill_recording,
    "kill analysis": kill_analysis,
    "kill API": kill_api,
    "stops between writes": stops_between_writes,
}
