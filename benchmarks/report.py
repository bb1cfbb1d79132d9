"""Results as JSON and as Markdown tables, with the machine and versions they were taken on."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT

_PACKAGES = ("context-assay", "mitmproxy", "textual", "sqlmodel", "cryptography", "h2")


def circumstances() -> dict[str, Any]:
    """Return what the figures depend on beside the code."""
    model = next(
        (line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        "",
    )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() + ("+" if changed.stdout.strip() else ""),
        "processor": model,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def write(results: dict[str, Any], directory: Path) -> None:
    """Write `results.json` and `results.md`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (directory / "results.md").write_text(markdown(results))


def markdown(results: dict[str, Any]) -> str:
    """Return the tables."""
    parts = [_introduction(results["circumstances"], results.get("parts_s", {}))]
    if latency := results.get("latency"):
        parts.append(_latency(latency))
    if streams := results.get("streams"):
        parts.append(_streams(streams))
    if api := results.get("api"):
        parts.append(_api(api))
    if storing := results.get("storing"):
        parts.append(_storing(storing))
    if reading := results.get("reading"):
        parts.append(_reading(reading))
    if dashboard := results.get("dashboard"):
        parts += [_dashboard(dashboard), _keys(dashboard)]
    if starting := results.get("starting"):
        parts.append(_starting(starting))
    return "\n".join(parts)


def _introduction(facts: dict[str, Any], parts_s: dict[str, int]) -> str:
    took = ", ".join(f"{part} {seconds} s" for part, seconds in parts_s.items())
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return (
        "# Benchmarks\n\n`make bench` wrote this. Medians of interleaved rounds; clients, upstream and proxy share a "
        f"machine.\n\n- {facts['taken_at']}, commit {facts['commit']}\n- {facts['processor']}, {facts['cores']} cores, "
        f"load before: {facts['load_before']}\n- {facts['system']}, Python {facts['python']}, {versions}\n"
        f"- {sum(parts_s.values())} s in all: {took}\n"
    )


def _table(title: str, header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _latency(cases: list[dict[str, Any]]) -> str:
    rows = []
    for case in cases:
        over = {name: f"{each['median']:.2f}" for name, each in case["assay_over_mitmdump"].items()}
        times = [f"{case[name]['p50_ms']['median']:.2f}" for name in ("direct", "mitmdump", "assay")]
        row = [
            f"{case['protocol']} {case['size']} x{case['connections']}",
            *times,
            f"{case['assay_added_p50_ms']['median']:.2f}",
        ]
        row += [over[name] for name in ("p50_ms", "p99_ms", "requests_per_s", "cpu_ms", "proxy_cpu_ms", "all_cpu_ms")]
        rows.append([*row, str(case["assay"]["errors"])])
    header = [
        "case",
        "direct p50 ms",
        "mitmdump",
        "Assay",
        "added",
        "p50 x",
        "p99 x",
        "throughput x",
        "CPU x",
        "proxy thread CPU x",
        "with analysis CPU x",
        "errors",
    ]
    title = "Requests, with full capture, analysis and storage; x = Assay over plain mitmdump"
    return _table(title, header, rows)


def _streams(cases: list[dict[str, Any]]) -> str:
    rows = []
    for case in cases:
        for name in ("direct", "mitmdump", "assay"):
            figures = case[name]
            shown = ("first_byte_ms", "first_byte_p99_ms", "cold_first_byte_ms", "event_delay_p50_ms", "event_delay_p99_ms")
            row = [f"{case['protocol']} x{case['at_once']}", name, *(f"{figures[each]['median']:.2f}" for each in shown)]
            rows.append([*row, f"{figures['failed']['high']:.0f}"])
    header = ["case", "through", "first byte ms", "p99", "new connection", "event delay p50 ms", "p99", "failed"]
    return _table("Streams: one at a time, events 10 ms apart, then many of 10 events 400 ms apart", header, rows)


def _api(result: dict[str, Any]) -> str:
    shown = [f"{result[name]['median']:.0f}" for name in ("captures_per_s", "reads_per_s")]
    shown += [f"{result[name]['median']:.2f}" for name in ("read_p50_ms", "read_p99_ms", "read_cpu_ms")]
    for name in ("p50_ms", "p99_ms"):
        case = result[name]
        shown += [f"{case[each]['median']:.2f}" for each in ("without", "with_readers")]
        shown.append(f"{case['ratio']['median']:.2f} ({case['ratio']['low']:.2f} - {case['ratio']['high']:.2f})")
    reads = "captures/s, reads/s, read p50 ms, p99, CPU ms"
    header = f"{reads}, captured p50 ms, with reads, x, p99, with reads, x".split(", ")
    return _table("Reading the JSON API beside a capture; x = captured requests with reads over without", header, [shown])


def _storing(result: dict[str, dict[str, float]]) -> str:
    rows = [[name, *(f"{figures[each]:.2f}" for each in figures)] for name, figures in result.items()]
    header = ["what", *next(iter(result.values()))]
    return _table("Storing", [name.replace("_", " ") for name in header], rows)


def _reading(results: list[dict[str, Any]]) -> str:
    names = list(results[0]["median_ms"])
    rows = [[name, *(f"{result['median_ms'][name]:.2f}" for result in results)] for name in names]
    served = results[0]["api_median_ms"]
    rows += [[f"API: {name}", *(f"{result['api_median_ms'][name]:.2f}" for result in results)] for name in served]
    rows.append(["open and first page", *(f"{result['opened_and_first_page_ms']:.1f}" for result in results)])
    return _table("Reading, median ms", ["question", *(f"{result['exchanges']:,}" for result in results)], rows)


def _dashboard(result: dict[str, Any]) -> str:
    proxy, lag, start = result["proxy"], result["lag_ms"], result["start"]
    rows = []
    for figure in ("p50_ms", "p99_ms"):
        each = proxy[f"{figure}_ratio"]
        name = f"{figure.removesuffix('_ms')} of a request, ms: headless, with the dashboard, ratio"
        both = f"{proxy['headless'][figure]['median']:.2f}, {proxy['dashboard'][figure]['median']:.2f}"
        rows.append([name, f"{both}, {each['median']:.2f} ({each['low']:.2f} - {each['high']:.2f})"])
    rows += [
        ["CPU of the dashboard's process, share of one core", f"{proxy['dashboard']['screen_cpu_share']['median']:.2f}"],
        ["screen behind an arrival, ms: p50, p95", f"{lag['p50']:.0f}, {lag['p95']:.0f} ({lag['missed']} of them never seen)"],
        ["start to first paint, to rows, s", f"{start['painted_s']:.2f}, {start['rows_s']:.2f}"],
    ]
    title = f"Dashboard over {result['exchanges']:,} requests, {result['per_second']} more a second"
    return _table(title, ["what", "figure"], rows)


def _keys(result: dict[str, Any]) -> str:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.0f}"

    figures = ("answered_ms_p50", "answered_ms_p95", "settled_ms_p50", "settled_ms_p95")
    rows = [
        [name, str(each["presses"]), *(shown(each[figure]) for figure in figures), str(each["not_answered"])]
        for name, each in result["keys"].items()
    ]
    header = ["key", "presses", "first answer p50 ms", "p95", "all there p50 ms", "p95", "not before the next key"]
    return _table("Keys, from the press until it is seen in the terminal, with the same load", header, rows)


def _starting(result: dict[str, dict[str, float]]) -> str:
    rows = [[name, f"{each['median']:.2f}", f"{each['low']:.2f} - {each['high']:.2f}"] for name, each in result.items()]
    return _table("Starting", ["what", "median s", "spread"], rows)
