"""Small makers of the types that pass between the layers, so that a test names only what it is about.

Every maker takes the fields of its type as keywords and fills in the rest; add your own below, keep the others'.
"""

import hashlib
import itertools
import json
from typing import Any, Protocol

from proxy_core.attribution.model import (
    CallFacts,
    ContentKind,
    CostBasis,
    Grade,
    Ledger,
    LedgerLine,
    Part,
    Region,
    RequestClass,
    Segment,
    Source,
    SourceType,
    Usage,
    Zone,
)
from proxy_core.clock import new_exchange_id, now_us
from proxy_core.exchange import (
    CapturedBody,
    CapturedRequest,
    CapturedResponse,
    CaptureMode,
    ExchangeFinished,
    ExchangeStarted,
    ExchangeState,
    Headers,
    Timing,
)
from proxy_core.live import LiveBody, LiveExchange
from storage.views import (
    BodyFacts,
    ExchangeDetail,
    ExchangeSummary,
    Feedback,
    SessionSummary,
    SourceMetrics,
    SummaryMetrics,
)

START_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z: the fixed "now" of tests."""

MESSAGES_URL = "https://api.anthropic.com/v1/messages?beta=true"


class Bodies(Protocol):
    """A feed, as far as it makes bodies."""

    def new_body(self) -> LiveBody:
        """Make an empty one."""
        ...


_serial = itertools.count(1)


def exchange_id(number: int | None = None) -> str:
    """A well-formed exchange id; the same number gives the same id."""
    return f"{next(_serial) if number is None else number:08x}{'0' * 4}7{'0' * 3}8{'0' * 15}"


# The wire


def timing(start_us: int = START_US, **changes: Any) -> Timing:
    """A complete timing: 1 ms to receive, 0.5 ms in the proxy, first byte after 200 ms, done after 900 ms."""
    times: dict[str, Any] = {
        "client_started_us": start_us,
        "proxy_received_us": start_us + 1_000,
        "proxy_forwarded_us": start_us + 1_500,
        "first_byte_us": start_us + 200_000,
        "first_byte_delivered_us": start_us + 200_200,
        "last_byte_us": start_us + 900_000,
        "delivered_us": start_us + 900_300,
        "upstream_connect_us": 0,
    }
    return Timing(**(times | changes))


def request_json(**changes: Any) -> dict[str, Any]:
    """A small Messages API request."""
    body: dict[str, Any] = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 1024,
        "system": [{"type": "text", "text": "You are a careful engineer."}],
        "messages": [{"role": "user", "content": "Why does the build fail?"}],
    }
    return body | changes


def response_json(**changes: Any) -> dict[str, Any]:
    """A small Messages API response with usage."""
    body: dict[str, Any] = {
        "id": "msg_0001",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "A header is missing."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 21, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 7},
    }
    return body | changes


def sse(events: list[dict[str, Any]]) -> bytes:
    """Server-sent events as the Messages API writes them."""
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def body_of(content: Any = None, **changes: Any) -> CapturedBody:
    """A captured body holding bytes, or the JSON of anything else."""
    if content is None:
        content = request_json()
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    facts: dict[str, Any] = {"data": data, "wire_bytes": len(data), "wire_sha256": hashlib.sha256(data).hexdigest()}
    return CapturedBody(**(facts | changes))


def captured_request(headers: Headers = (), **changes: Any) -> CapturedRequest:
    """A POST to the Messages API."""
    fields: dict[str, Any] = {
        "method": "POST",
        "url": MESSAGES_URL,
        "http_version": "HTTP/1.1",
        "headers": headers or (("Content-Type", "application/json"), ("User-Agent", "claude-cli/2.1.330 (external, cli)")),
    }
    return CapturedRequest(**(fields | changes))


def captured_response(headers: Headers = (), **changes: Any) -> CapturedResponse:
    """A 200 with JSON."""
    fields: dict[str, Any] = {
        "status_code": 200,
        "reason": "OK",
        "http_version": "HTTP/1.1",
        "headers": headers or (("content-type", "application/json"), ("request-id", "req_0001")),
    }
    return CapturedResponse(**(fields | changes))


def live_exchange(feed: Bodies, **changes: Any) -> LiveExchange:
    """An exchange that has just begun on the wire, its bodies from the feed that it will be put into."""
    started_us = changes.setdefault("client_started_us", now_us())
    fields = {
        "exchange_id": new_exchange_id(started_us),
        "mode": CaptureMode.INTERCEPT,
        "connection_id": "c1",
        "method": b"POST",
        "url": "https://api.anthropic.com/v1/messages",
        "http_version": b"HTTP/1.1",
        "headers": (),
        "request_body": feed.new_body(),
        "response_body": feed.new_body(),
    }
    return LiveExchange(**(fields | changes))


def exchange_started(**changes: Any) -> ExchangeStarted:
    """The event of a request that is being forwarded."""
    fields: dict[str, Any] = {
        "exchange_id": exchange_id(),
        "mode": CaptureMode.INTERCEPT,
        "request": captured_request(),
        "request_body": body_of(),
        "timing": Timing(client_started_us=START_US, proxy_received_us=START_US + 1_000),
        "connection_id": "c1",
    }
    return ExchangeStarted(**(fields | changes))


def exchange_finished(**changes: Any) -> ExchangeFinished:
    """The event of an exchange that went well."""
    fields: dict[str, Any] = {
        "exchange_id": exchange_id(),
        "mode": CaptureMode.INTERCEPT,
        "state": ExchangeState.COMPLETE,
        "request": captured_request(),
        "request_body": body_of(),
        "response": captured_response(),
        "response_body": body_of(response_json()),
        "timing": timing(),
        "error": None,
        "connection_id": "c1",
    }
    return ExchangeFinished(**(fields | changes))


# Meaning


def source(source_type: SourceType = SourceType.USER, source_name: str | None = None) -> Source:
    """A source; the user unless told otherwise."""
    return Source(source_type=source_type, source_name=source_name)


def segment(text: str = "Why does the build fail?", **changes: Any) -> Segment:
    """A text segment of the first user message."""
    fields: dict[str, Any] = {
        "source": source(),
        "part": Part.TEXT,
        "region": Region.MESSAGES,
        "pointer": "/messages/0/content",
        "start": 0,
        "end": len(text),
        "text": text,
        "content_bytes": len(text.encode("utf-8", "surrogatepass")),
        "content_hash": hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(),
        "content_kind": ContentKind.TEXT,
        "role": "user",
        "message_index": 0,
    }
    return Segment(**(fields | changes))


def ledger_line(**changes: Any) -> LedgerLine:
    """Ten fresh tokens of the user's text."""
    fields: dict[str, Any] = {
        "source": source(),
        "part": Part.TEXT,
        "segment_index": 0,
        "zone": Zone.FRESH,
        "tokens": 10,
        "estimated_tokens": 10,
        "grade": Grade.BOUNDED,
        "cost_nano_usd": 30_000,
    }
    return LedgerLine(**(fields | changes))


