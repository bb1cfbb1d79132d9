"""Secrets that no line of an event stream holds whole: each event carries a few letters, and only the message has the key.

Works on events as they are written: letters are taken out of strings that are deltas, everything else stays to the byte.
Holds back an event only while its end may be the beginning of a secret.
"""

import base64
import binascii
import re
import struct
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from proxy_core.redact import Redactor, StreamRedactor, open_secret_at

LONGEST_SECRET_BYTES = 16 * 1024
"""What goes on for longer is withheld with all that follows."""
_LONGEST_EVENT_BYTES = 1024 * 1024
_LONGEST_FRAME_BYTES = 1024 * 1024
_FIELDS = rb"text|thinking|signature|partial_json|content|arguments|input|completion|reasoning(?:_content)?|refusal"
_STRING = re.compile(rb"\"(" + _FIELDS + rb")\"\s*+:\s*+\"((?:[^\"\\]++|\\.)*+)(?:\"|\Z)", re.DOTALL)
_INDEX = re.compile(rb"\"(?:index|contentBlockIndex)\"\s*:\s*(\d{1,9})")
_EVENT_END = re.compile(rb"\n\r?\n|\r\r")
_WRAPPED = re.compile(rb"(\"bytes\"\s*:\s*\")([A-Za-z0-9+/=]*)\"")
_PRELUDE = struct.Struct(">II")


@dataclass(slots=True, eq=False)
class _Event:
    """One event, waiting until all its strings are decided."""

    frame: bytes
    """As on the wire."""
    text: bytes
    """The JSON in it: the same as the frame, or what the frame wraps."""
    edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    """What of the text is replaced: from, to, by what; in order for each string."""
    undecided: int = 0
    """Strings that may yet turn out to be part of a secret."""


@dataclass(slots=True, eq=False)
class _Fragment:
    """A delta's string, or what of it is undecided."""

    event: _Event
    start: int
    """In the event's text."""
    text: bytes


class _Framing(Protocol):
    """How events follow each other."""

    is_broken: bool
    """What comes is not what it should be: passed on as bytes."""

    def whole(self, buffer: bytes, searched: int) -> int:
        """Return how much of a buffer is whole events, cheaply; 0 when only `split` can tell."""

    def split(self, buffer: bytes, searched: int) -> tuple[list[_Event], bytes]:
        """Return the whole events of a buffer, and what is left; up to `searched`, no event ends."""

    def written(self, frame: bytes, text: bytes) -> bytes:
        """Write an event anew with another text."""


class _Lines:
    """Server-sent events."""

    is_broken = False

    def whole(self, buffer: bytes, searched: int) -> int:
        end = buffer.rfind(b"\n\n", max(0, searched - 2)) + 2
        # Events that end otherwise, or that are too long, are not for this.
        return end if end > 1 and len(buffer) - end <= _LONGEST_EVENT_BYTES and b"\r" not in buffer else 0

    def split(self, buffer: bytes, searched: int) -> tuple[list[_Event], bytes]:
        events, position = [], 0
        for end in _EVENT_END.finditer(buffer, max(0, searched - 2)):
            if end.end() == len(buffer) and buffer.endswith(b"\r"):
                break
            piece = buffer[position : end.end()]
            events.append(_Event(piece, piece))
            position = end.end()
        if len(buffer) - position > _LONGEST_EVENT_BYTES:
            events.append(_Event(buffer[position:], b""))
            position = len(buffer)
        return events, buffer[position:]

    def written(self, frame: bytes, text: bytes) -> bytes:  # noqa: ARG002 - the text is all there is
        return text


