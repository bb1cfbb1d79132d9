"""How quickly the store answers at ten and a hundred thousand exchanges (a million with `--million`).

Run as a process of its own (`python -m benchmarks.reading DIRECTORY COUNT`). The exchanges are small, their attributions have
the usual number of sources: what is read depends on rows, not on bodies.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from proxy_core.attribution.model import Attribution, RequestClass, Source, SourceType
from proxy_core.exchange import ExchangeState, Timing
from storage.attributions import AttributionWriter
from storage.batches import batches
from storage.database import Database, open_database
from storage.filters.clauses import compile_filter
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.ingest import Ingest, find_rows
from storage.ranges import TimeRange
from storage.store import Store
from storage.texts import Texts
from storage.views import TimeBucket
from tests import factories

_HOUR_US = 3_600_000_000
_AT_ONCE = 500
_MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
_SOURCES = (
    *(Source(SourceType.MCP_SERVER, name) for name in ("context7", "github", "postgres", "sentry", "notes")),
    *(Source(SourceType.SKILL, f"skill-{number}") for number in range(12)),
    *(Source(SourceType.MEMORY, f"/work/project-{number}/CLAUDE.md") for number in range(8)),
    Source(SourceType.FRAMEWORK),
    Source(SourceType.USER),
)


def fill(database: Database, count: int) -> float:
    """Write exchanges and attributions as writer and analysis do; return milliseconds for each."""
    ingest, attributions, chance = Ingest("benchmark"), AttributionWriter(), random.Random(5)
    begun = time.perf_counter()
    for first in range(0, count, _AT_ONCE):
        events = [_event(chance, number) for number in range(first, min(first + _AT_ONCE, count))]
        for batch in batches(events):
            with database.write() as connection:
                ingest.store(connection, batch)
            ingest.settle(batch)
        with database.write() as connection:
            rows = find_rows(connection, [event.exchange_id for event in events])
            for number, event in enumerate(events, first):
                texts = Texts(f"title {number % 50}", f"question number{number} about locks", "an answer with a stack trace")
                attributions.save(connection, rows[event.exchange_id], _attribution(chance, number), texts)
    return (time.perf_counter() - begun) / count * 1000


def _event(chance: random.Random, number: int) -> factories.ExchangeFinished:
    start = factories.START_US + number * 20_000_000
    timing = Timing(
        client_started_us=start,
        proxy_received_us=start + 500,
        proxy_forwarded_us=start + 900,
        first_byte_us=start + 300_000,
        last_byte_us=start + 2_000_000,
        delivered_us=start + 2_000_400,
    )
    state = ExchangeState.FAILED if chance.random() < 0.02 else ExchangeState.COMPLETE
    return factories.exchange_finished(exchange_id=factories.exchange_id(number + 1), timing=timing, state=state)


def _attribution(chance: random.Random, number: int) -> Attribution:
    chosen = chance.sample(_SOURCES, 8)
    segments = tuple(factories.segment(f"text of {source}", source=source) for source in chosen)
    lines = tuple(
        factories.ledger_line(source=source, segment_index=index, tokens=chance.randint(10, 4000))
        for index, source in enumerate(chosen)
    )
    total = sum(line.tokens for line in lines)
    ledger = factories.ledger(lines=lines, total_input_tokens=total, usage=factories.usage(input_tokens=total))
    facts = factories.call_facts(
        model=_MODELS[number % 3],
        session_id=f"session-{number // 40}",
        request_class=RequestClass.SUBAGENT if number % 7 == 0 else RequestClass.MAIN,
        title=f"title {number % 50}",
    )
    return Attribution(version=1, facts=facts, segments=segments, ledger=ledger)


def questions(store: Store, count: int) -> dict[str, Callable[[], object]]:
    """Return what is asked of the store."""
    end = factories.START_US + count * 20_000_000
    day = TimeRange(end - 24 * _HOUR_US, end)
    middle = count // 2

    def listed(text: str) -> Callable[[], object]:
        wanted = parse(text)
        if not isinstance(wanted, Filter):
            raise SystemExit(f"{text}: {wanted}")
        return lambda: store.exchanges.page(100, where=compile_filter(wanted))

    return {
        "newest page": lambda: store.exchanges.page(100),
        "page in the middle": lambda: store.exchanges.page(100, before_id=middle),
        "filter by source": listed("source:context7"),
        "filter by model and status": listed("model:sonnet status:>=400"),
        "filter by session": listed(f"session:session-{middle // 40}"),
        "text search": listed("text:number77"),
        "text search, common words": listed('text:"stack trace"'),
        "totals": store.sources.summary,
        "totals of a day": lambda: store.sources.summary(day),
        "sources, all time": store.sources.metrics,
        "sources of a day": lambda: store.sources.metrics(day),
        "time series by hour, a day": lambda: store.sources.timeseries(day, bucket=TimeBucket.HOUR),
        "one exchange": lambda: store.exchanges.detail(middle),
    }


def main() -> None:
    """Fill, ask, and print the result as JSON."""
    path, count = Path(sys.argv[1]) / "reading.db", int(sys.argv[2])
    database = open_database(path)
    fill_ms = fill(database, count)
    database.checkpoint()
    database.close()
    begun = time.perf_counter()
    database = open_database(path)
    store = Store(database)
    store.exchanges.page(100)
    result: dict[str, object] = {
        "exchanges": count,
        "fill_ms_per_exchange": fill_ms,
        "disk_mb": path.stat().st_size / 1e6,
        "opened_and_first_page_ms": (time.perf_counter() - begun) * 1000,
        "median_ms": {name: _median_ms(ask) for name, ask in questions(store, count).items()},
    }
    database.close()
    sys.stdout.write(json.dumps(result) + "\n")


def _median_ms(ask: Callable[[], object]) -> float:
    ask()
    taken = []
    for _ in range(9):
        begun = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
