"""Event streams: bytes to events, and the events of a Messages stream back to the message they were cut from.

Takes whatever a wire can leave behind: cut-off streams, unknown events, deltas without a start, broken JSON. It never
raises; what does not fit is noted in `MessageStream.warnings` and kept where it can be kept.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from proxy_core.attribution.model import Usage
from proxy_core.dialects.base import UsageEntry
from proxy_core.dialects.usage import merge_delta, read_iterations, read_usage, usage_notes

KNOWN_EVENTS = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    }
)
"""Event types of the Messages API (SDK 2.12.0, 2026-11)."""

APPENDED_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
}
"""Delta type -> (its field, the block's field it is appended to)."""

JSON_DELTA = "input_json_delta"
CITATIONS_DELTA = "citations_delta"
COMPACTION_DELTA = "compaction_delta"
KNOWN_DELTAS = frozenset(APPENDED_DELTAS) | {JSON_DELTA, CITATIONS_DELTA, COMPACTION_DELTA}

_decode = msgspec.json.Decoder().decode

MAX_BLOCKS = 100_000
"""Blocks beyond this many are noted, not kept."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream."""

    name: str
    """The `event:` field; empty when there was none."""
    data: str
    """The `data:` lines, joined by newlines."""


def read_events(body: bytes) -> Iterator[ServerSentEvent]:
    """Read the events of a stream; a last one that its blank line never ended is left out."""
    text = body.decode("utf-8", errors="replace").removeprefix("\ufeff")
    name, lines = "", list[str]()
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line:
            if lines:
                yield ServerSentEvent(name, "\n".join(lines))
            name, lines = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            lines.append(value)
        elif field == "event":
            name = value


class MessageStream:
    """Puts the events of one streamed message together again."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.error: Mapping[str, Any] | None = None
        self.start_usage: Usage | None = None
        self.usage = Usage()
        self.iterations: tuple[UsageEntry, ...] = ()
        self.context_management: Mapping[str, Any] = {}
        self.is_stopped = False
        self.has_final_usage = False
        self.warnings: list[str] = []
        self.usage_notes: tuple[str, ...] = ()
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}

    def feed(self, event: Mapping[str, Any]) -> None:
        """Take the next event, already read from JSON."""
        kind = event.get("type")
        if kind == "message_start":
            self._start(_mapping(event.get("message")))
        elif kind == "content_block_start":
            self._open(_index(event), _mapping(event.get("content_block")))
        elif kind == "content_block_delta":
            self._grow(_index(event), _mapping(event.get("delta")))
        elif kind == "message_delta":
            self._finish(event)
        elif kind == "message_stop":
            self.is_stopped = True
        elif kind == "error":
            self.error = _mapping(event.get("error"))
        elif not isinstance(kind, str) or kind not in KNOWN_EVENTS:
            self._note(f"unknown stream event {kind!r:.60}")

    def blocks(self) -> tuple[dict[str, Any], ...]:
        """Return the content blocks in order, their deltas joined."""
        for (index, field), pieces in self._pieces.items():
            joined = "".join(pieces)
            block = self._blocks[index]
            if field == "input":
                self._put_input(block, joined)
            else:
                block[field] = _string(block.get(field)) + joined
        self._pieces.clear()
        return tuple(self._blocks[index] for index in sorted(self._blocks))

    def _start(self, message: Mapping[str, Any]) -> None:
        self.message = {**message}
        self.start_usage = self.usage = read_usage(message.get("usage"))
        for index, block in enumerate(message.get("content") or () if isinstance(message.get("content"), list) else ()):
            self._open(index, _mapping(block))

    def _open(self, index: int, block: Mapping[str, Any]) -> None:
        if index in self._blocks:
            self._note(f"content block {index} started twice")
        if len(self._blocks) < MAX_BLOCKS:
            self._blocks[index] = {**block}
        else:
            self._note("too many content blocks")

    def _grow(self, index: int, delta: Mapping[str, Any]) -> None:
        if index not in self._blocks:
            self._note(f"content block {index} grew before it started")
            self._open(index, {"type": _orphan_type(delta)})
        kind = delta.get("type")
        block = self._blocks.get(index)
        if block is None:
            return
        if isinstance(kind, str) and kind in APPENDED_DELTAS:
            source, target = APPENDED_DELTAS[kind]
            self._pieces.setdefault((index, target), []).append(_string(delta.get(source)))
        elif kind == JSON_DELTA:
            self._pieces.setdefault((index, "input"), []).append(_string(delta.get("partial_json")))
        elif kind == CITATIONS_DELTA:
            citations = block.get("citations")
            block["citations"] = [*(citations if isinstance(citations, list) else ()), delta.get("citation")]
        elif kind == COMPACTION_DELTA:
            block |= {key: value for key, value in delta.items() if key != "type" and value is not None}
        else:
            self._note(f"unknown delta {kind!r:.60}")

    def _put_input(self, block: dict[str, Any], joined: str) -> None:
        if not joined.strip():
            return
        try:
            block["input"] = json.loads(joined)
        except (ValueError, RecursionError):
            block["input"] = joined
            self._note("tool input is not whole JSON")

    def _finish(self, event: Mapping[str, Any]) -> None:
        self.message |= {key: value for key, value in _mapping(event.get("delta")).items() if value is not None}
        if isinstance(event.get("usage"), Mapping):
            self.usage = merge_delta(self.usage, event["usage"])
            self.iterations = read_iterations(event["usage"]) or self.iterations
            self.usage_notes = usage_notes(event["usage"])
            self.has_final_usage = self.usage.output_tokens is not None
        self.context_management = _mapping(event.get("context_management")) or self.context_management

    def _note(self, text: str) -> None:
        if text not in self.warnings and len(self.warnings) < 50:
            self.warnings.append(text)


def read_message_stream(events: Iterator[ServerSentEvent]) -> MessageStream:
    """Reassemble a Messages stream from its events."""
    stream = MessageStream()
    for event in events:
        try:
            parsed = _parsed(event.data)
        except (ValueError, RecursionError):
            stream.warnings.append(f"stream event {event.name!r:.60} is not JSON")
            continue
        if isinstance(parsed, Mapping):
            stream.feed(parsed)
    return stream


def _parsed(data: str) -> Any:
    """Read JSON, quickly where it is strict."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return json.loads(data)


def _orphan_type(delta: Mapping[str, Any]) -> str:
    kind = delta.get("type")
    if kind in ("thinking_delta", "signature_delta"):
        return "thinking"
    return "tool_use" if kind == JSON_DELTA else "text"


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if isinstance(index, int) and not isinstance(index, bool) else 0


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
