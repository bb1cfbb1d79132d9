"""Latency, throughput and CPU of requests, with everything of Assay switched on, beside mitmdump and no proxy at all."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from benchmarks.clients import Client, Http1Client, Http2Client
from benchmarks.figures import percentile, ratio, spread
from benchmarks.processes import Contestants, Target, cpu_seconds, held, settle, tree_cpu_seconds

SIZES = {"1 kB": 1_000, "100 kB": 100_000, "1 MB": 1_000_000}
_SETTLE_S = 0.5
"""For what Assay has still to store; what is still to be analysed waits, stopped, while others are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of load."""

    protocol: str
    """`h1` or `h2`."""
    size: str
    """Key of `SIZES`."""
    connections: int
    """For h2: streams at a time on one connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one block of requests gave."""

    p50_ms: float
    p99_ms: float
    requests_per_s: float
    cpu_ms: float
    """Of the process, per request; 0 without a process."""
    proxy_cpu_ms: float
    """Of the proxy's own thread, where it is known."""
    all_cpu_ms: float
    """Of the process and those below it (the analysis), per request, while the requests ran."""
    errors: int


def cases(*, is_smoke: bool) -> list[Case]:
    """Return what is measured."""
    protocols, connections = (("h1",), (1, 10)) if is_smoke else (("h1", "h2"), (1, 10, 100))
    sizes = ("1 kB", "100 kB") if is_smoke else tuple(SIZES)
    return [Case(protocol=p, size=s, connections=c) for p, s, c in itertools.product(protocols, sizes, connections)]


def measure(contestants: Contestants, *, is_smoke: bool, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure every case."""
    rounds, block_s = (2, 0.5) if is_smoke else (3, 0.5)
    results = []
    for case in cases(is_smoke=is_smoke):
        result = asyncio.run(_measure_case(contestants, case, rounds, block_s))
        results.append(result)
        say(_line(case, result))
    return results


async def _measure_case(contestants: Contestants, case: Case, rounds: int, block_s: float) -> dict[str, Any]:
    blocks: dict[str, list[Block]] = {target.name: [] for target in contestants.targets}
    clients = {target.name: await _connect(target, case) for target in contestants.targets}
    for number in range(rounds):
        order = contestants.targets[number % 3 :] + contestants.targets[: number % 3]
        for target in order:
            with nullcontext() if target.name == "assay" else held(contestants.target("assay")):
                blocks[target.name].append(await _block(target, clients[target.name], case, block_s))
            if target.name == "assay":
                settle(target, _SETTLE_S)
    for client in itertools.chain.from_iterable(clients.values()):
        await client.close()
    return _summary(case, blocks)


def bodies(size_bytes: int) -> Iterator[bytes]:
    """Yield requests of a conversation's shape that differ in their last message."""
    filler = "The quick brown fox reads a file and says what is in it. " * (size_bytes // 57 + 1)
    for number in itertools.count():
        turns = max(1, size_bytes // 4000)
        each = max(1, size_bytes // turns - 60)
        messages = [{"role": "assistant" if turn % 2 else "user", "content": filler[:each]} for turn in range(turns)]
        messages.append({"role": "user", "content": f"question {number:09d}"})
        yield json.dumps({"model": "claude-opus-5-5", "max_tokens": 1024, "messages": messages}).encode()


async def _block(target: Target, clients: list[Client], case: Case, block_s: float) -> Block:
    lanes = clients * case.connections if case.protocol == "h2" else clients
    supply = itertools.cycle(list(itertools.islice(bodies(SIZES[case.size]), 20 if case.size == "1 MB" else 100)))
    _, failed_before = await _keep_asking(lanes, supply, block_s / 5)
    before, begun = _used(target), time.perf_counter()
    latencies, failed = await _keep_asking(lanes, supply, block_s)
    took_s = time.perf_counter() - begun
    count = max(1, len(latencies))
    own, proxy, everything = (max(0.0, now - then) / count * 1000 for now, then in zip(_used(target), before, strict=True))
    return Block(
        p50_ms=percentile(latencies, 0.5),
        p99_ms=percentile(latencies, 0.99),
        requests_per_s=len(latencies) / took_s,
        cpu_ms=own,
        proxy_cpu_ms=proxy,
        all_cpu_ms=everything,
        errors=failed_before + failed,
    )


async def _keep_asking(lanes: list[Client], supply: Iterator[bytes], for_s: float) -> tuple[list[float], int]:
    """Post one body after the other in every lane; returns how long each took in ms, and how many lanes broke."""
    until = time.perf_counter() + for_s
    latencies: list[float] = []

    async def ask(client: Client) -> None:
        while (begun := time.perf_counter()) < until:
            await client.post("/v1/messages", next(supply))
            latencies.append((time.perf_counter() - begun) * 1000)

    ended = await asyncio.gather(*map(ask, lanes), return_exceptions=True)
    failures = [each for each in ended if each is not None]
    for failure in failures:
        if not isinstance(failure, OSError | EOFError):
            raise failure
    return latencies, len(failures)


def _used(target: Target) -> tuple[float, float, float]:
    """Return the CPU seconds so far of a process, of its proxy's thread (else of the process), and of all below it."""
    own, thread = cpu_seconds(target.pid), target.threads.get("assay-proxy")
    return own, cpu_seconds(target.pid, thread) if thread else own, tree_cpu_seconds(target.pid)


async def _connect(target: Target, case: Case) -> list[Client]:
    kind = Http1Client if case.protocol == "h1" else Http2Client
    context = target.route.context("http/1.1" if case.protocol == "h1" else "h2")
    count = case.connections if case.protocol == "h1" else 1
    return [await kind.connect(target.route, context) for _ in range(count)]


def _summary(case: Case, blocks: dict[str, list[Block]]) -> dict[str, Any]:
    def of(name: str, figure: str) -> list[float]:
        return [getattr(block, figure) for block in blocks[name]]

    figures = ("p50_ms", "p99_ms", "requests_per_s", "cpu_ms", "proxy_cpu_ms", "all_cpu_ms")
    summary: dict[str, Any] = {"protocol": case.protocol, "size": case.size, "connections": case.connections}
    for name, measured in blocks.items():
        summary[name] = {figure: spread(of(name, figure)).as_json() for figure in figures}
        summary[name]["errors"] = sum(block.errors for block in measured)
    summary["assay_over_mitmdump"] = {
        figure: ratio(of("assay", figure), of("mitmdump", figure)).as_json() for figure in figures
    }
    added = [ours - direct for ours, direct in zip(of("assay", "p50_ms"), of("direct", "p50_ms"), strict=True)]
    summary["assay_added_p50_ms"] = spread(added).as_json()
    return summary


def _line(case: Case, result: dict[str, Any]) -> str:
    over = {figure: each["median"] for figure, each in result["assay_over_mitmdump"].items()}
    times = "  ".join(f"{name} {result[name]['p50_ms']['median']:7.2f}" for name in ("direct", "mitmdump", "assay"))
    return (
        f"{case.protocol} {case.size:>6} x{case.connections:<3} {times} ms | over mitmdump: p50 x{over['p50_ms']:.2f} "
        f"p99 x{over['p99_ms']:.2f} rps x{over['requests_per_s']:.2f} cpu x{over['cpu_ms']:.2f} "
        f"(proxy thread x{over['proxy_cpu_ms']:.2f}, with analysis x{over['all_cpu_ms']:.2f}) "
        f"errors {result['assay']['errors']}"
    )
