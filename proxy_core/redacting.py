"""How the secrets of one body are found, which depends on what it is: a prompt, a sign-in, a stream of events.

Holds no bytes itself; a body that is taken whole and one that grows come out the same.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Protocol
from urllib.parse import urlsplit

from proxy_core.credentials import secret_members
from proxy_core.redact import Redactor, StreamRedactor
from proxy_core.streamed_secrets import EventStreamRedactor

_HELD_BYTES = 1024 * 1024


class GrowingRedactor(Protocol):
    """Redacts a body that comes in pieces."""

    @property
    def is_redacted(self) -> bool:
        """Something was replaced so far."""

    @property
    def is_withheld(self) -> bool:
        """Nothing more comes out."""

    def feed(self, data: bytes) -> bytes:
        """Return what can be shown after this piece."""

    def finish(self) -> bytes:
        """Return what was held back, now that nothing follows."""


class BodyRedaction:
    """Chooses how a body is redacted.

    Args:
        redactor: Finds secrets and makes their marks.
        url: What the body was sent to or came from.
        content_type: The header's value.
    """

    def __init__(self, redactor: Redactor, url: str = "", content_type: str = "") -> None:
        self._redactor = redactor
        self._url = url
        self._content_type = content_type.lower()

    def whole(self, data: bytes) -> bytes:
        """Return a body with its secrets replaced: the very same object when there is none."""
        if not self._has_events and not data[:64].lstrip().startswith((b"event:", b"data:")):
            return self._redactor.body(data, self._members)
        stream = EventStreamRedactor(self._redactor, is_framed=self._is_framed)
        shown = stream.feed(data) + stream.finish()
        return shown if stream.is_redacted or stream.is_withheld else data

    def growing(self) -> GrowingRedactor:
        """Return what redacts the body piece by piece."""
        if self._has_events:
            return EventStreamRedactor(self._redactor, is_framed=self._is_framed)
        return _HoldingRedactor(self._redactor, self) if self._members else StreamRedactor(self._redactor)

    @cached_property
    def _members(self) -> tuple[re.Pattern[bytes], ...]:
        try:
            return secret_members(urlsplit(self._url).path, self._content_type) if self._url else ()
        except ValueError:
            return secret_members(self._url, self._content_type)

    @property
    def _is_framed(self) -> bool:
        return "amazon.eventstream" in self._content_type

    @property
    def _has_events(self) -> bool:
        return self._is_framed or "event-stream" in self._content_type


class _HoldingRedactor:
    """Holds a body that is about signing in back until it is whole; only the beginning of a very large one is."""

    def __init__(self, redactor: Redactor, redaction: BodyRedaction) -> None:
        self._redaction = redaction
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._rest: StreamRedactor | None = None
        self._redactor = redactor
        self._has_replaced = False

    @property
    def is_redacted(self) -> bool:
        return self._has_replaced or (self._rest is not None and self._rest.is_redacted)

    @property
    def is_withheld(self) -> bool:
        return self._rest is not None and self._rest.is_withheld

    def feed(self, data: bytes) -> bytes:
        if self._rest is not None:
            return self._rest.feed(data)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes <= _HELD_BYTES:
            return b""
        self._rest = StreamRedactor(self._redactor)
        return self._rest.feed(self._held_redacted())

    def finish(self) -> bytes:
        return self._rest.finish() if self._rest is not None else self._held_redacted()

    def _held_redacted(self) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        redacted = self._redaction.whole(data)
        self._has_replaced = redacted is not data
        return redacted


def content_type_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the content type a message says it has; empty when it says nothing."""
    return next((value.decode("latin-1") for name, value in headers if name.lower() == b"content-type"), "")
