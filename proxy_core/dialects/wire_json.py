"""JSON as clients send it: read leniently and without loss, so that a strange body is shown instead of refused.

One reading for everybody: who cuts a body and who later rebuilds a piece by pointer and span must see the same values.
This module knows nothing of prompts.
"""

import json
from collections.abc import Iterator
from typing import Any

MAX_INTEGER_DIGITS = 300
"""Longer integers stay text: Python refuses to convert them, and no client means one."""

type Pairs = list[tuple[str, Any]]


class WireJsonError(ValueError):
    """The bytes are no JSON that can be read."""


def decode(raw: bytes) -> Any:
    """Read JSON bytes, keeping repeated keys, lone surrogates, NaN and bytes that are no UTF-8.

    Of a repeated key the last value wins, as at the API; each earlier one is kept under `key#1`, `key#2` ...

    Raises:
        WireJsonError: It is no JSON, or nested too deeply to be read.
    """
    try:
        return json.loads(wire_text(raw), strict=False, object_pairs_hook=_object_of, parse_int=_integer_of)
    except (ValueError, RecursionError) as error:
        raise WireJsonError(str(error)) from error


def wire_text(raw: bytes) -> str:
    """Decode bytes as UTF-8; a byte that is none becomes one lone surrogate, so nothing is lost."""
    return raw.decode("utf-8", "surrogateescape")


def json_text(value: Any) -> str:
    """Write a value as the JSON text that spans of values that are no string count in: compact, not escaped beyond need."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def escape_token(token: str) -> str:
    """Write a key as a token of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1") if "~" in token or "/" in token else token


def value_at(document: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer.

    Raises:
        KeyError: There is none.
    """
    value = document
    for token in _tokens_of(pointer):
        if isinstance(value, dict):
            value = value[token]
        elif isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            raise KeyError(pointer)
    return value


def _tokens_of(pointer: str) -> Iterator[str]:
    return (token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def _object_of(pairs: Pairs) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _keeping_repeated(pairs)


def _keeping_repeated(pairs: Pairs) -> dict[str, Any]:
    last = {key: index for index, (key, _) in enumerate(pairs)}
    numbers: dict[str, int] = {}
    kept: dict[str, Any] = {}
    for index, (key, value) in enumerate(pairs):
        name = key
        while name in kept or (name != key and name in last) or (name == key and last[key] != index):
            numbers[key] = numbers.get(key, 0) + 1
            name = f"{key}#{numbers[key]}"
        kept[name] = value
    return kept


def _integer_of(digits: str) -> int | str:
    return int(digits) if len(digits) <= MAX_INTEGER_DIGITS else digits
