"""Answers that still hold: the same question is answered from memory until something is committed, by whomever.

Behind the guard, before the routes. While commits come many times a second (a capture runs), lists and sums may be up to 50 ms
old, but never older than what this API took in or told. It must not hold more than a few answers, nor any for long.
"""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ROOM = 32
_LARGEST_BYTES = 128 * 1024
_HOLDS_S = 0.5
"""However quiet it is: some questions are about now."""
_HOLDS_WHILE_BUSY_S = 0.05
_BUSY_COMMITS, _BUSY_S = 5, 1.0
"""So many commits in so short a time are many."""
_READS = ("requests", "responses", "contexts", "metrics", "sessions", "feedback", "filters", "insights")
"""What is answered from committed rows alone."""
_MOVING = ("requests", "sessions", "metrics/sources", "metrics/summary", "metrics/timeseries")
"""What changes with every exchange."""

type _Question = tuple[str, bytes]


class Freshness(Protocol):
    """What tells whether an answer still holds."""

    told: int
    """Raised whenever a client was told of a change, or made one."""

    def version(self) -> int | None:
        """Return a number that every commit changes; `None` where that cannot be told, then nothing is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    version: int
    """The database's, before the answer was made."""
    told: int
    """As `Freshness.told`, before the answer was made."""
    made_at_s: float
    """On the monotonic clock."""
    messages: tuple[Message, ...]
    """Start and body."""


class RecentAnswers:
    """ASGI middleware.

    Args:
        app: Who answers what is not held.
        freshness: Tells whether an answer still holds.
        prefix: What the paths of the API begin with.
    """

    def __init__(self, app: ASGIApp, freshness: Freshness, prefix: str) -> None:
        self._app = app
        self._freshness = freshness
        self._prefixes = tuple(f"{prefix}/{name}" for name in _READS)
        self._moving = frozenset(f"{prefix}/{name}" for name in _MOVING)
        self._held: OrderedDict[_Question, _Held] = OrderedDict()
        self._seen: int | None = None
        self._commits_s: deque[float] = deque(maxlen=_BUSY_COMMITS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass on and remember."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, _Telling(send, self._freshness))
            return
        version = self._look() if scope["path"].startswith(self._prefixes) else None
        if version is None:
            await self._app(scope, receive, send)
            return
        question = (scope["path"], scope["query_string"])
        held = self._held.get(question)
        if held is not None and self._still_holds(question, held, version):
            for message in held.messages:
                await send(message)
            return
        await self._answer(question, version, (scope, receive, send))

    def _look(self) -> int | None:
        """Return the version, and notice how often it changes."""
        version = self._freshness.version()
        if version != self._seen:
            self._seen = version
            self._commits_s.append(time.monotonic())
        return version

    def _still_holds(self, question: _Question, held: _Held, version: int) -> bool:
        now_s = time.monotonic()
        if held.version == version:
            return now_s - held.made_at_s < _HOLDS_S
        is_busy = len(self._commits_s) == _BUSY_COMMITS and now_s - self._commits_s[0] < _BUSY_S
        is_allowed = is_busy and question[0] in self._moving and held.told == self._freshness.told
        return is_allowed and now_s - held.made_at_s < _HOLDS_WHILE_BUSY_S

    async def _answer(self, question: _Question, version: int, call: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = call
        listening = _Listening(send)
        told, made_at_s = self._freshness.told, time.monotonic()
        await self._app(scope, receive, listening)
        self._held.pop(question, None)
        if listening.is_small_json:
            messages = tuple(listening.messages)
            self._held[question] = _Held(version=version, told=told, made_at_s=made_at_s, messages=messages)
            if len(self._held) > _ROOM:
                self._held.popitem(last=False)


class _Telling:
    """Notes that a change was made before whoever made it hears so."""

    def __init__(self, send: Send, freshness: Freshness) -> None:
        self._send = send
        self._freshness = freshness

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._freshness.told += 1
        await self._send(message)


class _Listening:
    """Passes an answer on and keeps it, as long as it is one whole, small piece of JSON."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.messages: list[Message] = []
        self.is_small_json = False

    async def __call__(self, message: Message) -> None:
        self.messages = [*self.messages[:2], message]
        self.is_small_json = len(self.messages) == 2 and _is_good(self.messages[0]) and _is_whole_and_small(message)
        await self._send(message)


def _is_good(start: Message) -> bool:
    headers: list[Any] = start.get("headers", [])
    return start["status"] == 200 and (b"content-type", b"application/json") in headers


def _is_whole_and_small(body: Message) -> bool:
    return not body.get("more_body") and len(body.get("body", b"")) <= _LARGEST_BYTES
