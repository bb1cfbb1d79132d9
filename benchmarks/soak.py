"""`make soak`: steady load for long; memory, file handles, threads and latency of Assay over time, as CSV and as a plot.

Ends with 1 when memory, handles or threads of the last quarter lie clearly above those of the second quarter.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from benchmarks.clients import Http1Client
from benchmarks.figures import percentile
from benchmarks.latency import bodies
from benchmarks.processes import ROOT, Contestants, Target, memory_mb

_SLACK = 1.15
_BODY_BYTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How it was at one moment."""

    second: float
    memory_mb: float
    file_handles: int
    threads: int
    p50_ms: float
    p99_ms: float
    errors: int


async def soak(target: Target, minutes: float, per_second: float, every_s: float) -> list[Reading]:
    """Send requests at a steady rate and read the process's state now and then."""
    context = target.route.context("http/1.1")
    clients = [await Http1Client.connect(target.route, context) for _ in range(8)]
    idle: asyncio.Queue[Http1Client] = asyncio.Queue()
    for client in clients:
        idle.put_nowait(client)
    supply = itertools.cycle([next(each) for each in [bodies(_BODY_BYTES)] for _ in range(200)])
    latencies: list[float] = []
    errors = 0
    running: set[asyncio.Task[None]] = set()

    async def one(body: bytes) -> None:
        nonlocal errors
        client = await idle.get()
        begun = time.perf_counter()
        try:
            await client.post("/v1/messages", body)
            latencies.append((time.perf_counter() - begun) * 1000)
        except (OSError, asyncio.IncompleteReadError):
            errors += 1
            client = await Http1Client.connect(target.route, context)
        idle.put_nowait(client)

    readings: list[Reading] = []
    begun = due = read_at = time.perf_counter()
    while time.perf_counter() - begun < minutes * 60:
        due += 1 / per_second
        await asyncio.sleep(due - time.perf_counter())
        task = asyncio.create_task(one(next(supply)))
        running.add(task)
        task.add_done_callback(running.discard)
        if time.perf_counter() - read_at >= every_s and latencies:
            read_at = time.perf_counter()
            readings.append(_read(target, read_at - begun, latencies, errors))
            print(json.dumps(dict(zip((f.name for f in fields(Reading)), astuple(readings[-1]), strict=True))), flush=True)
            latencies.clear()
    await asyncio.gather(*running)
    for client in clients:
        await client.close()
    return readings


def _read(target: Target, second: float, latencies: list[float], errors: int) -> Reading:
    assert target.pid is not None
    return Reading(
        second=round(second, 1),
        memory_mb=round(memory_mb(target.pid), 1),
        file_handles=_entries(f"/proc/{target.pid}/fd"),
        threads=_entries(f"/proc/{target.pid}/task"),
        p50_ms=round(percentile(latencies, 0.5), 2),
        p99_ms=round(percentile(latencies, 0.99), 2),
        errors=errors,
    )


def _entries(directory: str) -> int:
    return sum(1 for _ in Path(directory).iterdir())


def grown(readings: list[Reading]) -> list[str]:
    """Return what is clearly more in the last quarter than in the second."""
    quarter = len(readings) // 4
    found = []
    for name in ("memory_mb", "file_handles", "threads"):
        early = statistics.median(getattr(each, name) for each in readings[quarter : 2 * quarter] or readings[:1])
        late = statistics.median(getattr(each, name) for each in readings[-quarter or -1 :])
        if late > early * _SLACK:
            found.append(f"{name} grew from {early:g} to {late:g}")
    return found


def plot(readings: list[Reading], path: Path) -> None:
    """Draw memory and latency over time."""
    lines = []
    for name, colour, top in (("memory_mb", "#0a6", 40), ("p99_ms", "#c40", 220)):
        values = [getattr(each, name) for each in readings]
        highest = max(values) or 1
        points = " ".join(
            f"{40 + 720 * index / max(1, len(values) - 1):.1f},{top + 140 - 130 * value / highest:.1f}"
            for index, value in enumerate(values)
        )
        lines.append(f'<text x="40" y="{top}" fill="{colour}">{name}, up to {highest:g}</text>')
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
    drawing = "".join(lines)
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="400" font-size="14">{drawing}</svg>\n')


def main() -> int:
    """Soak Assay and say whether anything grew."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--per-second", type=float, default=50)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks", help="where soak.csv and soak.svg go")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="assay-soak-", ignore_cleanup_errors=True) as name,
        Contestants(Path(name)) as contestants,
    ):
        every_s = max(2.0, options.minutes * 60 / 120)
        readings = asyncio.run(soak(contestants.target("assay"), options.minutes, options.per_second, every_s))
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