def usage(**changes: Any) -> Usage:
    """21 tokens in, 7 out, nothing cached."""
    fields: dict[str, Any] = {
        "input_tokens": 21,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": 7,
    }
    return Usage(**(fields | changes))


def cost_basis(**changes: Any) -> CostBasis:
    """A price that was found."""
    fields: dict[str, Any] = {"price_model": "claude-sonnet-4-5", "library": "test prices", "modifiers": (), "steps": ()}
    return CostBasis(**(fields | changes))


def ledger(**changes: Any) -> Ledger:
    """A settled ledger of one input and one output line."""
    fields: dict[str, Any] = {
        "lines": (
            ledger_line(tokens=21, cost_nano_usd=63_000),
            ledger_line(
                source=source(SourceType.ASSISTANT),
                part=Part.OUTPUT,
                segment_index=None,
                zone=Zone.OUTPUT,
                tokens=7,
                estimated_tokens=7,
                grade=Grade.EXACT,
                cost_nano_usd=105_000,
            ),
        ),
        "usage": usage(),
        "is_settled": True,
        "total_input_tokens": 21,
        "output_tokens": 7,
        "cost_nano_usd": 168_000,
        "cost_basis": cost_basis(),
        "tokenizer": "test",
    }
    return Ledger(**(fields | changes))


def call_facts(**changes: Any) -> CallFacts:
    """A main request of Claude Code."""
    fields: dict[str, Any] = {
        "dialect": "anthropic_messages",
        "client_name": "claude-code",
        "client_version": "2.1.330",
        "model": "claude-sonnet-4-5",
        "requested_model": "claude-sonnet-4-5",
        "request_class": RequestClass.MAIN,
        "session_id": "session-1",
        "title": "Why does the build fail?",
    }
    return CallFacts(**(fields | changes))


# What the store hands out


