"""What reading the JSON API costs the traffic: 100 captures a second, with and without 200 reads a second beside them.

`python -m benchmarks.api_load`: Assay headless with everything on, its API in the same process; blocks with and without readers
in turn; prints latency of the captured requests and the ratio, as JSON.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.clients import Http1Client
from benchmarks.connecting import Route
from benchmarks.figures import percentile, ratio, spread
from benchmarks.latency import bodies
from benchmarks.processes import Contestants, cpu_seconds, free_port, wait_listening

CAPTURES_PER_S, READS_PER_S = 100, 200
BODY_BYTES, CONNECTIONS = 20_000, 10
ROUNDS, BLOCK_S = 5, 6.0
PATHS = (
    "/api/claude/requests?limit=20",
    "/api/claude/metrics/summary",
    "/api/claude/metrics/sources",
    "/api/claude/metrics/timeseries?bucket=hour",
    "/api/claude/sessions",
)


class _Api:
    """One keep-alive connection of a reader."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader, self._writer, self._port = reader, writer, port

    async def get(self, path: str) -> None:
        """Read one answer whole."""
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise ConnectionError(head.decode("latin-1"))
        await self._reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))

    def close(self) -> None:
        """Close the connection."""
        self._writer.close()


async def _paced(rate: float, lanes: int, until: float, act) -> int:  # type: ignore[no-untyped-def]
    """Call `act(lane)` at a steady rate, spread over lanes; returns how often it was called."""
    done = 0

    async def lane(number: int) -> None:
        nonlocal done
        due = time.perf_counter() + number / rate
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await act(number)
            done += 1
            due += lanes / rate

    await asyncio.gather(*(lane(number) for number in range(lanes)))
    return done


async def _block(route: Route, api_port: int, *, has_readers: bool) -> dict[str, float]:
    context = route.context("http/1.1")
    clients = [await Http1Client.connect(route, context) for _ in range(CONNECTIONS)]
    readers = [_Api(*await asyncio.open_connection("127.0.0.1", api_port, limit=2**22), api_port) for _ in range(10)]
    supply, paths = itertools.cycle(list(itertools.islice(bodies(BODY_BYTES), 200))), itertools.cycle(PATHS)
    latencies: list[float] = []
    reads: list[float] = []

    async def capture(lane: int) -> None:
        begun = time.perf_counter()
        await clients[lane].post("/v1/messages", next(supply))
        latencies.append((time.perf_counter() - begun) * 1000)

    async def read(lane: int) -> None:
        begun = time.perf_counter()
        await readers[lane].get(next(paths))
        reads.append((time.perf_counter() - begun) * 1000)

    until = time.perf_counter() + BLOCK_S
    work = [_paced(CAPTURES_PER_S, CONNECTIONS, until, capture)]
    if has_readers:
        work.append(_paced(READS_PER_S, len(readers), until, read))
    await asyncio.gather(*work)
    for client in clients:
        await client.close()
    for reader in readers:
        reader.close()
    figures = {"p50_ms": percentile(latencies, 0.5), "p99_ms": percentile(latencies, 0.99), "captures": len(latencies)}
    return figures | ({"read_p50_ms": percentile(reads, 0.5), "reads": len(reads)} if reads else {})


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="assay-api-", ignore_cleanup_errors=True) as name,
        Contestants(Path(name)) as setting,
    ):
        direct = setting.target("direct").route
        route, api_port, process = _start(Path(name) / "own", direct)
        blocks: dict[bool, list[dict[str, float]]] = {False: [], True: []}
        try:
            asyncio.run(_block(route, api_port, has_readers=True))
            for number in range(ROUNDS):
                for has_readers in (number % 2 == 0, number % 2 != 0):
                    blocks[has_readers].append(asyncio.run(_block(route, api_port, has_readers=has_readers)))
            cpu = cpu_seconds(process.pid)
        finally:
            process.terminate()
            process.wait(20)
    print(json.dumps(_summary(blocks) | {"cpu_s": round(cpu, 1)}, indent=1))


def _start(home: Path, direct: Route) -> tuple[Route, int, "subprocess.Popen[bytes]"]:
    port, api_port = free_port(), free_port()
    command = [
        *(sys.executable, "-c", "from tui.cli.main import main; main()", "--headless", "--port", str(port)),
        *("--api-port", str(api_port), "--api-no-token", "--intercept", "localhost", "--upstream-proxy", "none"),
        *("--upstream-ca", str(direct.ca_path), "--data-dir", str(home)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_listening(port)
    wait_listening(api_port)
    certificate = next(path for path in home.rglob("*.pem") if b"BEGIN CERTIFICATE" in path.read_bytes())
    return Route(upstream_port=direct.upstream_port, proxy_port=port, ca_path=certificate), api_port, process


def _summary(blocks: dict[bool, list[dict[str, float]]]) -> dict[str, object]:
    with_readers, without = blocks[True], blocks[False]
    result: dict[str, object] = {
        "captures_per_s": CAPTURES_PER_S,
        "reads_per_s": sum(block["reads"] for block in with_readers) / BLOCK_S / len(with_readers),
        "read_p50_ms": spread([block["read_p50_ms"] for block in with_readers]).as_json(),
    }
    for figure in ("p50_ms", "p99_ms"):
        ours, theirs = [b[figure] for b in with_readers], [b[figure] for b in without]
        result[figure] = {"with_readers": spread(ours).as_json(), "without": spread(theirs).as_json()}
        result[f"{figure}_ratio"] = ratio(ours, theirs).as_json()
    return result


if __name__ == "__main__":
    main()
