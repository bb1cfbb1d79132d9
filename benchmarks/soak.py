"""`make soak`: steady load for long, with a dashboard and readers of the API; how Assay is meanwhile, as CSV and as a plot.

Ends with 1 when memory, handles, threads, what waits or what clients wait lies in the last quarter clearly above the second.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from benchmarks.clients import Http1Client
from benchmarks.figures import percentile
from benchmarks.latency import bodies
from benchmarks.processes import ROOT, Contestants, Target, children, memory_mb
from benchmarks.terminal import Terminal
from tui.presence import find_running

_SLACK = 1.15
_FLAT = ("memory_mb", "recording_mb", "analysis_mb", "api_mb", "dashboard_mb", "file_handles", "threads")
_NOISE = {"queued": 20, "unanalysed": 1_000, "p50_ms": 1.0, "p99_ms": 10.0}
"""Beyond the slack: what waits comes and goes by the second, and is little."""
_BODY_BYTES = 20_000
_PARTS = {"recording": b"storage.recording_worker", "analysis": b"storage.analysis_worker", "api": b"storage.api.worker"}
_QUESTIONS = ("requests?limit=50", "metrics/sources", "sessions", "capture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How it was at one moment."""

    second: float
    memory_mb: float
    """Of the process that forwards."""
    recording_mb: float
    analysis_mb: float
    api_mb: float
    dashboard_mb: float
    """Of `assay view` over the same database."""
    file_handles: int
    """Of all of Assay's processes together, without the dashboard's; the next as well."""
    threads: int
    queued: int | None
    """Captured and not stored yet; `None`: the API did not answer."""
    unanalysed: int | None
    """Stored and not analysed yet."""
    p50_ms: float
    p99_ms: float
    api_p99_ms: float | None
    """Of reading the API; `None`: nothing was read."""
    errors: int
    """Requests that failed, since the start."""


class ApiReader:
    """Asks the API of a running Assay some questions, again and again.

    Args:
        home: Its data directory.
        pid: Its main process.
    """

    def __init__(self, home: Path, pid: int) -> None:
        self._url = _api_url(home, pid)
        self._headers = {"authorization": f"Bearer {next(home.rglob('api-token')).read_text().strip()}"}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.latencies: list[float] = []
        """In milliseconds."""
        self.queued: int | None = None
        """As the API said last; the next as well."""
        self.unanalysed: int | None = None

    async def read(self, every_s: float) -> None:
        """Ask until cancelled."""
        for question in itertools.cycle(_QUESTIONS):
            begun = time.perf_counter()
            answer = await asyncio.to_thread(self._ask, question)
            if answer is not None:
                self.latencies.append((time.perf_counter() - begun) * 1000)
            if question == "capture":
                said = None if answer is None else json.loads(answer)
                self.queued = said and said["queued"]
                self.unanalysed = said and said["stored"] - said["analysed"] - said["analysis_errors"]
            await asyncio.sleep(every_s)

    def _ask(self, question: str) -> bytes | None:
        request = urllib.request.Request(f"{self._url}/api/claude/{question}", headers=self._headers)
        with suppress(OSError), self._opener.open(request, timeout=20) as reply:
            body: bytes = reply.read()
            return body
        return None


def _api_url(home: Path, pid: int) -> str:
    """Return where the API of a running Assay is, waiting for it: it comes up after the proxy."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for presence in find_running(home):
            if presence.pid == pid and presence.api_url:
                return presence.api_url
        time.sleep(0.1)
    raise TimeoutError("the API did not come up")


class _Traffic:
    """Requests over connections that are kept.

    Args:
        target: Where through.
    """

    def __init__(self, target: Target) -> None:
        self._route = target.route
        self._context = target.route.context("http/1.1")
        self._idle: asyncio.Queue[Http1Client] = asyncio.Queue()
        self._supply = itertools.cycle(list(itertools.islice(bodies(_BODY_BYTES), 200)))
        self._running: set[asyncio.Task[None]] = set()
        self.latencies: list[float] = []
        """In milliseconds, since somebody cleared it."""
        self.errors = 0

    async def connect(self, count: int) -> None:
        """Open connections."""
        for _ in range(count):
            self._idle.put_nowait(await Http1Client.connect(self._route, self._context))

    def send(self) -> None:
        """Send the next request, on the next connection that is free."""
        task = asyncio.create_task(self._send(next(self._supply)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Wait for the answers, then close."""
        await asyncio.gather(*self._running)
        while not self._idle.empty():
            await self._idle.get_nowait().close()

    async def _send(self, body: bytes) -> None:
        client = await self._idle.get()
        begun = time.perf_counter()
        try:
            await client.post("/v1/messages", body)
            self.latencies.append((time.perf_counter() - begun) * 1000)
        except (OSError, asyncio.IncompleteReadError):
            self.errors += 1
            client = await Http1Client.connect(self._route, self._context)
        self._idle.put_nowait(client)


