"""A turn as the API sends it: one JSON message, or a stream of server-sent events at a model's pace."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proxy_core.standin.scenario import Turn
from proxy_core.standin.wire import Part, Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the model answers."""

    first_event_s: float = 0.0
    """From the request's end to the first event."""
    event_s: float = 0.0
    """From one delta to the next."""
    delta_characters: int = 24
    """Text in one delta."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A turn with everything the API adds to it."""

    message_id: str
    model: str
    blocks: tuple[Mapping[str, Any], ...]
    stop_reason: str
    input_usage: Mapping[str, Any]
    output_tokens: int
    thinking_tokens: int

    def usage(self) -> dict[str, Any]:
        """Return the final usage."""
        return {
            **self.input_usage,
            "output_tokens": self.output_tokens,
            "output_tokens_details": {"thinking_tokens": self.thinking_tokens},
            "service_tier": "standard",
            "inference_geo": "global",
        }

    def message(self) -> dict[str, Any]:
        """Return the whole message."""
        return {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": list(self.blocks),
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "usage": self.usage(),
        }


def content_blocks(turn: Turn, message_id: str) -> tuple[Mapping[str, Any], ...]:
    """Return the turn's content blocks."""
    blocks: list[Mapping[str, Any]] = []
    if turn.thinking is not None:
        blocks.append({"type": "thinking", "thinking": turn.thinking, "signature": f"c3RhbmRpbg{message_id[-16:]}=="})
    if turn.text is not None:
        blocks.append({"type": "text", "text": turn.text})
    for number, call in enumerate(turn.tool_calls):
        blocks.append(
            {"type": "tool_use", "id": f"toolu_{message_id[4:24]}{number:02d}", "name": call.name, "input": dict(call.input)}
        )
    return tuple(blocks)


def event_stream(answer: Answer, pace: Pace) -> Iterator[Part]:
    """Yield the answer event by event."""
    yield Pause(pace.first_event_s)
    start = {**answer.message(), "content": [], "stop_reason": None}
    start["usage"] = {**answer.input_usage, "output_tokens": 1, "service_tier": "standard", "inference_geo": "global"}
    yield event("message_start", {"message": start})
    for index, block in enumerate(answer.blocks):
        yield event("content_block_start", {"index": index, "content_block": _empty(block)})
        if index == 0:
            yield event("ping", {})
        for delta in _deltas(block, pace.delta_characters):
            yield Pause(pace.event_s)
            yield event("content_block_delta", {"index": index, "delta": delta})
        yield event("content_block_stop", {"index": index})
    final = {
        name: value for name, value in answer.usage().items() if name not in {"cache_creation", "service_tier", "inference_geo"}
    }
    yield event("message_delta", {"delta": {"stop_reason": answer.stop_reason, "stop_sequence": None}, "usage": final})
    yield event("message_stop", {})


def event(kind: str, fields: Mapping[str, Any]) -> bytes:
    """Return one server-sent event."""
    payload = json.dumps({"type": kind, **fields}, separators=(",", ":"), ensure_ascii=False)
    return f"event: {kind}\ndata: {payload}\n\n".encode()


def _empty(block: Mapping[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case _:
            return {**block, "input": {}}


def _deltas(block: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "text":
            for piece in _pieces(block["text"], size):
                yield {"type": "text_delta", "text": piece}
        case "thinking":
            for piece in _pieces(block["thinking"], size):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case _:
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(json.dumps(block["input"], separators=(",", ":")), size):
                yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str, size: int) -> Iterator[str]:
    for at in range(0, len(text), size):
        yield text[at : at + size]
