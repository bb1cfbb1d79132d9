"""One line per exchange, for people or for programs. Pure functions of a view; no clock, no stream, no store.

The JSON form is documented in `docs/commands.md`: fields are only ever added, and unknown values are `null`.
"""

import json
from datetime import UTC, datetime
from typing import Any

from storage.views import ExchangeSummary
from tui import format as fmt


def json_line(exchange: ExchangeSummary) -> str:
    """Write an exchange as one line of JSON."""
    return json.dumps(exchange_object(exchange), separators=(",", ":"))


def exchange_object(exchange: ExchangeSummary) -> dict[str, Any]:
    """Return the fields of the JSON form."""
    cost = exchange.cost_nano_usd
    return {
        "id": exchange.exchange_id,
        "timestamp": datetime.fromtimestamp(exchange.started_us / 1e6, UTC).isoformat().replace("+00:00", "Z"),
        "state": exchange.state.value,
        "method": exchange.method,
        "url": exchange.url,
        "status_code": exchange.status_code,
        "error": exchange.error,
        "client": exchange.client_name,
        "client_version": exchange.client_version,
        "model": exchange.model,
        "request_class": exchange.request_class.value,
        "session_id": exchange.session_id,
        "agent_id": exchange.agent_id,
        "title": exchange.title,
        "input_tokens": exchange.input_tokens,
        "fresh_tokens": exchange.fresh_tokens,
        "cache_read_tokens": exchange.cache_read_tokens,
        "cache_write_5m_tokens": exchange.cache_write_5m_tokens,
        "cache_write_1h_tokens": exchange.cache_write_1h_tokens,
        "output_tokens": exchange.output_tokens,
        "is_estimate": exchange.is_estimate,
        "cost_usd": None if cost is None else cost / 1e9,
        "tokens_by_source_type": {kind.value: tokens for kind, tokens in exchange.spectrum},
        "request_bytes": exchange.request_bytes,
        "response_bytes": exchange.response_bytes,
        "latency_ms": exchange.latency_ms,
        "first_byte_ms": exchange.first_byte_ms,
        "proxy_ms": exchange.proxy_ms,
        "is_streaming": exchange.is_streaming,
    }


def text_line(exchange: ExchangeSummary) -> str:
    """Write an exchange as one line for people."""
    parts = [
        fmt.clock(exchange.started_us),
        _status(exchange),
        f"{exchange.method} {exchange.host}{exchange.path}",
        exchange.model or "",
        _tokens(exchange),
        fmt.usd(exchange.cost_nano_usd) if exchange.cost_nano_usd is not None else "",
        fmt.milliseconds(exchange.latency_ms) if exchange.latency_ms is not None else "",
        _kind(exchange),
        exchange.error or "",
    ]
    return "  ".join(printable(part) for part in parts if part)


def printable(text: str) -> str:
    """Return text that cannot move a terminal's cursor or break a line."""
    return "".join(char if char.isprintable() else " " for char in text)


def _status(exchange: ExchangeSummary) -> str:
    return exchange.state.value if exchange.status_code is None else str(exchange.status_code)


def _tokens(exchange: ExchangeSummary) -> str:
    if exchange.input_tokens is None:
        return ""
    cached = exchange.cache_read_tokens
    note = f" ({fmt.percent(cached, exchange.input_tokens)} cached)" if cached else ""
    given = fmt.tokens(exchange.input_tokens, is_estimate=exchange.is_estimate)
    return f"{given} in{note}, {fmt.tokens(exchange.output_tokens)} out"


def _kind(exchange: ExchangeSummary) -> str:
    kind = exchange.request_class.value
    title = f' "{exchange.title[:60]}"' if exchange.title else ""
    return "" if kind == "other" else f"{kind}{title}"
