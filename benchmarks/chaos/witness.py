"""An API stand-in that remembers what it was asked and, byte for byte, what it sent: the measure of what clients get."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.wire import Part, ReceivedRequest, Reply

_NUMBER = re.compile(rb"request number (\d{7})")


class Witness(MessagesApi):
    """Answers numbered requests.

    Args:
        settings: How the API behaves.
    """

    def __init__(self, settings: ApiSettings) -> None:
        super().__init__(settings)
        self.sent: dict[int, bytearray] = {}
        """What was sent so far in answer to each request that no client has compared yet."""
        self.mangled: list[int] = []
        """Requests that did not arrive as they were made."""

    async def respond(self, request: ReceivedRequest) -> Reply:
        """Answer, and remember."""
        reply = await super().respond(request)
        found = _NUMBER.search(request.body or b"")
        if found is None:
            return reply
        number = int(found[1])
        if request.body != body_of(number):
            self.mangled.append(number)
        kept = self.sent[number] = bytearray(reply.garbage or b"")
        return replace(reply, parts=_noted(reply.parts, kept))


def body_of(number: int) -> bytes:
    """Return a request that can be told from all others; one of fifty is large."""
    words = 8000 if number % 50 == 0 else number % 200
    text = f"request number {number:07d} " + "and some words about it " * words
    message = {"role": "user", "content": text}
    return json.dumps({"model": "claude-opus-5-5", "max_tokens": 9, "stream": True, "messages": [message]}).encode()


def number_in(body: bytes) -> int | None:
    """Return the number of a request; `None` when it has none."""
    found = _NUMBER.search(body)
    return int(found[1]) if found else None


def _noted(parts: Iterable[Part], kept: bytearray) -> Iterator[Part]:
    for part in parts:
        if isinstance(part, bytes):
            kept += part
        yield part
