"""Responses: whatever the API sent back, read into one `ParsedResponse`.

Whole JSON, event streams (also Amazon's binary ones), errors of both, count_tokens answers, the OpenAI-compatible shape.
Never raises: what cannot be read becomes a warning.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from proxy_core.attribution.model import Usage
from proxy_core.dialects.amazon_eventstream import read_amazon_events
from proxy_core.dialects.base import ParsedResponse, RecordedCall
from proxy_core.dialects.sse import MessageStream, read_events, read_message_stream
from proxy_core.dialects.usage import read_iterations, read_usage, usage_notes

KNOWN_BLOCKS = frozenset(
    {
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "advisor_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "mcp_tool_listing",
        "container_upload",
        "compaction",
        "fallback",
    }
)
"""Types of content blocks in answers (SDK 2.12.0, 2026-11). Others are kept all the same, and noted."""

_MAX_ERROR_CHARS = 2000


def read_response(recorded: RecordedCall) -> ParsedResponse | None:
    """Read the response of a recorded exchange.

    Args:
        recorded: The exchange, content-encodings undone.

    Returns:
        `None` when there is no response yet.
    """
    if recorded.status_code is None:
        return None
    body = recorded.response_body or b""
    content_type = _header(recorded, "content-type") or ""
    request_id = _header(recorded, "request-id") or _header(recorded, "x-amzn-requestid")
    if (
        "event-stream" in content_type
        or "amazon.eventstream" in content_type
        or body[:64].lstrip().startswith((b"event:", b"data:", b":"))
    ):
        events = read_amazon_events(body) if "amazon" in content_type else read_events(body)
        return _from_stream(read_message_stream(events), request_id)
    return _from_json(body, request_id, recorded.status_code)


def _from_stream(stream: MessageStream, request_id: str | None) -> ParsedResponse:
    blocks = stream.blocks()
    message = stream.message
    warnings = [*stream.warnings, *_unknown_blocks(blocks), *stream.usage_notes]
    if not stream.is_stopped and stream.error is None:
        warnings.append("the stream was cut off before its end")
    error = stream.error or {}
    usage = stream.usage if stream.has_final_usage else _without_output(stream.usage)
    return ParsedResponse(
        blocks=blocks,
        usage=usage,
        start_usage=stream.start_usage,
        iterations=stream.iterations,
        model=_text(message.get("model")),
        message_id=_text(message.get("id")),
        request_id=request_id,
        stop_reason=_text(message.get("stop_reason")),
        error_type=_text(error.get("type")),
        error_message=_text(error.get("message")),
        cleared_input_tokens=_cleared_tokens(stream.context_management or message.get("context_management")),
        is_streaming=True,
        is_complete=stream.is_stopped,
        warnings=tuple(warnings),
    )


def _from_json(body: bytes, request_id: str | None, status_code: int) -> ParsedResponse:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, Mapping):
        return _unreadable(body, request_id, status_code)
    error = parsed.get("error")
    if isinstance(error, Mapping) or parsed.get("type") == "error" or status_code >= 400:
        return _error(parsed, error if isinstance(error, Mapping) else parsed, request_id)
    if isinstance(parsed.get("choices"), list):
        return _openai_answer(parsed, request_id)
    content = parsed.get("content")
    raw_usage = parsed.get("usage")
    blocks = tuple(block for block in content if isinstance(block, Mapping)) if isinstance(content, list) else ()
    return ParsedResponse(
        blocks=blocks,
        usage=Usage() if _is_count(parsed) else read_usage(raw_usage),
        iterations=read_iterations(raw_usage),
        model=_text(parsed.get("model")),
        message_id=_text(parsed.get("id")),
        request_id=request_id,
        stop_reason=_text(parsed.get("stop_reason")),
        counted_tokens=_counted(parsed),
        cleared_input_tokens=_cleared_tokens(parsed.get("context_management")),
        is_complete=True,
        warnings=(*_unknown_blocks(blocks), *usage_notes(raw_usage)),
    )


def _error(parsed: Mapping[str, Any], error: Mapping[str, Any], request_id: str | None) -> ParsedResponse:
    message = error.get("message") or error.get("Message")
    return ParsedResponse(
        usage=Usage(),
        request_id=request_id or _text(parsed.get("request_id")),
        error_type=_text(error.get("type")) or _text(error.get("status")),
        error_message=(_text(message) or "")[:_MAX_ERROR_CHARS] or None,
        is_complete=True,
    )


def _unreadable(body: bytes, request_id: str | None, status_code: int) -> ParsedResponse:
    text = body[:_MAX_ERROR_CHARS].decode("utf-8", errors="replace").strip()
    is_failed = status_code >= 400
    return ParsedResponse(
        usage=Usage(),
        request_id=request_id,
        error_type=f"http_{status_code}" if is_failed else None,
        error_message=(text or None) if is_failed else None,
        is_complete=is_failed,
        warnings=() if is_failed or not body else ("the response is not JSON",),
    )


def _openai_answer(parsed: Mapping[str, Any], request_id: str | None) -> ParsedResponse:
    """Read an answer of the OpenAI-compatible endpoint: it reports totals only, and no cache."""
    usage = _mapping(parsed.get("usage"))
    choice = next(iter(choice for choice in parsed["choices"] if isinstance(choice, Mapping)), {})
    text = _text(_mapping(choice.get("message")).get("content"))
    return ParsedResponse(
        blocks=({"type": "text", "text": text},) if text else (),
        usage=read_usage({"input_tokens": usage.get("prompt_tokens"), "output_tokens": usage.get("completion_tokens")}),
        model=_text(parsed.get("model")),
        message_id=_text(parsed.get("id")),
        request_id=request_id,
        stop_reason=_text(choice.get("finish_reason")),
        is_complete=True,
    )


def _unknown_blocks(blocks: Iterable[Mapping[str, Any]]) -> list[str]:
    kinds = dict.fromkeys(str(block.get("type")) for block in blocks)
    return [f"unknown content block {kind!r:.60}" for kind in kinds if kind not in KNOWN_BLOCKS]


def _is_count(parsed: Mapping[str, Any]) -> bool:
    return "usage" not in parsed and "content" not in parsed and "input_tokens" in parsed


def _counted(parsed: Mapping[str, Any]) -> int | None:
    return read_usage({"input_tokens": parsed["input_tokens"]}).input_tokens if _is_count(parsed) else None


def _cleared_tokens(context_management: object) -> int | None:
    """Sum what context editing took out of the prompt; `None` when it took nothing."""
    edits = _mapping(context_management).get("applied_edits")
    if not isinstance(edits, list):
        return None
    cleared = [_mapping(edit).get("cleared_input_tokens") for edit in edits]
    return sum(read_usage({"input_tokens": tokens}).input_tokens or 0 for tokens in cleared) or None


def _without_output(usage: Usage) -> Usage:
    """Drop the placeholder that message_start carries: the real figure never came."""
    return replace(usage, output_tokens=None)


def _header(recorded: RecordedCall, name: str) -> str | None:
    return next((value for key, value in recorded.response_headers if key.lower() == name), None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
