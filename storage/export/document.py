"""JSON (one document by the schema) and JSONL (one exchange a line): written while they are read, never held whole."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from storage.export.options import ExportOptions, wants_bodies
from storage.export.records import SCHEMA_VERSION, Record, exchange_record
from storage.export.selection import select_whole
from storage.export.values import dump_json, iso_time
from storage.filters.tree import Filter
from storage.store import Store

SCHEMA_NAME = "context-assay/export"


def write_json(store: Store, wanted: Filter, options: ExportOptions) -> Iterator[str]:
    """Yield one JSON document, a piece for each exchange."""
    head = _head(wanted, options)
    yield f'{dump_json(head)[:-1]},"exchanges":['
    totals = _Totals()
    has_bodies = wants_bodies(options, is_default=False)
    for exchange in select_whole(store, wanted, has_bodies=has_bodies, on_exchange=options.on_exchange):
        record = exchange_record(exchange, has_texts=options.has_texts)
        yield f"{',' if totals.exchanges else ''}\n{dump_json(record)}"
        totals.add(record)
    yield f'\n],"sources":{dump_json(totals.sources_by_tokens())},"totals":{dump_json(totals.as_record())}}}\n'


def write_jsonl(store: Store, wanted: Filter, options: ExportOptions) -> Iterator[str]:
    """Yield one exchange a line; the schema's version is in each line."""
    has_bodies = wants_bodies(options, is_default=True)
    for exchange in select_whole(store, wanted, has_bodies=has_bodies, on_exchange=options.on_exchange):
        record = exchange_record(exchange, has_texts=options.has_texts)
        yield f"{dump_json({'schema': SCHEMA_NAME, 'schema_version': SCHEMA_VERSION, **record})}\n"


def _head(wanted: Filter, options: ExportOptions) -> Record:
    return {
        "schema": SCHEMA_NAME,
        "schema_version": SCHEMA_VERSION,
        "generator": options.generator,
        "exported_at": iso_time(time.time_ns() // 1000),
        "filter": wanted.text,
    }


@dataclass(slots=True)
class _Totals:
    """What was written, summed up; as large as there are sources."""

    exchanges: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int = 0
    unpriced: int = 0
    sources: dict[tuple[str, str | None], dict[str, Any]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        self.exchanges += 1
        self.input_tokens += record["tokens"]["input"] or 0
        self.output_tokens += record["tokens"]["output"] or 0
        self.cost_nano_usd += record["cost"]["nano_usd"] or 0
        self.unpriced += record["cost"]["nano_usd"] is None
        for source in record["sources"]:
            key = (source["source_type"], source["source_name"])
            total = self.sources.setdefault(key, {"exchanges": 0, "tokens": 0, "cost_usd": None})
            total["exchanges"] += 1
            total["tokens"] += source["tokens"]
            if source["cost_usd"] is not None:
                total["cost_usd"] = round((total["cost_usd"] or 0) + source["cost_usd"], 9)

    def sources_by_tokens(self) -> list[Record]:
        records = [{"source_type": kind, "source_name": name, **total} for (kind, name), total in self.sources.items()]
        return sorted(records, key=lambda record: (-record["tokens"], record["source_type"], record["source_name"] or ""))

    def as_record(self) -> Record:
        is_priced = self.unpriced < self.exchanges
        return {
            "exchanges": self.exchanges,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_nano_usd / 1e9 if is_priced else None,
            "unpriced_exchanges": self.unpriced,
        }
