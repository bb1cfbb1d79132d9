"""Rows of `exchange` become views. Pure; nothing else knows how a view is put together from columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import CaptureMode, ExchangeState, Timing
from storage import models
from storage.spectrum import decode_spectrum
from storage.views import ExchangeSummary

_EXCHANGES = models.ExchangeRow.__table__
_AS_THEY_ARE = (
    "id",
    "exchange_id",
    "started_us",
    "method",
    "url",
    "host",
    "path",
    "client_name",
    "client_version",
    "model",
    "status_code",
    "session_id",
    "prompt_id",
    "agent_id",
    "agent_type",
    "parent_agent_id",
    "previous_id",
    "title",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "fresh_tokens",
    "is_estimate",
    "cost_nano_usd",
    "request_bytes",
    "response_bytes",
    "is_streaming",
    "is_distorted",
    "rating",
    "has_note",
    "attribution_version",
)
_TIMES = (
    "proxy_received_us",
    "proxy_forwarded_us",
    "first_byte_us",
    "first_byte_delivered_us",
    "last_byte_us",
    "delivered_us",
    "upstream_connect_us",
)
_MORE = ("state", "mode", "error", "error_type", "error_message", "request_class", "spectrum", "latency_us", "proxy_us")
SUMMARY_COLUMNS = tuple(_EXCHANGES.c[name] for name in dict.fromkeys((*_AS_THEY_ARE, *_MORE, *_TIMES)))
"""What `summary_of` reads."""


_NAMES = tuple(column.name for column in SUMMARY_COLUMNS)


def summaries_of(rows: Iterable[Sequence[Any]]) -> tuple[ExchangeSummary, ...]:
    """Make the views of rows of exactly `SUMMARY_COLUMNS`."""
    return tuple(summary_of(dict(zip(_NAMES, row, strict=True))) for row in rows)


def summary_of(row: Mapping[Any, Any]) -> ExchangeSummary:
    """Make the view of one row."""
    first_byte_us = row["first_byte_us"]
    return ExchangeSummary(
        **{name: row[name] for name in _AS_THEY_ARE},
        state=ExchangeState(row["state"]),
        mode=CaptureMode(row["mode"]),
        error=row["error"] or _api_error(row),
        request_class=RequestClass(row["request_class"] or RequestClass.OTHER),
        latency_ms=_milliseconds(row["latency_us"]),
        first_byte_ms=None if first_byte_us is None else max(0, first_byte_us - row["started_us"]) / 1000,
        proxy_ms=_milliseconds(row["proxy_us"]),
        spectrum=decode_spectrum(row["spectrum"]),
    )


def timing_of(row: Mapping[Any, Any]) -> Timing:
    """Make the times of one row."""
    return Timing(client_started_us=row["started_us"], **{name: row[name] for name in _TIMES})


def _api_error(row: Mapping[Any, Any]) -> str | None:
    parts = [part for part in (row["error_type"], row["error_message"]) if part]
    return ": ".join(parts).splitlines()[0] if parts else None


def _milliseconds(span_us: int | None) -> float | None:
    return None if span_us is None else span_us / 1000
