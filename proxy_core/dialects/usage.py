"""Billed usage, as the API reports it: whole, in two halves (stream start and last delta), and by server-side iteration.

Reads only what is there. A field of the wrong type is as good as absent; nothing here raises and nothing is guessed,
but for the one rule of old traffic: cache writes without a split by lifetime are five-minute writes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from proxy_core.attribution.model import Usage
from proxy_core.dialects.base import UsageEntry

_TEXT_FIELDS = ("service_tier", "inference_geo", "speed")
_COUNT_FIELDS = tuple(
    field.name for field in fields(Usage) if field.name.endswith(("_tokens", "_requests")) and field.name not in _TEXT_FIELDS
)

KNOWN_FIELDS = frozenset(
    {
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "cache_creation",
        "output_tokens",
        "output_tokens_details",
        "server_tool_use",
        "service_tier",
        "inference_geo",
        "speed",
        "iterations",
        "fallback_credit",
    }
)
"""Fields of a usage (SDK 2.12.0, 2026-11). A new one may be billed: it is noted."""

MAX_COUNT = 10**12
"""A count above this is no count; it would only poison sums."""


def read_usage(raw: object) -> Usage:
    """Read a `usage` object of a body, of `message_start` or of one iteration."""
    if not isinstance(raw, Mapping):
        return Usage()
    written_5m, written_1h = _cache_writes(raw)
    server_tools = _mapping(raw.get("server_tool_use"))
    return Usage(
        input_tokens=_count(raw.get("input_tokens")),
        cache_read_tokens=_count(raw.get("cache_read_input_tokens")),
        cache_write_5m_tokens=written_5m,
        cache_write_1h_tokens=written_1h,
        output_tokens=_count(raw.get("output_tokens")),
        thinking_tokens=_count(_mapping(raw.get("output_tokens_details")).get("thinking_tokens")),
        web_search_requests=_count(server_tools.get("web_search_requests")),
        web_fetch_requests=_count(server_tools.get("web_fetch_requests")),
        service_tier=_text(raw.get("service_tier")),
        inference_geo=_text(raw.get("inference_geo")),
        speed=_text(raw.get("speed")),
    )


def merge_delta(so_far: Usage, raw: object) -> Usage:
    """Overwrite a stream's usage by the non-null fields of a later `message_delta`.

    The delta knows only the sum of the cache writes. When it grew, the growth is put where the start had writes.
    """
    if not isinstance(raw, Mapping):
        return so_far
    delta = read_usage(raw)
    known = {field.name: getattr(delta, field.name) for field in fields(Usage) if getattr(delta, field.name) is not None}
    if not isinstance(raw.get("cache_creation"), Mapping):
        known.pop("cache_write_5m_tokens", None)
        known.pop("cache_write_1h_tokens", None)
        known |= _split_by_start(so_far, _count(raw.get("cache_creation_input_tokens")))
    return replace(so_far, **known)


def read_iterations(raw: object) -> tuple[UsageEntry, ...]:
    """Read `usage.iterations`: one entry for each server-side sampling; empty when the API lists none."""
    listed = _mapping(raw).get("iterations")
    if not isinstance(listed, list):
        return ()
    return tuple(
        UsageEntry(kind=_text(entry.get("type")) or "message", model=_text(entry.get("model")), usage=read_usage(entry))
        for entry in listed
        if isinstance(entry, Mapping)
    )


def usage_notes(raw: object) -> tuple[str, ...]:
    """Say what of a usage is not in our figures, for people."""
    usage = _mapping(raw)
    notes = [f"unknown usage field {name!r:.60}" for name in usage if name not in KNOWN_FIELDS]
    if _mapping(usage.get("fallback_credit")).get("status") == "redeemed":
        notes.append("a fallback credit was redeemed: the cost shown is before it")
    return tuple(notes)


def add_usages(usages: Iterable[Usage]) -> Usage:
    """Sum the counts of several usages; the tier, place and speed of the first that names them stay."""
    total = Usage()
    for usage in usages:
        known: dict[str, Any] = {}
        for name in _COUNT_FIELDS:
            mine, theirs = getattr(total, name), getattr(usage, name)
            known[name] = theirs if mine is None else mine + (theirs or 0)
        known |= {name: getattr(total, name) or getattr(usage, name) for name in _TEXT_FIELDS}
        total = replace(total, **known)
    return total


def _cache_writes(raw: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Tell five-minute writes from one-hour writes."""
    total = _count(raw.get("cache_creation_input_tokens"))
    split = raw.get("cache_creation")
    if not isinstance(split, Mapping):
        return total, None
    written_5m = _count(split.get("ephemeral_5m_input_tokens"))
    written_1h = _count(split.get("ephemeral_1h_input_tokens"))
    if total is not None and total > (known := (written_5m or 0) + (written_1h or 0)):
        written_5m = (written_5m or 0) + total - known
    return written_5m, written_1h


def _split_by_start(start: Usage, total: int | None) -> dict[str, int]:
    if total is None:
        return {}
    written_1h = start.cache_write_1h_tokens or 0
    if not start.cache_write_5m_tokens and written_1h:
        return {"cache_write_1h_tokens": total, "cache_write_5m_tokens": 0}
    written_1h = min(written_1h, total)
    return {"cache_write_5m_tokens": total - written_1h} | ({"cache_write_1h_tokens": written_1h} if written_1h else {})


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_COUNT else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
