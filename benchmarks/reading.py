"""How quickly the store and the API answer at ten thousand, a hundred thousand and a million (`--million`) exchanges.

Run as a process of its own (`python -m benchmarks.reading DIRECTORY COUNT`). The store is that of `benchmarks.filling`; its
sums are checked before anything is measured. Medians of warm questions, by the clock and in CPU time, which other programs
lengthen less; the first page after opening is measured cold.
"""

import http.client
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from benchmarks.day import DAY_US, VOCABULARY
from benchmarks.filling import DAY_COUNT, START_US, fill, find_wrong_sums
from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from storage.database import Database, open_database
from storage.exchanges import Clause
from storage.filters.clauses import compile_filter
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.ranges import TimeRange
from storage.store import Store
from storage.views import SeriesGroup, SourceOrder, TimeBucket

type Question = Callable[[], object]
type Figure = tuple[float, float]
"""Milliseconds by the clock, and of CPU."""

_ROUNDS, _LONGEST_S = 9, 1.0
_CHECKED_DAYS = 3
_FILTERS: Mapping[str, str] = {
    "source in most": "source:=Tool3",
    "source in few": "source:module_7.py",
    "kind in all": "kind:user",
    "kind in half": "kind:file",
    "model": "model:sonnet",
    "rare model": "model:opus-4-1",
    "model and status": "model:sonnet status:>=400",
    "status": "status:429",
    "errors": "error:yes",
    "class": "class:subagent",
    "client": "client:opencode",
    "agent": "agent:agent-3",
    "cost, rare": "cost:>1.1",
    "cost, common": "cost:>0.1",
    "latency, rare": "latency:>60s",
    "tokens, rare": "tokens:>110k",
    "rated badly": "rating:<-0.5",
    "id that all begin with": "id:0",
    "host": "host:anthropic",
    "a day, errors": "since:{middle} until:{next} error:yes",
    "three at once": "kind:mcp model:haiku latency:>20s",
    "all but": "-kind:framework",
    "nothing passes": "model:gpt",
    "nothing passes, two": "class:compaction cost:>0.1",
}
_TEXTS: Mapping[str, str] = {
    "a rare word": "text:number{newest}",
    "a word of most": 'text:"{common}"',
    "a common word": 'text:"{usual}"',
    "two words": 'text:"{common} {other}"',
    "a seldom word": 'text:"{seldom}"',
    "a source's name": "text:postgres",
    "nothing": "text:neverseen",
}
_SERIES = (
    ("by minute, a day", TimeBucket.MINUTE, 1, SeriesGroup.KIND),
    ("by minute and name, a day", TimeBucket.MINUTE, 1, SeriesGroup.NAME),
    ("by minute and model, a day", TimeBucket.MINUTE, 1, SeriesGroup.MODEL),
    ("by hour, a week", TimeBucket.HOUR, 7, SeriesGroup.KIND),
    ("by day and name, all", TimeBucket.DAY, 10_000, SeriesGroup.NAME),
)


def _where(text: str, days: int, count: int) -> Clause:
    middle = START_US + days // 2 * DAY_US
    wanted = parse(
        text.format(
            middle=_iso(middle),
            next=_iso(middle + DAY_US),
            newest=count - 7,
            common=VOCABULARY[1],
            other=VOCABULARY[3],
            usual=VOCABULARY[100],
            seldom=VOCABULARY[9_000],
        )
    )
    if not isinstance(wanted, Filter):
        raise SystemExit(f"{text}: {wanted}")
    return compile_filter(wanted)


def _iso(at_us: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_us / 1e6))


