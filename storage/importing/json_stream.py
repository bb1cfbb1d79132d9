"""Reads a JSON text value by value: a document however large, as long as each value that is taken whole fits in memory.

It knows no format, and must not hold more than the value that is asked for.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

_CHUNK_CHARS = 64 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_LONGEST_LITERAL = 12
"""An error this close to the end of what was read may come from there being more: half an escape, half a word."""

_LONGEST_REST = 3
"""Of a number that ends this close to the end of what was read there may be more: `1` of `1e+5`."""


class ValueTooLargeError(ValueError):
    """One value is larger than may be held."""


class JsonReader:
    """Walks through a JSON text.

    Args:
        file: Where it comes from.
        limit_chars: The largest value that is taken whole.
    """

    def __init__(self, file: TextIO, limit_chars: int) -> None:
        self._file = file
        self._limit_chars = limit_chars
        self._text = ""
        self._at = 0

    def value(self) -> Any:
        """Take the next value whole.

        Raises:
            ValueTooLargeError: It is larger than may be held.
            ValueError: It is no JSON.
        """
        self._peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._may_go_on(error) or not self._fill():
                    raise
            else:
                length, is_sure = end - self._at, end + _LONGEST_REST < len(self._text)
                if is_sure or not self._fill():
                    self._at = end if is_sure else length
                    return value

    def names(self) -> Iterator[str]:
        """Walk through an object: yields the name of each member, whose value is to be taken before the next one.

        Raises:
            ValueError: It is no object.
        """
        for _ in self._parts("{", "}"):
            if self._peek() != '"':
                raise ValueError("a member has no name")
            name: str = self.value()
            self._take(":")
            yield name

    def items(self) -> Iterator[Any]:
        """Walk through an array: yields each value.

        Raises:
            ValueTooLargeError: One is larger than may be held.
            ValueError: It is no array.
        """
        for _ in self._parts("[", "]"):
            yield self.value()

    def _parts(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._peek() == closing:
                self._at += 1
                return
            self._take(",")

    def _take(self, wanted: str) -> None:
        found = self._peek()
        if found != wanted:
            raise ValueError(f"{wanted!r} is missing")
        self._at += 1

    def _peek(self) -> str:
        """Return the next character that is no space."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                raise ValueError("it ends too early")

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _LONGEST_LITERAL

    def _fill(self) -> bool:
        """Read as much again as is held, so that a large value is not parsed often; False at the end."""
        held = self._text[self._at :]
        if len(held) > self._limit_chars:
            raise ValueTooLargeError(f"it is larger than {self._limit_chars // 2**20} MiB")
        more = self._file.read(max(_CHUNK_CHARS, len(held)))
        self._text, self._at = held + more, 0
        return bool(more)
