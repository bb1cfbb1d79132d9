"""Bytes and texts that are nearly right: what is well formed, cut, doubled, spoilt and put together anew."""

import gzip
import json
import os
import zlib
from collections.abc import Sequence

import brotli
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SEARCH = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "50")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
"""How long each test searches; `make fuzz` sets the variable."""

KEY = b"sk-ant-api03-PLANTED-0123456789abcdef"
MESSAGE = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "You are terse.", "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "Read", "description": "Reads", "input_schema": {"type": "object"}}],
    "messages": [
        {"role": "user", "content": "<system-reminder>\nContents of /a/CLAUDE.md (why):\n\nx\n</system-reminder>"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Read", "input": {"path": "/a"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "line\n"}]},
    ],
}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-opus-4-8",
    "content": [{"type": "text", "text": "Lisbon."}],
    "usage": {"input_tokens": 25, "cache_read_input_tokens": 3, "output_tokens": 6},
}
_EVENTS = (
    {"type": "message_start", "message": ANSWER | {"content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Lis"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a'}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 40}},
    {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
)
REQUEST = json.dumps(MESSAGE).encode()
JSON_ANSWER = json.dumps(ANSWER).encode()
STREAM_PARTS = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in _EVENTS]
STREAM = b"".join(STREAM_PARTS)
_NOISE = (
    b"\x00", b"\xff\xfe", b"\r\n", b"\n\n", b"\\u0073", b"\\", b'"', b"{", b"]", b"[" * 50, b"null", b"-1", b"1e999", b"9" * 40,
    b'"cache_control":{"type":"ephemeral"}', b"data: ", b"event: ping\n\n", b": x\n", b"[DONE]", b"\xe2\x80\xa8", b"%73%6b",
    KEY, KEY[:9], b"Bearer ", b'"authorization_token":"', b"true", b"\xed\xa0\x80",
)  # fmt: skip


def spoilt(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """Return one of these with a few places cut out, doubled or replaced."""
    edit = st.tuples(st.integers(0, 4000), st.integers(0, 200), st.sampled_from(_NOISE) | st.binary(max_size=8), st.booleans())
    return st.builds(_edited, st.sampled_from(seeds), st.lists(edit, max_size=6))


def _edited(data: bytes, edits: Sequence[tuple[int, int, bytes, bool]]) -> bytes:
    for place, length, noise, is_doubled in edits:
        at = place % (len(data) + 1)
        data = data[:at] + noise + (data[at : at + length] if is_doubled else b"") + data[at if is_doubled else at + length :]
    return data


def encoded(data: bytes) -> dict[str, bytes]:
    """Return a body in each content-encoding."""
    return {
        "gzip": gzip.compress(data, 1),
        "deflate": zlib.compress(data, 1),
        "br": brotli.compress(data, quality=1),
        "identity": data,
    }


def split(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """Cut data into pieces of these sizes, the rest last."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]