async def soak(
    target: Target, minutes: float, per_second: float, every_s: float, reader: ApiReader, dashboard: int
) -> list[Reading]:
    """Send requests at a steady rate and read the process's state now and then."""
    traffic = _Traffic(target)
    await traffic.connect(8)
    asking = asyncio.create_task(reader.read(0.5))
    readings: list[Reading] = []
    begun = due = read_at = time.perf_counter()
    while time.perf_counter() - begun < minutes * 60:
        due += 1 / per_second
        await asyncio.sleep(due - time.perf_counter())
        traffic.send()
        if time.perf_counter() - read_at >= every_s and traffic.latencies:
            read_at = time.perf_counter()
            readings.append(_read(target, read_at - begun, traffic, reader, dashboard))
            print(json.dumps(asdict(readings[-1])), flush=True)
            traffic.latencies.clear()
            reader.latencies.clear()
    asking.cancel()
    await traffic.close()
    return readings


def _read(target: Target, second: float, traffic: _Traffic, reader: ApiReader, dashboard: int) -> Reading:
    assert target.pid is not None
    everyone = [target.pid, *children(target.pid)]
    parts = dict.fromkeys(_PARTS, 0.0)
    for pid in everyone[1:]:
        with suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            for name, module in _PARTS.items():
                parts[name] += memory_mb(pid) if module in command else 0.0
    return Reading(
        second=round(second, 1),
        memory_mb=round(memory_mb(target.pid), 1),
        recording_mb=round(parts["recording"], 1),
        analysis_mb=round(parts["analysis"], 1),
        api_mb=round(parts["api"], 1),
        dashboard_mb=round(memory_mb(dashboard), 1),
        file_handles=sum(_entries(f"/proc/{pid}/fd") for pid in everyone),
        threads=sum(_entries(f"/proc/{pid}/task") for pid in everyone),
        queued=reader.queued,
        unanalysed=reader.unanalysed,
        p50_ms=round(percentile(traffic.latencies, 0.5), 2),
        p99_ms=round(percentile(traffic.latencies, 0.99), 2),
        api_p99_ms=round(percentile(reader.latencies, 0.99), 1) if reader.latencies else None,
        errors=traffic.errors,
    )


def _entries(directory: str) -> int:
    with suppress(OSError):
        return sum(1 for _ in Path(directory).iterdir())
    return 0


def grown(readings: list[Reading]) -> list[str]:
    """Return what is clearly more in the last quarter than in the second."""
    quarter = len(readings) // 4
    found = []
    for name in (*_FLAT, *_NOISE):
        early = _median(readings[quarter : 2 * quarter] or readings[:1], name)
        late = _median(readings[-quarter or -1 :], name)
        if early is not None and late is not None and late > early * _SLACK + _NOISE.get(name, 0):
            found.append(f"{name} grew from {early:g} to {late:g}")
    return found


def _median(readings: list[Reading], name: str) -> float | None:
    """Return the median of a figure where it is known; `None`: it never is."""
    known: list[float] = [value for each in readings if (value := getattr(each, name)) is not None]
    return statistics.median(known) if known else None


def plot(readings: list[Reading], path: Path) -> None:
    """Draw everything over time, each on a strip of its own that begins at nothing."""
    names = [field.name for field in fields(Reading) if field.name != "second"]
    minutes = readings[-1].second / 60
    lines = [f'<text x="40" y="{40 + 90 * len(names)}">0 to {minutes:.0f} minutes</text>']
    for number, name in enumerate(names):
        top = 20 + 90 * number
        values = [getattr(each, name) or 0 for each in readings]
        highest = max(values) or 1
        points = " ".join(
            f"{40 + 720 * index / max(1, len(values) - 1):.1f},{top + 80 - 70 * value / highest:.1f}"
            for index, value in enumerate(values)
        )
        lines.append(f'<path d="M40 {top + 80}H760" stroke="#999"/>')
        lines.append(f'<text x="40" y="{top + 8}" fill="#06c">{name}: {values[-1]:g} at the end, at most {highest:g}</text>')
        lines.append(f'<polyline points="{points}" fill="none" stroke="#06c"/>')
    size = f'width="800" height="{60 + 90 * len(names)}"'
    drawing = f'<rect {size} fill="#fff"/>' + "".join(lines)
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">{drawing}</svg>\n')


def main() -> int:
    """Soak Assay and say whether anything grew."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--per-second", type=float, default=50)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks", help="where soak.csv and soak.svg go")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)  # now, not when it turns out to be missing after an hour
    with (
        tempfile.TemporaryDirectory(prefix="assay-soak-", ignore_cleanup_errors=True) as name,
        Contestants(Path(name)) as contestants,
    ):
        every_s = max(2.0, options.minutes * 60 / 120)
        target, home = contestants.target("assay"), Path(name) / "assay"
        assert target.pid is not None
        command = [str(Path(sys.executable).with_name("assay")), "view", "--data-dir", str(home)]
        with Terminal(command, dict(os.environ)) as terminal:
            reader = ApiReader(home, target.pid)
            work = soak(target, options.minutes, options.per_second, every_s, reader, terminal.process.pid)
            readings = asyncio.run(work)
    rows = [",".join(field.name for field in fields(Reading)), *(",".join(map(str, astuple(each))) for each in readings)]
    (options.output / "soak.csv").write_text("\n".join(rows) + "\n")
    plot(readings, options.output / "soak.svg")
    trouble = grown(readings)
    if readings[-1].errors:
        trouble.append(f"{readings[-1].errors} requests failed")
    print("; ".join(trouble) or "flat", flush=True)
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
