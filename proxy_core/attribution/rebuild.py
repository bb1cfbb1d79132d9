"""The text of a segment, taken from its body again: whoever stores pointers and spans need not store texts."""

from collections.abc import Iterable, Iterator
from typing import Any

from proxy_core.attribution.cuts import printable
from proxy_core.dialects.wire_json import WireJsonError, decode, json_text, value_at, wire_text

type Stretch = tuple[str, int, int]
"""JSON pointer, first character, one past the last."""


def segment_text(body: bytes, pointer: str, start: int, end: int) -> str:
    """Return the text of one segment; empty when the body has no such place.

    For many segments of one body use `segment_texts`, which reads the body once.
    """
    return next(segment_texts(body, ((pointer, start, end),)))


def segment_texts(body: bytes, stretches: Iterable[Stretch]) -> Iterator[str]:
    """Return the texts of segments, in the order asked for; payloads come as they stand in the body.

    Args:
        body: The request body the segments were cut from, content-encoding undone.
        stretches: Pointer and span of each segment.
    """
    try:
        document = decode(body)
    except WireJsonError:
        document = wire_text(body)
    texts: dict[str, str] = {}
    for pointer, start, end in stretches:
        if pointer not in texts:
            texts[pointer] = _text_at(document, pointer)
        yield printable(texts[pointer][start:end])


def _text_at(document: Any, pointer: str) -> str:
    try:
        value = value_at(document, pointer)
    except KeyError:
        return ""
    return value if isinstance(value, str) else json_text(value)
