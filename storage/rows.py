"""Rows of `exchange` become views. Pure; nothing else knows how a view is put together from columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import CaptureMode, ExchangeState, Timing
from storage import models
from storage.quick_views import maker
from storage.spectrum import decode_spectrum
from storage.views import ExchangeSummary

_EXCHANGES = models.ExchangeRow.__table__
_TIMES = (
    "proxy_received_us",
    "proxy_forwarded_us",
    "first_byte_us",
    "first_byte_delivered_us",
    "last_byte_us",
    "delivered_us",
    "upstream_connect_us",
)
_FROM = {"latency_ms": "latency_us", "first_byte_ms": "first_byte_us", "proxy_ms": "proxy_us"}
"""Fields of the view that are made of a column with another name."""
_FIELDS = tuple(field.name for field in fields(ExchangeSummary))
_MORE = ("error_type", "error_message")
_NAMES = (*(_FROM.get(name, name) for name in _FIELDS), *_MORE)
SUMMARY_COLUMNS = tuple(_EXCHANGES.c[name] for name in _NAMES)
"""What a view is made of: in the order of its fields, so that most values are taken over as they are."""

_AT = {name: number for number, name in enumerate(_FIELDS)}
_STARTED, _STATE, _MODE, _CLASS, _ERROR, _SPECTRUM = (
    _AT[name] for name in ("started_us", "state", "mode", "request_class", "error", "spectrum")
)
_LATENCY, _FIRST_BYTE, _PROXY = (_AT[name] for name in _FROM)
_FLAGS = tuple(_AT[name] for name in ("is_estimate", "is_streaming", "is_distorted", "has_note"))
_STATES = {each.value: each for each in ExchangeState}
_MODES = {each.value: each for each in CaptureMode}
_CLASSES = {None: RequestClass.OTHER, "": RequestClass.OTHER} | {each.value: each for each in RequestClass}
_make = maker(ExchangeSummary)


def summaries_of(rows: Iterable[Sequence[Any]]) -> tuple[ExchangeSummary, ...]:
    """Make the views of rows of exactly `SUMMARY_COLUMNS`."""
    return tuple([_summary(list(row)) for row in rows])


def summary_of(row: Mapping[Any, Any]) -> ExchangeSummary:
    """Make the view of one row."""
    return _summary([row[name] for name in _NAMES])


def _summary(values: list[Any]) -> ExchangeSummary:
    """Make the view of the values of `SUMMARY_COLUMNS`; flags may be numbers."""
    error_message, error_type = values.pop(), values.pop()
    values[_STATE] = _STATES[values[_STATE]]
    values[_MODE] = _MODES[values[_MODE]]
    values[_CLASS] = _CLASSES[values[_CLASS]]
    values[_ERROR] = values[_ERROR] or _api_error(error_type, error_message)
    first_byte_us = values[_FIRST_BYTE]
    values[_FIRST_BYTE] = None if first_byte_us is None else max(0, first_byte_us - values[_STARTED]) / 1000
    values[_LATENCY] = _milliseconds(values[_LATENCY])
    values[_PROXY] = _milliseconds(values[_PROXY])
    values[_SPECTRUM] = decode_spectrum(values[_SPECTRUM])
    for number in _FLAGS:
        values[number] = bool(values[number])
    return _make(values)


def timing_of(row: Mapping[Any, Any]) -> Timing:
    """Make the times of one row."""
    return Timing(client_started_us=row["started_us"], **{name: row[name] for name in _TIMES})


def _api_error(error_type: str | None, message: str | None) -> str | None:
    parts = [part for part in (error_type, message) if part]
    return ": ".join(parts).splitlines()[0] if parts else None


def _milliseconds(span_us: int | None) -> float | None:
    return None if span_us is None else span_us / 1000
