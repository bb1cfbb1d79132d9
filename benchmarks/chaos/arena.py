"""Where a trial takes place: a home, an API stand-in, clients; and what must hold after every one of them."""

import json
import random
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chaos.audit import Finding, audit
from benchmarks.chaos.load import Load
from benchmarks.chaos.witness import Witness
from proxy_core.standin.server import StandinServer
from tests.e2e.product import Headless


class BrokenPromiseError(Exception):
    """Something that Assay promises did not hold."""


@dataclass(slots=True, kw_only=True)
class Arena:
    """What one trial has to itself."""

    home: Path
    standin: StandinServer
    witness: Witness
    chance: random.Random
    rounds: int
    """How often what a trial does is done."""
    grace_s: float
    """What reached a client longer ago than this is on disk."""
    notes: list[str] = field(default_factory=list)
    """What is worth telling of it."""

    def note(self, text: str) -> None:
        """Tell something."""
        self.notes.append(text)


type Disturbance = Callable[[Headless, Load], AbstractContextManager[None]]
"""Is entered while clients are at work and left some time later."""


def under_load(
    arena: Arena,
    disturb: Disturbance,
    *,
    seconds: float = 3.0,
    clients_may_fail: bool = False,
    is_expected_to_end_well: bool = True,
    program: tuple[str, ...] | None = None,
) -> tuple[Headless, Load]:
    """Load, disturb for some seconds, go on, stop in order: clients' bytes are right, and every answer is stored.

    Args:
        arena: Where.
        disturb: What.
        seconds: For how long.
        clients_may_fail: Requests may go wrong; if not, every one must be answered.
        is_expected_to_end_well: The exit code is 0.
        program: How Assay is started, if not as a user does.
    """
    started = {"program": program} if program else {}
    with Headless(arena.home, arena.standin, has_api=True, **started) as running:  # type: ignore[arg-type]
        load = Load(running, arena.witness, 0)
        with load.running():
            expect(load.wait_for_more(5), "nothing was answered at the beginning")
            with disturb(running, load):
                begun = len(load.answered)
                time.sleep(seconds)
                goes_on = clients_may_fail or len(load.answered) > begun or load.wait_for_more(1)
            expect(goes_on, "traffic stopped")
            expect(load.wait_for_more(8), f"the next requests did not work: {list(load.failed.items())[-3:]}")
            expect(running.process.poll() is None, f"Assay ended: {tail(running)}")
        exit_code = running.stop()
    arena.note(f"{len(load.answered)} answered, {len(load.failed)} failed")
    expect_right_bytes(arena, load, clients_may_fail=clients_may_fail)
    expect(exit_code == 0 or not is_expected_to_end_well, f"exit code {exit_code}: {tail(running)}")
    return running, load


def expect(is_so: bool, otherwise: str) -> None:
    """See that something holds.

    Raises:
        BrokenPromiseError: It does not.
    """
    if not is_so:
        raise BrokenPromiseError(otherwise)


def expect_right_bytes(arena: Arena, load: Load, *, clients_may_fail: bool = False) -> None:
    """See that clients and API got what the other one sent."""
    expect(not load.wrong, f"wrong bytes for clients: {load.wrong[:5]}")
    expect(not arena.witness.mangled, f"wrong bytes for the API: {arena.witness.mangled[:5]}")
    expect(clients_may_fail or not load.failed, f"requests failed: {list(load.failed.items())[:5]}")


def expect_stored(arena: Arena, promised: Mapping[int, float]) -> Finding:
    """See that everything promised is there, once, and that what is there is sound."""
    finding = audit(arena.home, promised)
    arena.note(", ".join(f"{count} {state}" for state, count in sorted(finding.states.items())))
    complaint = finding.complaint()
    expect(complaint is None, complaint or "")
    return finding


def all_of(load: Load) -> dict[int, float]:
    """Promise every answered request."""
    return dict.fromkeys(load.answered, 0.0)


def counters(running: Headless) -> Mapping[str, Any]:
    """Ask a running Assay's API what it says of itself."""
    headers = {"authorization": f"Bearer {running.api_token}"}
    request = urllib.request.Request(f"{running.api_url}/api/claude/capture", headers=headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as reply:
        answer: Mapping[str, Any] = json.load(reply)
        return answer


def wait_until(holds: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    """Wait until something holds; False when it did not in time."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def tail(running: Headless) -> str:
    """Return the end of what an Assay printed."""
    return running.output.decode(errors="replace")[-400:]
