"""Bytes and texts that are nearly right: what is well formed, cut, doubled, spoilt and put together anew."""

import gzip
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

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
RICH_MESSAGE = MESSAGE | {
    "metadata": {"user_id": "user_a_account_b_session_c"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    "mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "docs", "authorization_token": KEY.decode()}],
    "tools": [
        {"name": "mcp__docs__find", "description": "Finds", "input_schema": {"properties": {"q": {"type": "string"}}}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        {"type": "mcp_toolset", "mcp_server_name": "docs"},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<command-name>/review</command-name>", "citations": [{"type": "char_location"}]},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "document", "source": {"type": "text", "data": "x"}, "title": "T", "citations": {"enabled": True}},
                {"type": "search_result", "source": "https://a", "title": "A", "content": [{"type": "text", "text": "y"}]},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "eA=="},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "web_search_result", "url": "u"}]},
                {"type": "mcp_tool_use", "id": "m1", "name": "find", "server_name": "docs", "input": {}},
                {"type": "mcp_tool_result", "tool_use_id": "m1", "is_error": False, "content": [{"type": "text", "text": "z"}]},
            ],
        },
    ],
}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "model": "claude-opus-4-8",
    "content": [{"type": "text", "text": "Lisbon."}],
    "usage": {
        "input_tokens": 25,
        "cache_read_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 1},
        "output_tokens": 6,
        "server_tool_use": {"web_search_requests": 1},
        "iterations": [{"type": "message", "input_tokens": 5, "output_tokens": 1}],
    },
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
_SHAPES = (
    "null", "true", "-1", "1180591620717411303424", "1.5", '""', '"\\ud800"', "[]", "{}", "[null]", "[[]]", "[{}]",
    '{"type": []}', '{"type": {"a": 1}}', '[{"type": 3}]', '{"": ""}',
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


def misshapen(*values: Any) -> st.SearchStrategy[bytes]:
    """Return JSON of one of these in which a few values are of another type than they should be."""
    edit = st.tuples(st.integers(0, 200), st.sampled_from(_SHAPES))
    return st.builds(_misshapen, st.sampled_from(values), st.lists(edit, min_size=1, max_size=4))


def misshapen_streams() -> st.SearchStrategy[bytes]:
    """Return an event stream in which a few values are of another type than they should be."""
    return st.lists(misshapen(*_EVENTS), max_size=9).map(lambda told: b"".join(b"data: " + event + b"\n\n" for event in told))


def _misshapen(value: Any, edits: Sequence[tuple[int, str]]) -> bytes:
    whole = {"whole": json.loads(json.dumps(value))}
    for number, shape in edits:
        places = list(_places(whole))
        container, key = places[number % len(places)]
        container[key] = json.loads(shape)
    return json.dumps(whole["whole"]).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where each value within one stands: what holds it, and at which key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


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
