import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.model import Usage
from proxy_core.dialects.base import ParsedResponse, RecordedCall
from proxy_core.dialects.responses import read_response


def read(body: bytes | str | dict[str, Any], *, status: int = 200, kind: str = "application/json") -> ParsedResponse:
    data = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    parsed = read_response(
        RecordedCall(
            method="POST",
            url="https://api.anthropic.com/v1/messages",
            request_headers=(),
            request_body=b"",
            status_code=status,
            response_headers=(("Content-Type", kind), ("Request-Id", "req_1")),
            response_body=data,
        )
    )
    assert parsed is not None
    return parsed


def sse(*events: dict[str, Any]) -> str:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "claude-opus-4-8", "content": [], "usage": {"input_tokens": 10, "output_tokens": 1}},
}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 40}}


def test_no_response_yet() -> None:
    assert read_response(RecordedCall(method="POST", url="", request_headers=(), request_body=b"")) is None


def test_a_whole_message() -> None:
    parsed = read(
        {
            "id": "msg_1",
            "type": "message",
            "model": "claude-opus-4-8",
            "content": [{"type": "text", "text": "hi"}, 5],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 2, "iterations": [{"type": "message", "input_tokens": 3}]},
            "context_management": {"applied_edits": [{"cleared_input_tokens": 70}, {"cleared_input_tokens": 5}, None]},
        }
    )

    assert parsed.blocks == ({"type": "text", "text": "hi"},)
    assert parsed.usage == Usage(input_tokens=3, output_tokens=2)
    assert parsed.iterations[0].kind == "message"
    assert (parsed.model, parsed.message_id, parsed.request_id) == ("claude-opus-4-8", "msg_1", "req_1")
    assert parsed.stop_reason == "end_turn"
    assert parsed.cleared_input_tokens == 75
    assert parsed.is_complete
    assert not parsed.is_streaming
    assert parsed.warnings == ()


def test_unknown_blocks_and_usage_fields_are_noted() -> None:
    parsed = read({"content": [{"type": "hologram"}], "usage": {"input_tokens": 1, "gold": 2}})

    assert parsed.warnings == ("unknown content block 'hologram'", "unknown usage field 'gold'")


def test_a_stream() -> None:
    parsed = read(sse(START, END, {"type": "message_stop"}), kind="text/event-stream; charset=utf-8")

    assert parsed.usage.output_tokens == 40
    assert parsed.start_usage is not None
    assert parsed.start_usage.input_tokens == 10
    assert parsed.is_streaming
    assert parsed.is_complete
    assert parsed.stop_reason == "end_turn"


def test_a_stream_without_its_header_is_known_by_its_looks() -> None:
    assert read(sse(START, END, {"type": "message_stop"}), kind="").is_streaming


def test_a_cut_off_stream_has_no_output_figure() -> None:
    parsed = read(sse(START), kind="text/event-stream")

    assert parsed.usage.input_tokens == 10
    assert parsed.usage.output_tokens is None
    assert not parsed.is_complete
    assert parsed.warnings == ("the stream was cut off before its end",)


def test_an_error_inside_a_stream() -> None:
    parsed = read(
        sse(START, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}), kind="text/event-stream"
    )

    assert (parsed.error_type, parsed.error_message) == ("overloaded_error", "Overloaded")
    assert not parsed.is_complete


def test_an_api_error() -> None:
    parsed = read({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}, status=429)

    assert (parsed.error_type, parsed.error_message) == ("rate_limit_error", "slow down")
    assert parsed.usage == Usage()


def test_a_cloud_error_without_an_error_object() -> None:
    parsed = read({"Message": "no access"}, status=403)

    assert (parsed.error_type, parsed.error_message) == (None, "no access")


def test_an_error_page() -> None:
    parsed = read(b"<html>bad gateway</html>", status=502)

    assert (parsed.error_type, parsed.error_message) == ("http_502", "<html>bad gateway</html>")


@pytest.mark.parametrize(
    ("body", "warnings"), [(b"", ()), (b"nope", ("the response is not JSON",)), (b"[1]", ("the response is not JSON",))]
)
def test_no_message_at_all(body: bytes, warnings: tuple[str, ...]) -> None:
    parsed = read(body)

    assert parsed.warnings == warnings
    assert not parsed.is_complete


def test_a_token_count() -> None:
    parsed = read({"input_tokens": 2095, "context_management": {"original_input_tokens": 3000}})

    assert parsed.counted_tokens == 2095
    assert parsed.usage == Usage()


def test_an_openai_answer() -> None:
    parsed = read(
        {
            "id": "chatcmpl-1",
            "model": "claude-sonnet-5",
            "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 34, "completion_tokens": 9},
        }
    )

    assert parsed.usage == Usage(input_tokens=34, output_tokens=9)
    assert parsed.blocks == ({"type": "text", "text": "Hello"},)
    assert read({"choices": [], "usage": {}}).blocks == ()


def amazon_frame(payload: bytes) -> bytes:
    headers = b"\x0b:event-type\x07\x00\x05chunk"
    return struct.pack(">III", 16 + len(headers) + len(payload), len(headers), 0) + headers + payload + b"\0\0\0\0"


def amazon_event(event: dict[str, Any]) -> bytes:
    return amazon_frame(json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode()}).encode())


AMAZON = "application/vnd.amazon.eventstream"


def test_an_amazon_stream() -> None:
    body = b"".join(map(amazon_event, (START, END, {"type": "message_stop"})))

    parsed = read(body, kind=AMAZON)

    assert parsed.usage.output_tokens == 40
    assert parsed.is_complete


def test_broken_amazon_frames_end_or_are_left_out() -> None:
    body = amazon_event(START) + amazon_frame(b"nope") + amazon_frame(b"{}") + amazon_frame(b'{"message": "throttled"}')

    parsed = read(body + b"\0\0\0\1" + b"\0" * 20, kind=AMAZON)

    assert parsed.usage.input_tokens == 10
    assert parsed.error_message == "throttled"
    assert read(amazon_event(START)[:-3], kind=AMAZON).usage == Usage()


@given(
    st.binary(max_size=120),
    st.sampled_from([200, 404, 529]),
    st.sampled_from(["application/json", "text/event-stream", AMAZON]),
)
def test_nothing_raises(body: bytes, status: int, kind: str) -> None:
    read(body, status=status, kind=kind)
