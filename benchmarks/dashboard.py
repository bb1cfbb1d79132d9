"""The dashboard over a hundred thousand requests, with a hundred more a second coming in through the proxy.

Run as a process of its own (`python -m benchmarks.dashboard DIRECTORY COUNT DATABASE`). Assay is as people have it: in a
terminal, with proxy, recording, analysis and API. Measured are how soon keys are answered, how far the screen is behind, and
what the clients wait when it is open, beside a headless Assay with the same database, in turn.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.connecting import Route
from benchmarks.dashboard_keys import COLUMNS, ROWS, Key, Shown, look, script, time_of_day_s
from benchmarks.figures import percentile, ratio, spread
from benchmarks.processes import ROOT, Target, children, cpu_seconds, free_port, settle, wait_listening
from benchmarks.steady import PER_SECOND, Load, Traffic
from benchmarks.terminal import Terminal, frames

_MARKED_ROW: Final = re.compile(r"✗ \d\d:\d\d:\d\d .*?\b(4\d\d)\b")
_WARM_UP_S: Final = 1.5
_SETTLE_S: Final = 8.0
_IN_SIGHT_S: Final = 1.0
"""A row is looked for on the screen this long; it has scrolled away before that."""


@dataclass(frozen=True, slots=True)
class Press:
    """A key that was pressed."""

    moment: float
    """By `time.perf_counter`."""
    key: Key


def measure(directory: Path, *, database: Path, count: int, is_smoke: bool) -> dict[str, Any]:
    """Measure everything over copies of a database."""
    rounds, block_s = (1, 3.0) if is_smoke else (3, 6.0)
    with ExitStack() as stack:
        upstream = subprocess.Popen([sys.executable, "-m", "benchmarks.upstream"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        stack.callback(_end, upstream)
        assert upstream.stdout is not None
        where = json.loads(upstream.stdout.readline())
        direct = Route(upstream_port=int(where["port"]), proxy_port=None, ca_path=Path(where["ca_path"]))
        terminal, opened = _open_dashboard(directory / "dashboard", database, direct, stack)
        targets = {"headless": _open_headless(directory / "headless", database, direct, stack), "dashboard": opened}
        blocks: dict[str, list[Traffic]] = {name: [] for name in targets}
        for number in range(rounds):
            for name in sorted(targets, reverse=bool(number % 2)):
                blocks[name].append(_block(targets[name], block_s))
        first = _first_rows(terminal)
        presses, pressed_under = _press(terminal, targets["dashboard"], script(is_smoke=is_smoke))
    return {
        "exchanges": count,
        "per_second": PER_SECOND,
        "start": {"painted_s": first.painted_s, "rows_s": first.rows_s},
        "proxy": _proxy(blocks),
        "lag_ms": _lag(terminal, [mark for block in blocks["dashboard"] for mark in block.marks]),
        "keys": _keys(terminal, presses),
        "while_keys_are_pressed": _latencies(pressed_under),
    }


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}


def _command(home: Path, database: Path, direct: Route, port: int) -> list[str]:
    home.mkdir()
    own = home / "assay.db"
    shutil.copy(database, own)
    return [
        *(sys.executable, "-c", "from tui.cli.main import main; main()", "--port", str(port), "--api-port", "0"),
        *("--intercept", "localhost", "--upstream-proxy", "none", "--upstream-ca", str(direct.ca_path)),
        *("--data-dir", str(home), "--database", f"sqlite:///{own}"),
    ]


def _open_dashboard(home: Path, database: Path, direct: Route, stack: ExitStack) -> tuple[Terminal, Target]:
    port = free_port()
    command = _command(home, database, direct, port)
    terminal = stack.enter_context(Terminal(command, _environment(home), columns=COLUMNS, rows=ROWS))
    return terminal, _target("dashboard", home, port, direct, terminal.process.pid)


def _open_headless(home: Path, database: Path, direct: Route, stack: ExitStack) -> Target:
    port = free_port()
    command = [*_command(home, database, direct, port), "--headless"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    stack.callback(_end, process)
    return _target("headless", home, port, direct, process.pid)


def _target(name: str, home: Path, port: int, direct: Route, pid: int) -> Target:
    wait_listening(port)
    certificate = next(path for path in home.rglob("*.pem") if _is_certificate(path))
    target = Target(name=name, route=Route(upstream_port=direct.upstream_port, proxy_port=port, ca_path=certificate), pid=pid)
    settle(target, _SETTLE_S)
    return target


def _is_certificate(path: Path) -> bool:
    text = path.read_text()
    return "BEGIN CERTIFICATE" in text and "PRIVATE KEY" not in text


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _block(target: Target, seconds: float) -> Traffic:
    screen = _screen_of(target)
    with Load(target.route) as load:
        time.sleep(_WARM_UP_S)
        load.traffic.latencies_ms.clear()
        before = cpu_seconds(screen)
        time.sleep(seconds)
        load.traffic.screen_cpu_share = (cpu_seconds(screen) - before) / seconds
    settle(target, _SETTLE_S)
    return load.traffic


def _screen_of(target: Target) -> int | None:
    """Return the process that draws; `None` where none does."""
    return next((pid for pid in children(target.pid) if b"screen_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()), None)


def _press(terminal: Terminal, target: Target, keys: Sequence[Key]) -> tuple[list[Press], Traffic]:
    presses = []
    with Load(target.route) as load:
        time.sleep(_WARM_UP_S)
        for number, key in enumerate(keys):
            presses.append(Press(terminal.press(key.sent), key))
            # Not in step with anything that the dashboard does at intervals.
            time.sleep(key.rest_s + number * 7 % 50 / 1000)
    return presses, load.traffic


@dataclass(frozen=True, slots=True)
class _First:
    """When there was something to be seen first, seconds since the start."""

    painted_s: float
    rows_s: float
    """The newest rows."""


def _first_rows(terminal: Terminal) -> _First:
    painted = None
    for moment, screen in frames(terminal):
        if painted is None and "Sessions" in screen.text(0):
            painted = moment
        shown = look(screen) if painted is not None else None
        if painted is not None and shown is not None and shown.is_complete and shown.newest_age_s(0) is not None:
            return _First(painted - terminal.begun, moment - terminal.begun)
    raise TimeoutError("no rows were shown")


def _latencies(traffic: Traffic) -> dict[str, float]:
    return {
        "p50_ms": percentile(traffic.latencies_ms, 0.5),
        "p99_ms": percentile(traffic.latencies_ms, 0.99),
        "requests": len(traffic.latencies_ms),
        "errors": traffic.errors,
        "late": traffic.late,
        "screen_cpu_share": traffic.screen_cpu_share,
    }


def _proxy(blocks: dict[str, list[Traffic]]) -> dict[str, Any]:
    figures = {name: [_latencies(block) for block in each] for name, each in blocks.items()}
    result: dict[str, Any] = {
        name: {
            figure: spread([block[figure] for block in each]).as_json() for figure in ("p50_ms", "p99_ms", "screen_cpu_share")
        }
        | {figure: sum(block[figure] for block in each) for figure in ("requests", "errors", "late")}
        for name, each in figures.items()
    }
    for figure in ("p50_ms", "p99_ms"):
        ours, theirs = ([block[figure] for block in figures[name]] for name in ("dashboard", "headless"))
        result[f"{figure}_ratio"] = ratio(ours, theirs).as_json()
    return result


def _lag(terminal: Terminal, marks: Sequence[tuple[float, int]]) -> dict[str, float]:
    """Return how long after an answer had reached its client its row stood on the screen."""
    waiting = sorted(marks, reverse=True)
    looked_for: list[tuple[float, int]] = []
    lags, missed = [], 0
    for moment, screen in frames(terminal):
        while waiting and waiting[-1][0] <= moment:
            looked_for.append(waiting.pop())
        gone = [mark for mark in looked_for if moment - mark[0] > _IN_SIGHT_S]
        missed += len(gone)
        if looked_for:
            seen = {int(found[1]) for row in range(2, ROWS - 2) if (found := _MARKED_ROW.search(screen.text(row)))}
            lags += [(moment - mark[0]) * 1000 for mark in looked_for if mark[1] in seen and mark not in gone]
            looked_for = [mark for mark in looked_for if mark[1] not in seen and mark not in gone]
    if not lags:
        raise ValueError("no row was ever seen")
    # What scrolled by unseen was behind for longer than it would have been in sight.
    ordered = [*lags, *[_IN_SIGHT_S * 1000] * (missed + len(looked_for))]
    return {
        "p50": percentile(ordered, 0.5),
        "p95": percentile(ordered, 0.95),
        "max_seen": max(lags),
        "seen": len(lags),
        "missed": missed + len(looked_for),
    }


@dataclass(slots=True)
class _Answer:
    answered_ms: float | None = None
    settled_ms: float | None = None


def _answers(terminal: Terminal, presses: Sequence[Press]) -> Iterator[tuple[Key, _Answer]]:
    """Yield when each key was answered; `None` where it was not before the next one."""
    waiting = list(reversed(presses))
    press, before, answer = waiting.pop(), None, _Answer()
    last: Shown | None = None
    for moment, screen in frames(terminal):
        while waiting and moment > waiting[-1].moment:
            yield press.key, answer
            press, before, answer = waiting.pop(), last, _Answer()
        if moment > press.moment and before is None:
            before = last
        is_done = before is not None and answer.settled_ms is not None
        next_at = waiting[-1].moment if waiting else float("inf")
        if moment < press.moment - 1 or (is_done and moment < next_at - 0.5):
            continue
        now = look(screen)
        if before is not None:
            taken_ms, day_s = (moment - press.moment) * 1000, time_of_day_s(moment)
            if answer.answered_ms is None and press.key.is_answered(before, now, day_s):
                answer.answered_ms = taken_ms
            if answer.settled_ms is None and press.key.is_settled(before, now, day_s):
                answer.settled_ms = taken_ms
        last = now
    yield press.key, answer


def _keys(terminal: Terminal, presses: Sequence[Press]) -> dict[str, Any]:
    found: dict[str, list[_Answer]] = {}
    for key, answer in _answers(terminal, presses):
        found.setdefault(key.name, []).append(answer)
    return {"all": _summary([answer for each in found.values() for answer in each])} | {
        name: _summary(each) for name, each in found.items()
    }


def _summary(answers: Sequence[_Answer]) -> dict[str, float | None]:
    result: dict[str, float | None] = {"presses": len(answers)}
    for name in ("answered_ms", "settled_ms"):
        taken = [value for answer in answers if (value := getattr(answer, name)) is not None]
        result[f"{name}_p50"] = percentile(taken, 0.5) if taken else None
        result[f"{name}_p95"] = percentile(taken, 0.95) if taken else None
        result[f"not_{name.removesuffix('_ms')}"] = len(answers) - len(taken)
    return result


def main() -> None:
    """Measure, and print the result as JSON."""
    directory, count, database = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    if not database.exists():
        from benchmarks.filling import fill

        fill(database, count)
    sys.stdout.write(json.dumps(measure(directory, database=database, count=count, is_smoke="--smoke" in sys.argv)) + "\n")


if __name__ == "__main__":
    main()
