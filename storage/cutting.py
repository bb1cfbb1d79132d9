"""Cuts a body into runs of bytes that will be seen again: the tools, system blocks and messages of a request.

A conversation sends its whole history with every turn. Cut at the borders of list elements, the history of one turn is
byte for byte the history of the next, but for the cache breakpoints that move along: those are lifted out of the runs.
Nothing here understands the JSON: whatever the bytes are, `join(cut(body)) == body`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

CHUNK_BYTES = 256 * 1024
"""Longest run of bytes in one piece."""
SHORTEST_PIECE_BYTES = 64
"""Shorter runs cost less inside the manifest than as a piece of their own."""
_MARK = b'"cache_control"'
_MARKER = re.compile(rb',\s*"cache_control"\s*:\s*\{[^{}]*\}|"cache_control"\s*:\s*\{[^{}]*\}\s*,?')
_BETWEEN = re.compile(rb"[\s,]*")
_HEAD_BYTES = 64


type Inserts = tuple[tuple[int, bytes], ...]
"""(offset into the bytes they were taken out of, bytes that stand before it), ascending."""


class Run(NamedTuple):
    """A run of bytes, some inserts taken out of it."""

    content: bytes
    """Without the inserts."""
    inserts: Inserts = ()


class Span(NamedTuple):
    """Where an element of one of the lists lies."""

    start: int
    end: int
    list_name: str


type _List = list[msgspec.Raw] | dict[str, msgspec.Raw] | str | int | float | bool | None


class _Lists(msgspec.Struct):
    tools: _List = None
    system: _List = None
    messages: _List = None


_TOP = msgspec.json.Decoder(_Lists)


def cut(body: bytes) -> list[Run]:
    """Cut a body into runs: at list elements where it is a request's JSON, else at fixed lengths."""
    runs: list[Run] = []
    position = 0
    has_marks = _MARK in body
    for start, end, _ in find_elements(body) or ():
        runs.extend(cut_plainly(body[position:start]))
        runs.extend(cut_element(body[start:end], has_marks=has_marks))
        position = end
    runs.extend(cut_plainly(body[position:]))
    return runs


def join(runs: Iterable[Run]) -> bytes:
    """Put runs together again."""
    return b"".join(part for run in runs for part in restore(run.content, run.inserts))


def restore(content: bytes, inserts: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """Give the bytes of one run in order, its inserts put back."""
    position = 0
    for offset, insert in inserts:
        yield content[position:offset]
        yield insert
        position = offset
    yield content[position:]


def find_elements(body: bytes) -> list[Span] | None:
    """Find where the elements of the three lists lie, ascending and not overlapping; `None`: this is no JSON object."""
    if body[:1] not in {b"{", b" ", b"\n", b"\r", b"\t"}:
        return None
    try:
        top = _TOP.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    lists = (("tools", top.tools), ("system", top.system), ("messages", top.messages))
    found = [span for name, elements in lists if isinstance(elements, list) for span in _element_spans(body, name, elements)]
    found.sort()
    return _without_overlaps(found)


def _element_spans(body: bytes, name: str, elements: list[msgspec.Raw]) -> Iterator[Span]:
    """Find the elements of one list: the first by searching, each further one right behind the one before."""
    position = 0
    for number, element in enumerate(elements):
        run = bytes(element)
        if number:
            position = _BETWEEN.match(body, position).end()  # type: ignore[union-attr] # matches the empty string too
        if not body.startswith(run, position):
            position = _find(body, run, position)
            if position < 0:
                return
        yield Span(position, position + len(run), name)
        position += len(run)


def _find(body: bytes, run: bytes, position: int) -> int:
    """`body.find(run, position)`, without the long preparation that a long needle costs there."""
    head = run[:_HEAD_BYTES]
    position = body.find(head, position)
    while position >= 0 and not body.startswith(run, position):
        position = body.find(head, position + 1)
    return position


def _without_overlaps(spans: list[Span]) -> list[Span]:
    """Keep spans that begin after the end of the one before (a value may have been found in another's text)."""
    kept: list[Span] = []
    end = 0
    for span in spans:
        if span.start >= end:
            kept.append(span)
            end = span.end
    return kept


def cut_plainly(part: bytes) -> list[Run]:
    """Cut at fixed lengths."""
    return [Run(part[start : start + CHUNK_BYTES]) for start in range(0, len(part), CHUNK_BYTES)]


def cut_element(part: bytes, *, has_marks: bool = True) -> list[Run]:
    """Make runs of one element; its cache breakpoints are lifted out."""
    if len(part) > CHUNK_BYTES:
        return cut_plainly(part)
    return [_without_marks(part) if has_marks and _MARK in part else Run(part)]


def _without_marks(part: bytes) -> Run:
    kept: list[bytes] = []
    inserts: list[tuple[int, bytes]] = []
    position = offset = 0
    for match in _MARKER.finditer(part):
        start, end = match.span()
        kept.append(part[position:start])
        offset += start - position
        inserts.append((offset, part[start:end]))
        position = end
    kept.append(part[position:])
    return Run(b"".join(kept), tuple(inserts))
