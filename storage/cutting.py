"""Cuts a body into runs of bytes that will be seen again: the tools, system blocks and messages of a request.

A conversation sends its whole history with every turn. Cut at the borders of list elements, the history of one turn is
byte for byte the history of the next, but for the cache breakpoints that move along: those are lifted out of the runs.
Nothing here understands the JSON: whatever the bytes are, `join(cut(body)) == body`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

CHUNK_BYTES = 256 * 1024
"""Longest run of bytes in one piece."""
SHORTEST_PIECE_BYTES = 64
"""Shorter runs cost less inside the manifest than as a piece of their own."""
_MARK = b'"cache_control"'
_MARKER = re.compile(rb',\s*"cache_control"\s*:\s*\{[^{}]*\}|"cache_control"\s*:\s*\{[^{}]*\}\s*,?')
_BETWEEN = re.compile(rb"[\s,]*")
_HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Run:
    """A run of bytes, some inserts taken out of it."""

    content: bytes
    """Without the inserts."""
    inserts: tuple[tuple[int, bytes], ...] = ()
    """(offset into `content`, bytes that stand before it), ascending."""


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
    for start, end in _spans(body):
        runs.extend(_plain(body[position:start]))
        runs.extend(_element(body[start:end], has_marks=has_marks))
        position = end
    runs.extend(_plain(body[position:]))
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


def _spans(body: bytes) -> list[tuple[int, int]]:
    """Find where the elements of the three lists lie, ascending and not overlapping; empty for anything else."""
    if body[:1] not in {b"{", b" ", b"\n", b"\r", b"\t"}:
        return []
    try:
        top = _TOP.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    lists = (top.tools, top.system, top.messages)
    found = [span for elements in lists if isinstance(elements, list) for span in _element_spans(body, elements)]
    found.sort()
    return _without_overlaps(found)


def _element_spans(body: bytes, elements: list[msgspec.Raw]) -> Iterator[tuple[int, int]]:
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
        yield position, position + len(run)
        position += len(run)


def _find(body: bytes, run: bytes, position: int) -> int:
    """`body.find(run, position)`, without the long preparation that a long needle costs there."""
    head = run[:_HEAD_BYTES]
    position = body.find(head, position)
    while position >= 0 and not body.startswith(run, position):
        position = body.find(head, position + 1)
    return position


def _without_overlaps(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep spans that begin after the end of the one before (a value may have been found in another's text)."""
    kept: list[tuple[int, int]] = []
    end = 0
    for span in spans:
        if span[0] >= end:
            kept.append(span)
            end = span[1]
    return kept


def _plain(part: bytes) -> Iterator[Run]:
    for start in range(0, len(part), CHUNK_BYTES):
        yield Run(part[start : start + CHUNK_BYTES])


def _element(part: bytes, *, has_marks: bool) -> Iterator[Run]:
    if len(part) > CHUNK_BYTES:
        yield from _plain(part)
    elif has_marks and _MARK in part:
        yield _without_marks(part)
    else:
        yield Run(part)


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
