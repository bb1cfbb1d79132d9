"""What goes wrong towards the API and towards clients: refusals, resets, cuts, garbage, silence, certificates that run out."""

import contextlib
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx

from benchmarks.chaos.arena import Arena, all_of, expect, expect_stored, under_load
from benchmarks.chaos.load import Load
from benchmarks.chaos.witness import body_of
from proxy_core.standin.faults import Fault, FaultKind
from proxy_core.standin.server import StandinServer
from tests.e2e.product import Headless
from tests.e2e.rig import API_URL

_KINDS = (FaultKind.CUT, FaultKind.RESET, FaultKind.GARBAGE, FaultKind.ERROR_EVENT, FaultKind.STALL)


def breaking_api(arena: Arena) -> None:
    """The API errs, cuts, resets, sends garbage and falls silent between good answers."""

    @contextmanager
    def disturb(_running: Headless, _load: Load) -> Iterator[None]:
        for kind in _KINDS:
            for _ in range(2 * arena.rounds if kind is not FaultKind.STALL else 2):
                arena.witness.faults.add(Fault(kind, arena.chance.randint(0, 6)), None)
        yield

    _, load = under_load(arena, disturb, seconds=12.0, clients_may_fail=True)
    expect(len(load.failed) > arena.rounds, "no fault came through")
    finding = expect_stored(arena, all_of(load))
    expect(finding.states["failed"] > 0, f"no exchange is kept as failed: {finding.states}")


def refusing_api(arena: Arena) -> None:
    """Nobody listens where the API was, for some seconds."""
    ports = {"plain_port": arena.standin.plain_port, "tls_port": arena.standin.tls_port}
    original = arena.standin.settings

    @contextmanager
    def disturb(_running: Headless, _load: Load) -> Iterator[None]:
        arena.standin.stop()
        yield
        arena.standin.settings = replace(original, **ports)
        arena.standin.start()

    with _stable_authority(arena):
        _, load = under_load(arena, disturb, clients_may_fail=True)
    expect(bool(load.failed), "no request was refused")
    expect_stored(arena, all_of(load))


def expired_certificate(arena: Arena) -> None:
    """The API's certificate runs out between two requests: no byte goes there; a new one, and all is well."""
    ports = {"plain_port": arena.standin.plain_port, "tls_port": arena.standin.tls_port}
    original = arena.standin.settings

    def present(*, is_expired: bool) -> None:
        arena.standin.stop()
        arena.standin.settings = replace(original, is_expired=is_expired, **ports)
        arena.standin.start()

    @contextmanager
    def disturb(_running: Headless, load: Load) -> Iterator[None]:
        present(is_expired=True)
        for _ in range(20):  # until those that were under way have ended
            answered = len(load.answered)
            time.sleep(1.5)
            if len(load.answered) == answered:
                break
        yield
        expect(len(load.answered) == answered, "a certificate that has run out was trusted")
        present(is_expired=False)

    with _stable_authority(arena):
        _, load = under_load(arena, disturb, clients_may_fail=True)
    told = [reason for reason in load.failed.values() if "502" in reason]
    expect(bool(told), f"clients were not told: {list(load.failed.values())[:3]}")
    expect_stored(arena, all_of(load))


def leaving_clients(arena: Arena) -> None:
    """Clients go in the middle of an answer, in order or not."""

    @contextmanager
    def disturb(running: Headless, _load: Load) -> Iterator[None]:
        context = ssl.create_default_context(cafile=str(running.certificate))
        for number in range(4 * arena.rounds):
            with (
                contextlib.suppress(httpx.HTTPError),
                httpx.Client(
                    http2=number % 2 == 1, proxy=running.proxy_url, verify=context, trust_env=False, timeout=10
                ) as client,
                client.stream(
                    "POST", f"{API_URL}/v1/messages", content=body_of(2_000_000 + number), headers={"x-api-key": "k"}
                ) as reply,
            ):
                for count, _piece in enumerate(reply.iter_raw()):
                    if count >= number % 5:
                        break
        yield

    _, load = under_load(arena, disturb)
    finding = expect_stored(arena, all_of(load))
    expect(finding.states["failed"] > 0, f"no exchange is kept as broken off: {finding.states}")


@contextmanager
def _stable_authority(arena: Arena) -> Iterator[None]:
    """Keep the stand-in's root where it is trusted from, although its directory goes whenever it stops."""
    kept = arena.home.parent / "standin-ca.pem"
    shutil.copy(arena.standin.ca_path, kept)
    standin = arena.standin

    class Stable(StandinServer):
        ca_path = property(lambda _self: kept)  # type: ignore[assignment]

    before = standin.__class__
    standin.__class__ = Stable
    try:
        yield
    finally:
        standin.__class__ = before


TRIALS = {
    "breaking API": breaking_api,
    "refusing API": refusing_api,
    "expired certificate": expired_certificate,
    "leaving clients": leaving_clients,
}
