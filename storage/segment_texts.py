"""Segments get their texts back from the stored request; texts are never stored twice."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from proxy_core.attribution.cuts import printable
from proxy_core.attribution.model import Segment
from proxy_core.dialects.wire_json import WireJsonError, decode, json_text, value_at, wire_text


def with_texts(segments: Sequence[Segment], body: bytes, textless: Collection[int] = ()) -> tuple[Segment, ...]:
    """Rebuild texts by pointer and span.

    Args:
        segments: Without texts.
        body: The request's body, content-encoding undone.
        textless: Indices of segments that have none (payloads, signatures).
    """
    document = _document(body)
    values: dict[str, str] = {}
    return tuple(
        segment
        if index in textless or segment.end <= segment.start
        else replace(segment, text=_text(document, values, segment))
        for index, segment in enumerate(segments)
    )


def _document(body: bytes) -> Any:
    try:
        return decode(body)
    except WireJsonError:
        return wire_text(body)


def _text(document: Any, values: dict[str, str], segment: Segment) -> str:
    if segment.pointer not in values:
        values[segment.pointer] = _value(document, segment.pointer)
    return printable(values[segment.pointer][segment.start : segment.end])


def _value(document: Any, pointer: str) -> str:
    try:
        value = value_at(document, pointer)
    except KeyError:
        return ""
    return value if isinstance(value, str) else json_text(value)
