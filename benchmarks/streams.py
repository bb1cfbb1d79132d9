"""How late a stream's first byte and each of its events are, warm and cold, alone and many at once."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.clients import Client, Http1Client, Http2Client
from benchmarks.figures import percentile, spread
from benchmarks.processes import Contestants, Target, settle

_BODY = json.dumps(
    {"model": "claude-opus-5-5", "max_tokens": 64, "stream": True, "messages": [{"role": "user", "content": "word " * 2000}]}
).encode()
_STREAMS_PER_CONNECTION = 50
"""Over HTTP/2; servers commonly allow 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Streams of one kind."""

    label: str
    protocol: str
    """`h1` or `h2`."""
    at_once: int
    in_a_row: int
    """How many follow each other on each of these."""
    rounds: int
    events: int
    gap_s: float
    """Between two events of a stream."""


def loads(*, is_smoke: bool) -> list[Load]:
    """Return what is measured: one stream after another, events 10 ms apart, then many slower ones at once."""
    found = []
    for protocol in ("h1",) if is_smoke else ("h1", "h2"):
        rounds, in_a_row, at_once = (2, 5, 50) if is_smoke else (3, 25, 500)
        found.append(Load(label="one", protocol=protocol, at_once=1, in_a_row=in_a_row, rounds=rounds, events=8, gap_s=0.01))
        found.append(Load(label="many", protocol=protocol, at_once=at_once, in_a_row=1, rounds=1, events=10, gap_s=0.4))
    return found


def measure(contestants: Contestants, *, is_smoke: bool, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure single streams, then many at once."""
    results = []
    for load in loads(is_smoke=is_smoke):
        result = _measure(contestants, load)
        results.append({"protocol": load.protocol, "streams": load.label, "at_once": load.at_once, **result})
        say(_line(results[-1]))
    return results


def _measure(contestants: Contestants, load: Load) -> dict[str, Any]:
    taken: dict[str, list[dict[str, float]]] = {target.name: [] for target in contestants.targets}
    for number in range(load.rounds):
        for target in contestants.targets[number % 3 :] + contestants.targets[: number % 3]:
            taken[target.name].append(asyncio.run(_round(target, load)))
            if target.name == "assay":
                settle(target, 2)
    result: dict[str, Any] = {
        name: {figure: spread([each[figure] for each in rows]).as_json() for figure in rows[0]} for name, rows in taken.items()
    }
    for figure in ("first_byte_ms", "cold_first_byte_ms"):
        added = [ours[figure] - direct[figure] for ours, direct in zip(taken["assay"], taken["direct"], strict=True)]
        result[f"added_{figure}"] = spread(added).as_json()
    return result


async def _round(target: Target, load: Load) -> dict[str, float]:
    protocol, streams = load.protocol, load.at_once
    kind = Http1Client if protocol == "h1" else Http2Client
    context = target.route.context("http/1.1" if protocol == "h1" else "h2")
    begun = time.monotonic_ns()
    count = streams if protocol == "h1" else -(-streams // _STREAMS_PER_CONNECTION)
    clients: list[Client] = [await kind.connect(target.route, context) for _ in range(count)]
    cold = [0.0]
    if streams == 1:
        cold, _ = await _stream(clients[0], load, begun)
    lanes = [clients[number % count] for number in range(streams)]
    gathered: list[tuple[list[float], list[float]] | BaseException] = []
    for _ in range(load.in_a_row):
        gathered += await asyncio.gather(*(_stream(client, load) for client in lanes), return_exceptions=True)
    done = [each for each in gathered if not isinstance(each, BaseException)]
    for client in clients:
        await client.close()
    delays = [delay for _, each in done for delay in each]
    firsts = [first for each, _ in done for first in each]
    return {
        "first_byte_ms": percentile(firsts, 0.5),
        "first_byte_p99_ms": percentile(firsts, 0.99),
        "cold_first_byte_ms": cold[0],
        "event_delay_p50_ms": percentile(delays, 0.5),
        "event_delay_p99_ms": percentile(delays, 0.99),
        "failed": float(len(gathered) - len(done)),
    }


async def _stream(client: Client, load: Load, begun_ns: int | None = None) -> tuple[list[float], list[float]]:
    """Return when the first byte came, and how late each event was, in milliseconds."""
    started = begun_ns or time.monotonic_ns()
    first: list[float] = []
    delays: list[float] = []

    def take(piece: bytes) -> None:
        now = time.monotonic_ns()
        if not first:
            first.append((now - started) / 1e6)
        for line in piece.split(b"\n"):
            if line.startswith(b"data: "):
                at = line.find(b'"sent_ns":')
                if at >= 0:
                    delays.append((now - int(line[at + 10 :].partition(b",")[0])) / 1e6)

    await client.post(f"/v1/messages?events={load.events}&gap={load.gap_s}", _BODY, take)
    if len(delays) != load.events + 2:
        raise ConnectionError(f"{len(delays)} of {load.events + 2} events came")
    return first, delays


def _line(result: dict[str, Any]) -> str:
    parts = []
    for name in ("direct", "mitmdump", "assay"):
        figures = {figure: each["median"] for figure, each in result[name].items()}
        parts.append(
            f"{name} first {figures['first_byte_ms']:.1f} event p50 {figures['event_delay_p50_ms']:.2f} "
            f"p99 {figures['event_delay_p99_ms']:.1f} failed {figures['failed']:.0f}"
        )
    return f"{result['protocol']} {result['at_once']:>3} streams: " + " | ".join(parts)