def questions(store: Store, count: int, days: int) -> dict[str, Question]:
    """Return what is asked of the store, by the name it has in the report."""
    end = START_US + days * DAY_US
    day, session = TimeRange(end - DAY_US, end), store.exchanges.summary(count // 2).session_id or ""
    asked: dict[str, Question] = {
        "list: newest page": lambda: store.exchanges.page(100),
        "list: page in the middle": lambda: store.exchanges.page(100, before_id=count // 2),
        "list: one exchange": lambda: store.exchanges.detail(count // 2),
        "list: sessions": lambda: store.sessions.page(limit=100),
        "list: one session": lambda: store.sessions.detail(session),
        "filter: session": lambda: store.exchanges.page(100, where=_where(f"session:{session[:12]}", days, count)),
    }
    for group, texts in (("filter", _FILTERS), ("text", _TEXTS)):
        for name, text in texts.items():
            asked[f"{group}: {name}"] = lambda text=text: store.exchanges.page(100, where=_where(text, days, count))  # type: ignore[misc]
    for name, text in {**_FILTERS, **_TEXTS}.items():
        asked[f"count: {name}"] = lambda text=text: store.exchanges.count(_where(text, days, count))  # type: ignore[misc]
    asked |= {
        "totals: all": store.sources.summary,
        "totals: a day": lambda: store.sources.summary(day),
        "totals: odd times": lambda: store.sources.summary(TimeRange(START_US + 12_345_678_901, end - 9_876_543_210)),
        "totals: sources": store.sources.metrics,
        "totals: sources, and the trends of fifty": lambda: _with_trends(store, 50),
        "totals: sources of a day": lambda: store.sources.metrics(day),
        "totals: sources of a session": lambda: store.sources.metrics(session_id=session),
    }
    for name, bucket, span, group in _SERIES:
        wanted = TimeRange(end - span * DAY_US, end)
        asked[f"series: {name}"] = lambda w=wanted, b=bucket, g=group: store.sources.timeseries(w, bucket=b, group=g)  # type: ignore[misc]
    return asked


def _with_trends(store: Store, count: int) -> object:
    """Ask as the screen of the sources does: for all, then for the trends of those in sight."""
    used = store.sources.metrics(order=SourceOrder.TOTAL_COST_USD)
    return used, store.sources.trends([one.source_id for one in used[:count]])


def _paths(days: int, count: int) -> Iterator[tuple[str, str]]:
    day = f"start_time={_iso(START_US + (days - 1) * DAY_US)}&end_time={_iso(START_US + days * DAY_US)}"
    yield "requests", "/requests?limit=100"
    filters = {"by kind": "kind:mcp", "by model and status": "model:sonnet status:>=400", "by cost": "cost:>1.1"}
    for name, line in {**filters, "by a rare word": f"text:number{count - 7}"}.items():
        yield f"requests {name}", f"/requests?limit=100&q={quote(line)}"
    yield "sources", "/metrics/sources"
    yield "summary", "/metrics/summary"
    yield "sources of a day", f"/metrics/sources?{day}"
    yield "by hour, a week", "/metrics/timeseries?bucket=hour"
    yield "by minute, a day", f"/metrics/timeseries?bucket=minute&{day}"
    yield "sessions", "/sessions?limit=100"
    yield "contexts", "/contexts?limit=100&source_type=McpServer"


def _over_http(store: Store, count: int, days: int) -> dict[str, Figure]:
    """Ask the API on a kept connection, as a program does; never twice in the same words, which it would answer from memory."""
    served = ApiThread(store, ApiSettings(token=None, port=0))
    served.start()
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    turns = itertools.count()

    def ask(path: str) -> bytes:
        unlike = "&" * (next(turns) % 100)
        connection.request("GET", f"/api/claude{path}{'' if '?' in path else '?'}{unlike}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
        return body

    try:
        return {name: measure(lambda path=path: ask(path)) for name, path in _paths(days, count)}  # type: ignore[misc]
    finally:
        connection.close()
        served.stop()


def measure(ask: Question) -> Figure:
    """Ask until it is warm and a few times more; slow questions are asked less often."""
    begun = time.perf_counter()
    ask()
    taken: list[float] = []
    spent: list[float] = []
    while len(taken) < 1 or (len(taken) < _ROUNDS and time.perf_counter() - begun < _LONGEST_S):
        asked_at, cpu_before = time.perf_counter(), time.process_time()
        ask()
        spent.append((time.process_time() - cpu_before) * 1000)
        taken.append((time.perf_counter() - asked_at) * 1000)
    return statistics.median(taken), statistics.median(spent)


def _each(figures: Mapping[str, Figure], which: int) -> dict[str, float]:
    return {name: figure[which] for name, figure in figures.items()}


def _open(path: Path) -> tuple[Database, float]:
    begun = time.perf_counter()
    database = open_database(path)
    Store(database).exchanges.page(100)
    return database, (time.perf_counter() - begun) * 1000


def main() -> None:
    """Fill, check, ask, and print the result as JSON."""
    path, count = Path(sys.argv[1]) / "reading.db", int(sys.argv[2])
    begun = time.perf_counter()
    if not path.exists():
        fill(path, count)
    days = -(-count // DAY_COUNT)
    fill_s = time.perf_counter() - begun
    database, opened_ms = _open(path)
    if wrong := find_wrong_sums(database, START_US + max(0, days - _CHECKED_DAYS) * DAY_US):
        raise SystemExit(f"the store does not add up: {', '.join(wrong)}")
    store = Store(database)
    answered = {name: measure(ask) for name, ask in questions(store, count, days).items()}
    over_http = _over_http(store, count, days)
    result: dict[str, object] = {
        "exchanges": count,
        "fill_s": fill_s,
        "disk_mb": path.stat().st_size / 1e6,
        "opened_and_first_page_ms": opened_ms,
        "median_ms": _each(answered, 0),
        "median_cpu_ms": _each(answered, 1),
        "api_median_ms": _each(over_http, 0),
        "api_median_cpu_ms": _each(over_http, 1),
    }
    database.close()
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
