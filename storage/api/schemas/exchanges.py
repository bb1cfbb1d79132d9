"""Requests, responses and attributions as the contract names them."""

from typing import Annotated, Any, TypedDict

from pydantic import Field

from proxy_core.exchange import Headers
from storage.api.schemas.attributions import ContextAttribution, present_attributions
from storage.api.schemas.common import Answer, ExchangeId, Timestamp, Usd, as_line, to_timestamp, to_usd
from storage.api.schemas.feedback import FeedbackAnswer
from storage.views import BodyFacts, ExchangeDetail, ExchangeSummary


@as_line
class SourceShare(TypedDict):
    """How much of a request one kind of source is."""

    source_type: Annotated[str, Field(examples=["McpServer"])]
    tokens: int


class RequestSummary(Answer):
    """One request in a list."""

    id: ExchangeId
    timestamp: Timestamp
    """When the client began to send it."""
    method: str = Field(examples=["POST"])
    url: str = Field(examples=["https://api.anthropic.com/v1/messages?beta=true"])
    total_tokens: int | None
    """Input tokens: read from the cache, written to it and fresh; `null` before the analysis."""
    correlation_id: ExchangeId
    """What ties request and response; equals `id`."""
    has_feedback: bool
    state: str = Field(examples=["complete"])
    """`open`, `complete`, `failed` or `interrupted`."""
    mode: str = Field(examples=["intercept"])
    """How it reached Assay: `intercept`, `reverse`, `local` or `imported`."""
    host: str
    path: str
    request_class: str = Field(examples=["main"])
    """What kind of call it is."""
    title: str | None
    """First line of what the user asked."""
    client_name: str | None
    client_version: str | None
    model: str | None
    status_code: int | None
    """`null`: no response (yet)."""
    error: str | None
    """Connection error or the API's error, in one line."""
    session_id: str | None
    prompt_id: str | None
    agent_id: str | None
    agent_type: str | None
    parent_agent_id: str | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    fresh_tokens: int | None
    is_estimate: bool
    """The token figures are not (yet) billed figures."""
    cost_usd: Usd | None
    """`null`: no price known."""
    latency_ms: float | None
    first_byte_ms: float | None
    proxy_latency_ms: float | None
    """Assay's own share of the latency."""
    request_bytes: int
    response_bytes: int | None
    is_streaming: bool
    is_distorted: bool
    """The way it was captured changed what the client sends."""
    rating: float | None
    sources: list[SourceShare]
    """Input tokens by kind of source, largest first."""
    attribution_version: int | None
    """`null`: not analysed yet."""


class RequestList(Answer):
    """One page of requests, newest first unless asked otherwise."""

    requests: list[RequestSummary]
    total: int
    """How many there are on all pages."""
    limit: int
    offset: int
    next_cursor: str | None
    """Give it as `cursor` for the next page; `null` on the last one."""


class ResponseSummary(Answer):
    """What came back."""

    id: ExchangeId
    correlation_id: ExchangeId
    timestamp: Timestamp
    """First byte from the API; the request's time where that is not known."""
    status_code: int | None
    latency_ms: float | None
    proxy_latency_ms: float | None
    response_tokens: int | None
    """Output tokens, thinking included."""


class Body(Answer):
    """What is known of a body without reading it."""

    wire_bytes: int
    """Length on the wire, before redaction."""
    wire_sha256: str
    """Of the body on the wire, before redaction."""
    content_encoding: str | None
    is_redacted: bool
    """A secret in it was replaced."""
    is_decoded: bool
    """Kept without its content encoding."""
    is_truncated: bool
    """Bytes are missing at the end."""
    is_kept: bool
    """`false`: retention dropped the bytes; these facts remain."""


class ResponseDetail(ResponseSummary):
    """What came back, whole."""

    headers: dict[str, str]
    """By name; lines of the same name are joined by commas. Secrets are replaced by `[REDACTED:...]`."""
    header_lines: list[tuple[str, str]]
    """As on the wire: in order, in their case, repeated where they were."""
    body_json: Any = None
    """The body where it is JSON, else `null` (a stream: see `/requests/{id}/body?side=response`)."""
    body: Body | None
    stop_reason: str | None
    api_request_id: str | None
    """The API's own id of the request."""
    message_id: str | None