def exchange_summary(number: int = 1, **changes: Any) -> ExchangeSummary:
    """One analysed, complete exchange of a list."""
    fields: dict[str, Any] = {
        "id": number,
        "exchange_id": exchange_id(number),
        "started_us": START_US + number * 1_000_000,
        "state": ExchangeState.COMPLETE,
        "mode": CaptureMode.INTERCEPT,
        "method": "POST",
        "url": MESSAGES_URL,
        "host": "api.anthropic.com",
        "path": "/v1/messages",
        "client_name": "claude-code",
        "client_version": "2.1.330",
        "model": "claude-sonnet-4-5",
        "status_code": 200,
        "error": None,
        "request_class": RequestClass.MAIN,
        "session_id": "session-1",
        "prompt_id": None,
        "agent_id": None,
        "agent_type": None,
        "parent_agent_id": None,
        "previous_id": None,
        "title": "Why does the build fail?",
        "input_tokens": 21,
        "output_tokens": 7,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "fresh_tokens": 21,
        "is_estimate": False,
        "cost_nano_usd": 168_000,
        "latency_ms": 900.3,
        "first_byte_ms": 200.0,
        "proxy_ms": 0.8,
        "request_bytes": 200,
        "response_bytes": 300,
        "is_streaming": False,
        "is_distorted": False,
        "spectrum": ((SourceType.USER, 21),),
        "rating": None,
        "has_note": False,
        "attribution_version": 1,
    }
    return ExchangeSummary(**(fields | changes))


def body_facts(**changes: Any) -> BodyFacts:
    """A small body that is kept."""
    fields: dict[str, Any] = {
        "wire_bytes": 200,
        "wire_sha256": hashlib.sha256(b"").hexdigest(),
        "content_encoding": None,
        "is_redacted": False,
        "is_decoded": False,
        "is_truncated": False,
        "is_kept": True,
    }
    return BodyFacts(**(fields | changes))


def exchange_detail(number: int = 1, **changes: Any) -> ExchangeDetail:
    """Everything of one analysed exchange."""
    fields: dict[str, Any] = {
        "summary": exchange_summary(number),
        "timing": timing(),
        "request_http_version": "HTTP/1.1",
        "request_headers": captured_request().headers,
        "request_trailers": (),
        "response_http_version": "HTTP/1.1",
        "response_reason": "OK",
        "response_headers": captured_response().headers,
        "response_trailers": (),
        "request_body": body_facts(),
        "response_body": body_facts(wire_bytes=300),
        "facts": call_facts(),
        "usage": usage(),
        "cost_basis": cost_basis(),
        "ledger": ledger(),
        "segments": (segment(),),
        "notes": (),
    }
    return ExchangeDetail(**(fields | changes))


def source_metrics(source_id: int = 1, **changes: Any) -> SourceMetrics:
    """One MCP server over a time range."""
    fields: dict[str, Any] = {
        "source_id": source_id,
        "source_type": SourceType.MCP_SERVER,
        "source_name": "github",
        "usage_count": 3,
        "total_tokens": 3_000,
        "average_tokens": 1_000.0,
        "total_cost_nano_usd": 9_000_000,
        "feedback_count": 0,
        "average_rating": None,
        "last_used_us": START_US,
        "created_us": START_US,
    }
    return SourceMetrics(**(fields | changes))


def summary_metrics(**changes: Any) -> SummaryMetrics:
    """Totals of three requests."""
    fields: dict[str, Any] = {
        "total_requests": 3,
        "total_input_tokens": 3_000,
        "total_output_tokens": 300,
        "total_cost_nano_usd": 13_500_000,
        "unpriced_requests": 0,
        "average_latency_ms": 900.0,
        "average_proxy_ms": 0.8,
        "feedback_count": 0,
        "average_rating": None,
        "oldest_us": START_US,
        "newest_us": START_US + 3_000_000,
    }
    return SummaryMetrics(**(fields | changes))


def session_summary(session_id: str = "session-1", **changes: Any) -> SessionSummary:
    """One session of Claude Code."""
    fields: dict[str, Any] = {
        "session_id": session_id,
        "client_name": "claude-code",
        "client_version": "2.1.330",
        "models": ("claude-sonnet-4-5",),
        "title": "Why does the build fail?",
        "first_us": START_US,
        "last_us": START_US + 60_000_000,
        "requests": 3,
        "prompts": 1,
        "agents": 0,
        "errors": 0,
        "compactions": 0,
        "input_tokens": 3_000,
        "output_tokens": 300,
        "cache_read_tokens": 2_000,
        "cost_nano_usd": 13_500_000,
        "last_context_tokens": 1_200,
    }
    return SessionSummary(**(fields | changes))


def feedback(feedback_id: int = 1, **changes: Any) -> Feedback:
    """A good rating."""
    fields: dict[str, Any] = {
        "feedback_id": feedback_id,
        "exchange_id": exchange_id(1),
        "rating": 0.8,
        "feedback_text": "to the point",
        "user_id": "local",
        "submitted_us": START_US,
        "updated_us": None,
        "affected_sources": ("User",),
    }
    return Feedback(**(fields | changes))