class _Frames:
    """Amazon's binary frames; what is none is passed on as it is."""

    def __init__(self) -> None:
        self.is_broken = False

    def whole(self, buffer: bytes, searched: int) -> int:  # noqa: ARG002 - each frame has its checksum
        return 0

    def split(self, buffer: bytes, searched: int) -> tuple[list[_Event], bytes]:  # noqa: ARG002 - frames say how long they are
        events, position = [], 0
        while not self.is_broken and len(buffer) - position >= 12:
            length, header_bytes = _PRELUDE.unpack_from(buffer, position)
            self.is_broken = not 16 + header_bytes <= length <= _LONGEST_FRAME_BYTES
            if self.is_broken or len(buffer) - position < length:
                break
            frame = buffer[position : position + length]
            events.append(_Event(frame, _payload_text(frame)))
            position += length
        if self.is_broken and position < len(buffer):
            events.append(_Event(buffer[position:], b""))
            position = len(buffer)
        return events, buffer[position:]

    def written(self, frame: bytes, text: bytes) -> bytes:
        _, header_bytes = _PRELUDE.unpack_from(frame)
        payload = frame[12 + header_bytes : -4]
        if (wrapped := _WRAPPED.search(payload)) is not None:
            payload = payload[: wrapped.start(2)] + base64.b64encode(text) + payload[wrapped.end(2) :]
        else:
            payload = text
        prelude = _PRELUDE.pack(16 + header_bytes + len(payload), header_bytes)
        head = prelude + struct.pack(">I", zlib.crc32(prelude)) + frame[12 : 12 + header_bytes] + payload
        return head + struct.pack(">I", zlib.crc32(head))


def _payload_text(frame: bytes) -> bytes:
    _, header_bytes = _PRELUDE.unpack_from(frame)
    payload = frame[12 + header_bytes : -4]
    wrapped = _WRAPPED.search(payload)
    if wrapped is None:
        return payload
    try:
        return base64.b64decode(wrapped[2])
    except binascii.Error:
        return b""


