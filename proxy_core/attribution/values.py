"""Cuts of values that are no text: JSON, payloads, signatures. No payload is copied as text."""

import re
from collections.abc import Iterator
from typing import Any

from proxy_core.attribution.cuts import Cut, Pending, Span, cut_opaque, cut_text
from proxy_core.attribution.model import ContentKind, Part, Source
from proxy_core.dialects.wire_json import escape_token, json_text

LONG_PAYLOAD = 1_024
"""From this many characters on, text of base64 letters alone is a payload."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}\s*")
_OPAQUE_KEYS = frozenset({"encrypted_content", "encrypted_stdout", "encrypted_index"})


def is_payload(text: str) -> bool:
    """Tell whether a long text is base64 and not words; a word list has spaces within the first kilobyte."""
    return len(text) >= LONG_PAYLOAD and _BASE64.fullmatch(text) is not None


def value_cuts(
    pointer: str,
    value: Any,
    source: Source | Pending,
    part: Part,
    kind: ContentKind = ContentKind.JSON,
    *,
    is_uncertain: bool = False,
) -> Iterator[Cut]:
    """Cut any value: a string as text, a value without payloads as its JSON text, else each member for itself."""
    if isinstance(value, str):
        yield from string_cuts(pointer, value, source, part, kind, is_uncertain=is_uncertain)
    elif isinstance(value, dict | list) and value and _has_payload(value):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            below = f"{pointer}/{escape_token(str(key))}"
            opaque = key in _OPAQUE_KEYS and isinstance(member, str)
            yield from value_cuts(
                below, member, source, part, ContentKind.OPAQUE if opaque else kind, is_uncertain=is_uncertain
            )
    else:
        text = json_text(value)
        cut = cut_text(pointer, text, Span(0, len(text), source, part, is_uncertain), kind=kind)
        yield cut._replace(text="") if kind is ContentKind.OPAQUE else cut


def string_cuts(
    pointer: str, text: str, source: Source | Pending, part: Part, kind: ContentKind, *, is_uncertain: bool = False
) -> Iterator[Cut]:
    """Cut a string: as text, or as an opaque payload when it is base64 or said to be opaque."""
    span = Span(0, len(text), source, part, is_uncertain)
    if kind is ContentKind.OPAQUE or (kind is not ContentKind.TEXT and is_payload(text)):
        yield cut_opaque(pointer, text, span, ContentKind.OPAQUE)
    elif text:
        yield cut_text(pointer, text, span, kind=kind)


def _has_payload(value: Any) -> bool:
    if isinstance(value, str):
        return is_payload(value)
    if isinstance(value, dict):
        return any((key in _OPAQUE_KEYS and isinstance(member, str)) or _has_payload(member) for key, member in value.items())
    return isinstance(value, list) and any(_has_payload(member) for member in value)