class RequestDetail(RequestSummary):
    """A request, whole."""

    headers: dict[str, str]
    """By name; lines of the same name are joined by commas. Secrets are replaced by `[REDACTED:...]`."""
    header_lines: list[tuple[str, str]]
    """As on the wire: in order, in their case, repeated where they were."""
    body_json: Any = None
    """The body as sent, secrets replaced; `null` where it is no JSON."""
    body: Body
    attributions: list[ContextAttribution]
    response: ResponseSummary | None
    feedback: FeedbackAnswer | None
    notes: list[str]
    """What the analysis could not read."""
    cost_steps: list[str]
    """How the cost was computed, one step a line."""


def summary_fields(view: ExchangeSummary) -> dict[str, Any]:
    """Return the fields of a RequestSummary."""
    return {
        "id": view.exchange_id,
        "correlation_id": view.exchange_id,
        "timestamp": to_timestamp(view.started_us),
        "total_tokens": view.input_tokens,
        "has_feedback": view.rating is not None,
        "cost_usd": to_usd(view.cost_nano_usd),
        "proxy_latency_ms": view.proxy_ms,
        "sources": [{"source_type": kind, "tokens": tokens} for kind, tokens in view.spectrum],
    } | {name: getattr(view, name) for name in _SAME_NAMES}


_RENAMED = {
    "id",
    "correlation_id",
    "timestamp",
    "total_tokens",
    "has_feedback",
    "cost_usd",
    "proxy_latency_ms",
    "sources",
}
_SAME_NAMES = tuple(name for name in RequestSummary.model_fields if name not in _RENAMED)


def present_request(view: ExchangeSummary) -> RequestSummary:
    """Present one row of a list."""
    return RequestSummary(**summary_fields(view))


def present_response(view: ExchangeSummary, first_byte_us: int | None = None) -> ResponseSummary | None:
    """Present what came back; `None` when nothing did."""
    if view.status_code is None:
        return None
    return ResponseSummary(**_response_fields(view, first_byte_us))


def _response_fields(view: ExchangeSummary, first_byte_us: int | None) -> dict[str, Any]:
    if first_byte_us is None:
        first_byte_us = view.started_us + round((view.first_byte_ms or 0) * 1000)
    return {
        "id": view.exchange_id,
        "correlation_id": view.exchange_id,
        "timestamp": to_timestamp(first_byte_us),
        "status_code": view.status_code,
        "latency_ms": view.latency_ms,
        "proxy_latency_ms": view.proxy_ms,
        "response_tokens": view.output_tokens,
    }


def present_request_detail(view: ExchangeDetail, feedback: FeedbackAnswer | None) -> RequestDetail:
    """Present a request, whole but for `body_json`."""
    return RequestDetail(
        **summary_fields(view.summary),
        headers=_join(view.request_headers),
        header_lines=list(view.request_headers),
        body=_present_body(view.request_body),
        attributions=present_attributions(view),
        response=present_response(view.summary, view.timing.first_byte_us),
        feedback=feedback,
        notes=list(view.notes),
        cost_steps=list(view.cost_basis.steps) if view.cost_basis else [],
    )


def present_response_detail(view: ExchangeDetail) -> ResponseDetail:
    """Present what came back, whole but for `body_json`."""
    return ResponseDetail(
        **_response_fields(view.summary, view.timing.first_byte_us),
        headers=_join(view.response_headers),
        header_lines=list(view.response_headers),
        body=None if view.response_body is None else _present_body(view.response_body),
        stop_reason=view.facts.stop_reason if view.facts else None,
        api_request_id=view.facts.api_request_id if view.facts else None,
        message_id=view.facts.message_id if view.facts else None,
    )


def _join(lines: Headers) -> dict[str, str]:
    joined: dict[str, tuple[str, str]] = {}
    for name, value in lines:
        first = joined.get(name.lower())
        joined[name.lower()] = (name, value) if first is None else (first[0], f"{first[1]}, {value}")
    return dict(joined.values())


def _present_body(facts: BodyFacts) -> Body:
    return Body(**{name: getattr(facts, name) for name in Body.model_fields})