class EventStreamRedactor:
    """Redacts an event stream that comes in pieces.

    Args:
        redactor: Finds secrets and makes their marks.
        is_framed: The events stand in Amazon's frames, not in lines.
    """

    def __init__(self, redactor: Redactor, *, is_framed: bool = False) -> None:
        self._redactor = redactor
        self._framing: _Framing = _Frames() if is_framed else _Lines()
        # What stands whole in one event, or outside of events. Frames are looked at one by one: their checksums must fit.
        self._whole = None if is_framed else StreamRedactor(redactor)
        self._rest = b""
        self._events: deque[_Event] = deque()
        self._open: dict[tuple[bytes, bytes], list[_Fragment]] = {}
        self._has_edited = False
        self.is_withheld = False
        """A secret without an end was met: nothing more comes out."""

    @property
    def is_redacted(self) -> bool:
        """Something was replaced so far."""
        return self._has_edited or (self._whole is not None and self._whole.is_redacted)

    def feed(self, data: bytes) -> bytes:
        """Return what can be shown after this piece."""
        if self.is_withheld or not data:
            return b""
        buffer, searched = self._rest + data, len(self._rest)
        whole = self._framing.whole(buffer, searched) if self._whole is not None and not self._events else 0
        if whole and self._is_clean(buffer[:whole]):
            self._rest = buffer[whole:]
            return self._whole.feed(buffer[:whole]) if self._whole is not None else b""
        events, self._rest = self._framing.split(buffer, searched)
        if self._are_clean(events):
            shown = b"".join([event.frame for event in events])
        else:
            for event in events:
                if not self.is_withheld:
                    self._take(event)
            shown = self._released()
        if self._framing.is_broken and self._whole is None:
            self._whole = StreamRedactor(self._redactor)
        return self._whole.feed(shown) if self._whole is not None else shown

    def finish(self) -> bytes:
        """Return what was held back, now that nothing follows."""
        if self._rest and not self.is_withheld:
            self._take(_Event(self._rest, self._rest if self._whole is not None else b""))
            self._rest = b""
        for fragments in self._open.values():
            self._decide(fragments, None)
        shown = self._released()
        return shown if self._whole is None else self._whole.feed(shown) + self._whole.finish()

    def _are_clean(self, events: list[_Event]) -> bool:
        """Tell quickly of most events that they hold no secret and none begins."""
        if self._events:
            return False
        text = b"".join([event.text for event in events])
        if not self._is_clean(text):
            return False
        return self._whole is not None or not (
            self._redactor.secrets(text) or self._redactor.secrets(b"".join([event.frame for event in events]))
        )

    def _is_clean(self, text: bytes) -> bool:
        """Tell of the text of events that no string in it, joined with those that follow it, holds a secret or begins one."""
        letters: dict[bytes, list[bytes]] = {}
        for name, piece in _STRING.findall(text):
            letters.setdefault(name, []).append(piece)
        joined = [b"".join(pieces) for pieces in letters.values()]
        if any(self._redactor.secrets(one) or _is_open(one) for one in joined):
            return False
        blocks = [int(index) for index in _INDEX.findall(text)]
        return blocks == sorted(blocks)

    def _take(self, event: _Event) -> None:
        self._events.append(event)
        index = _INDEX.search(event.text)
        strings = list(_STRING.finditer(event.text))
        if index is not None and not strings:
            self._close(index[1])
        for match in strings:
            if not match[2]:
                continue
            fragments = self._open.setdefault((match[1], index[1] if index else b"0"), [])
            fragments.append(_Fragment(event, match.start(2), match[2]))
            event.undecided += 1
            text = b"".join(fragment.text for fragment in fragments) if len(fragments) > 1 else match[2]
            until = open_secret_at(text)
            if len(text) - until > LONGEST_SECRET_BYTES:
                self.is_withheld = True
                self._events.clear()
                self._open.clear()
                return
            self._decide(fragments, until)

    def _close(self, index: bytes) -> None:
        """Decide what is open of a content block: an event without letters ends it."""
        for (_, of_block), fragments in self._open.items():
            if of_block == index:
                self._decide(fragments, None)

    def _decide(self, fragments: list[_Fragment], until: int | None) -> None:
        """Mark the secrets up to a place in the fragments' text; keep what stands behind it."""
        text = b"".join(fragment.text for fragment in fragments)
        until = len(text) if until is None else until
        for start, end, mark in self._redactor.secrets(text[:until]):
            self._edit(fragments, start, end, mark)
        kept, position = [], 0
        for fragment in fragments:
            end = position + len(fragment.text)
            if end <= until:
                fragment.event.undecided -= 1
            else:
                decided = max(0, until - position)
                kept.append(_Fragment(fragment.event, fragment.start + decided, fragment.text[decided:]))
            position = end
        fragments[:] = kept

    def _edit(self, fragments: list[_Fragment], start: int, end: int, mark: bytes) -> None:
        """Put a mark where a secret begins, and take the rest of it out."""
        position = 0
        for fragment in fragments:
            first, last = max(start, position) - position, min(end, position + len(fragment.text)) - position
            if first < last:
                fragment.event.edits.append((fragment.start + first, fragment.start + last, mark))
                mark = b""
            position += len(fragment.text)

    def _released(self) -> bytes:
        out = []
        while self._events and not self._events[0].undecided:
            out.append(self._written(self._events.popleft()))
        return b"".join(out)

    def _written(self, event: _Event) -> bytes:
        text, frame = event.text, event.frame
        for start, end, mark in sorted(event.edits, reverse=True):
            text = text[:start] + mark + text[end:]
        if self._whole is None and event.text:
            text = self._redactor.body(text)
        if text is not event.text:
            self._has_edited = True
            return self._framing.written(frame, text)
        if self._whole is None:
            shown = self._redactor.body(frame)
            self._has_edited = self._has_edited or shown is not frame
            return shown
        return frame


def _is_open(text: bytes) -> bool:
    tail = text[-LONGEST_SECRET_BYTES:]
    return open_secret_at(tail) < len(tail)
