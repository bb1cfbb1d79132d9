"""What reading the JSON API costs the traffic: 100 captures a second, with and without 200 reads a second beside them.

Assay headless with everything on; blocks with and without readers in turn: latency of the captured requests and their ratio,
what a read takes, and what CPU time the process that answers spends on it. `python -m benchmarks.api_load` prints it alone.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.api_reading import READS_PER_S, paced
from benchmarks.clients import Http1Client
from benchmarks.connecting import Route
from benchmarks.figures import percentile, ratio, spread
from benchmarks.latency import bodies
from benchmarks.processes import ROOT, Contestants, children, cpu_seconds, free_port, wait_listening

CAPTURES_PER_S = 100
BODY_BYTES, CONNECTIONS = 20_000, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """An Assay that runs for this."""

    route: Route
    api_port: int
    pid: int

    def api_cpu_s(self) -> float:
        """Return what the process that answers the API has used so far; 0 when there is none of its own."""
        found = (pid for pid in children(self.pid) if b"storage.api.worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
        return sum(cpu_seconds(pid) for pid in found)


async def _block(served: _Served, block_s: float, *, has_readers: bool) -> dict[str, float]:
    context = served.route.context("http/1.1")
    clients = [await Http1Client.connect(served.route, context) for _ in range(CONNECTIONS)]
    supply = itertools.cycle(list(itertools.islice(bodies(BODY_BYTES), 200)))
    latencies: list[float] = []

    async def capture(lane: int) -> None:
        begun = time.perf_counter()
        await clients[lane].post("/v1/messages", next(supply))
        latencies.append((time.perf_counter() - begun) * 1000)

    readers = await _start_readers(served.api_port, block_s) if has_readers else None
    cpu_before = served.api_cpu_s()
    await paced(CAPTURES_PER_S, CONNECTIONS, time.perf_counter() + block_s, capture)
    reads = json.loads((await readers.communicate())[0]) if readers is not None else []
    cpu_s = served.api_cpu_s() - cpu_before
    for client in clients:
        await client.close()
    return _figures(latencies, reads, cpu_s, block_s)


async def _start_readers(port: int, block_s: float) -> asyncio.subprocess.Process:
    """Start the readers' process and have it read."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "benchmarks.api_reading", str(port), str(block_s))
    readers = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=2**22)
    assert readers.stdin is not None
    assert readers.stdout is not None
    await readers.stdout.readline()
    readers.stdin.write(b"\n")
    return readers


def _figures(latencies: list[float], reads: list[float], cpu_s: float, block_s: float) -> dict[str, float]:
    figures = {"p50_ms": percentile(latencies, 0.5), "p99_ms": percentile(latencies, 0.99)}
    figures["captures_per_s"] = len(latencies) / block_s
    if reads:
        figures |= {"read_p50_ms": percentile(reads, 0.5), "read_p99_ms": percentile(reads, 0.99)}
        figures |= {"reads_per_s": len(reads) / block_s, "read_cpu_ms": cpu_s / len(reads) * 1000}
    return figures


def measure(contestants: Contestants, directory: Path, *, is_smoke: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure in rounds of two blocks, one with readers and one without, in turn first."""
    rounds, block_s = (2, 2.0) if is_smoke else (6, 4.0)
    blocks: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    with _serving(directory / "api-load", contestants.target("direct").route) as served:
        asyncio.run(_block(served, block_s, has_readers=True))
        for number in range(rounds):
            for has_readers in (number % 2 == 0, number % 2 != 0):
                blocks[has_readers].append(asyncio.run(_block(served, block_s, has_readers=has_readers)))
    result = _summary(blocks)
    say(_line(result))
    return result


@contextmanager
def _serving(home: Path, direct: Route) -> Iterator[_Served]:
    port, api_port = free_port(), free_port()
    command = [
        *(sys.executable, "-c", "from tui.cli.main import main; main()", "--headless", "--port", str(port)),
        *("--api-port", str(api_port), "--api-no-token", "--intercept", "localhost", "--upstream-proxy", "none"),
        *("--upstream-ca", str(direct.ca_path), "--data-dir", str(home)),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_listening(port)
        wait_listening(api_port)
        certificate = next(path for path in home.rglob("*.pem") if b"BEGIN CERTIFICATE" in path.read_bytes())
        route = Route(upstream_port=direct.upstream_port, proxy_port=port, ca_path=certificate)
        yield _Served(route=route, api_port=api_port, pid=process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _summary(blocks: dict[bool, list[dict[str, float]]]) -> dict[str, Any]:
    with_readers, without = blocks[True], blocks[False]

    def of_reads(figure: str) -> dict[str, float]:
        return spread([block[figure] for block in with_readers]).as_json()

    names = ("captures_per_s", "reads_per_s", "read_p50_ms", "read_p99_ms", "read_cpu_ms")
    result: dict[str, Any] = {name: of_reads(name) for name in names}
    for figure in ("p50_ms", "p99_ms"):
        ours, theirs = [block[figure] for block in with_readers], [block[figure] for block in without]
        result[figure] = {
            "with_readers": spread(ours).as_json(),
            "without": spread(theirs).as_json(),
            "ratio": ratio(ours, theirs).as_json(),
        }
    return result


def _line(result: dict[str, Any]) -> str:
    ratios = "  ".join(f"{name[:3]} x{result[name]['ratio']['median']:.2f}" for name in ("p50_ms", "p99_ms"))
    reads = f"{result['read_p50_ms']['median']:.2f} ms, {result['read_cpu_ms']['median']:.2f} ms of CPU"
    return f"api: captured requests with {READS_PER_S} reads a second over without: {ratios}; a read takes {reads}"


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="assay-api-", ignore_cleanup_errors=True) as name,
        Contestants(Path(name)) as contestants,
    ):
        result = measure(contestants, Path(name), is_smoke="--smoke" in sys.argv, say=lambda _line: None)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
