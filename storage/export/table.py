"""CSV: one line for each exchange, for spreadsheets. A text that a spreadsheet would run as a formula gets a `'` in front.

What would steer a terminal becomes a replacement character: a table is what one looks at first with `cat`.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator

from storage.export.options import ExportOptions
from storage.export.selection import select_summaries
from storage.export.values import iso_time, usd
from storage.filters.tree import Filter
from storage.store import Store
from storage.views import ExchangeSummary

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

type _Value = str | int | float | bool | None

COLUMNS: dict[str, Callable[[ExchangeSummary], _Value]] = {
    "id": lambda one: one.exchange_id,
    "started_at": lambda one: iso_time(one.started_us),
    "state": lambda one: one.state.value,
    "method": lambda one: one.method,
    "url": lambda one: one.url,
    "status_code": lambda one: one.status_code,
    "error": lambda one: one.error,
    "request_class": lambda one: one.request_class.value,
    "model": lambda one: one.model,
    "client_name": lambda one: one.client_name,
    "client_version": lambda one: one.client_version,
    "session_id": lambda one: one.session_id,
    "prompt_id": lambda one: one.prompt_id,
    "agent_id": lambda one: one.agent_id,
    "agent_type": lambda one: one.agent_type,
    "title": lambda one: one.title,
    "input_tokens": lambda one: one.input_tokens,
    "output_tokens": lambda one: one.output_tokens,
    "cache_read_tokens": lambda one: one.cache_read_tokens,
    "cache_write_5m_tokens": lambda one: one.cache_write_5m_tokens,
    "cache_write_1h_tokens": lambda one: one.cache_write_1h_tokens,
    "fresh_tokens": lambda one: one.fresh_tokens,
    "is_estimate": lambda one: one.is_estimate,
    "cost_usd": lambda one: usd(one.cost_nano_usd),
    "latency_ms": lambda one: one.latency_ms,
    "first_byte_ms": lambda one: one.first_byte_ms,
    "proxy_ms": lambda one: one.proxy_ms,
    "request_bytes": lambda one: one.request_bytes,
    "response_bytes": lambda one: one.response_bytes,
    "rating": lambda one: one.rating,
    "tokens_by_kind": lambda one: " ".join(f"{kind.value}={tokens}" for kind, tokens in one.spectrum),
}
"""The columns in order, and where their values come from."""


def write_csv(store: Store, wanted: Filter, options: ExportOptions) -> Iterator[str]:
    """Yield the heading and one line for each exchange (RFC 4180; what is not known is empty)."""
    yield _line(list(COLUMNS))
    for summary in select_summaries(store, wanted, options.on_exchange):
        yield _line([_written(read(summary)) for read in COLUMNS.values()])


def _written(value: _Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.9f}".rstrip("0").rstrip(".")
        case str():
            shown = _STEERING.sub("\ufffd", value)
            return f"'{shown}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else shown
        case _:
            return str(value)


def _line(values: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue().encode("utf-8", "replace").decode()
