"""Hand-made requests, and what must hold of every reading: nothing lost, nothing twice, everything at its place."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from proxy_core.attribution.model import ContentKind, Region, Segment
from proxy_core.attribution.reading import read_call
from proxy_core.dialects.base import ParsedCall, RecordedCall
from proxy_core.dialects.wire_json import decode, escape_token, json_text, value_at

CLAUDE_CODE = "claude-cli/{} (external, cli)"
MESSAGES = "https://api.anthropic.com/v1/messages?beta=true"
STRUCTURE = frozenset(
    [
        "type",
        "role",
        "id",
        "tool_use_id",
        "cache_control",
        "is_error",
        "toolset_name",
        "server_name",
        "mcp_server_name",
        "media_type",
        "output_config",
        "clear_at",
        "tool_call_id",
        "retrieved_at",
        "model",
        "max_tokens",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "service_tier",
        "speed",
        "inference_geo",
        "anthropic_version",
        "defer_loading",
        "eager_input_streaming",
        "strict",
        "detail",
        "index",
        "format",
        "name",
        "toolUseId",
        "status",
        "custom_id",
    ]
)
"""Members that are no content, where they are plain."""
REGIONS = {Region.TOOLS: 0, Region.SYSTEM: 1, Region.MESSAGES: 2, Region.SETTINGS: 3}


def recorded(
    body: Any, *, agent: str | None = None, headers: Mapping[str, str] | None = None, url: str = MESSAGES, method: str = "POST"
) -> RecordedCall:
    """A recorded call of a body: bytes as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {**({"User-Agent": agent} if agent else {}), **(headers or {})}
    return RecordedCall(method=method, url=url, request_headers=tuple(named.items()), request_body=raw)


def read(body: Any, **kwargs: Any) -> ParsedCall:
    """The reading of a body, checked for loss."""
    call = recorded(body, **kwargs)
    parsed = read_call(call)
    assert coverage_errors(call.request_body, parsed) == []
    return parsed


def claude_code(body: Any, version: str = "2.1.330", **headers: str) -> ParsedCall:
    """The reading of a request by Claude Code."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return read(body, agent=CLAUDE_CODE.format(version), headers={"x-claude-code-request-class": "main", **extra})


def older_claude_code(body: Any, version: str, **headers: str) -> ParsedCall:
    """The same by a version that does not say what kind of call it makes."""
    return read(
        body, agent=CLAUDE_CODE.format(version), headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def user(*content: Any) -> dict[str, Any]:
    """A user message: texts as text blocks, anything else as it is."""
    return {"role": "user", "content": [text(item) if isinstance(item, str) else item for item in content]}


def assistant(*content: Any) -> dict[str, Any]:
    """An assistant message."""
    return {"role": "assistant", "content": [text(item) if isinstance(item, str) else item for item in content]}


def text(words: str, **more: Any) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": words, **more}


def reminder(words: str) -> str:
    """A text that is one reminder."""
    return f"<system-reminder>\n{words}\n</system-reminder>"


def use(name: str, call_id: str = "toolu_1", /, **given: Any) -> dict[str, Any]:
    """A tool call."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def result(content: Any, call_id: str = "toolu_1") -> dict[str, Any]:
    """A tool result."""
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def owner(parsed: ParsedCall, words: str) -> str:
    """Whose the segment with these words is, as `Type/name`; exactly one segment may have them."""
    segment = holding(parsed, words)
    return f"{segment.source.source_type}/{segment.source.source_name}"


def holding(parsed: ParsedCall, words: str) -> Segment:
    """The one segment with these words."""
    found = [segment for segment in parsed.segments if words in segment.text]
    assert len(found) == 1, [(segment.pointer, segment.text) for segment in found]
    return found[0]


def owners(parsed: ParsedCall) -> list[str]:
    """Whose each segment is, in order, settings left out."""
    return [
        f"{segment.source.source_type}/{segment.source.source_name}"
        for segment in parsed.segments
        if segment.region is not Region.SETTINGS
    ]


def coverage_errors(body: bytes, parsed: ParsedCall) -> list[str]:
    """What of a body is not covered exactly once, in order; empty when all is well."""
    spans: dict[str, list[Segment]] = defaultdict(list)
    for segment in parsed.segments:
        if segment.end or not segment.cache_ttl:
            spans[segment.pointer].append(segment)
    if set(spans) <= {""}:
        return [] if spans or not parsed.segments else ["nothing"]
    document = decode(body)
    errors = [error for pointer, segments in spans.items() for error in _span_errors(document, pointer, segments)]
    errors += [f"{pointer} inside another" for pointer in spans if any(above in spans for above in _above(pointer))]
    errors += [f"{pointer} lost" for pointer in _lost(document, "", spans)]
    ranks = [(REGIONS[segment.region], segment.message_index or 0) for segment in parsed.segments]
    is_one_prompt = not any(pointer.startswith("/requests") for pointer in spans)
    return errors + ([] if ranks == sorted(ranks) or not is_one_prompt else ["out of order"])


def _span_errors(document: Any, pointer: str, segments: list[Segment]) -> Iterator[str]:
    value = value_at(document, pointer)
    whole = value if isinstance(value, str) else json_text(value)
    at = 0
    for segment in segments:
        if segment.start != at:
            yield f"{pointer} gap or overlap at {at}"
        at = segment.end
        hidden = segment.content_kind in {ContentKind.OPAQUE, ContentKind.IMAGE, ContentKind.DOCUMENT} and not segment.text
        if not hidden and segment.text != _printable(whole[segment.start : segment.end]):
            yield f"{pointer} text differs"
        segment.text.encode()
    if at != len(whole):
        yield f"{pointer} ends at {at} of {len(whole)}"


def _printable(words: str) -> str:
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in words)


def _above(pointer: str) -> Iterator[str]:
    while pointer:
        pointer = pointer.rpartition("/")[0]
        yield pointer


def _lost(value: Any, pointer: str, spans: Mapping[str, Any]) -> Iterator[str]:
    if pointer in spans:
        return
    key = pointer.rpartition("/")[2]
    if key in STRUCTURE and len(json_text(value)) <= 3_000:
        return
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _lost(member, f"{pointer}/{escape_token(name)}", spans)
    elif isinstance(value, list) and value:
        for index, member in enumerate(value):
            yield from _lost(member, f"{pointer}/{index}", spans)
    elif value not in (None, "", [], {}):
        yield pointer
