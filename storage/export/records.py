"""One exchange as the export's schema (`docs/export.schema.json`) has it. Names here are a promise to scripts: only add."""

from typing import Any

from proxy_core.attribution.model import CallFacts, Ledger, LedgerLine, Segment, Source, Usage, Zone
from proxy_core.exchange import Headers, Timing
from storage.export.selection import ExportedExchange
from storage.export.values import body_texts, iso_time, usd
from storage.views import BodyFacts, ExchangeDetail, ExchangeSummary, Feedback

SCHEMA_VERSION = 1
"""Raised when a field is added; none is ever taken away or changed."""

type Record = dict[str, Any]


def exchange_record(exchange: ExportedExchange, *, has_texts: bool) -> Record:
    """Return one exchange as the schema has it."""
    detail = exchange.detail
    summary = detail.summary
    return {
        "id": summary.exchange_id,
        "started_at": iso_time(summary.started_us),
        "state": summary.state.value,
        "mode": summary.mode.value,
        "error": summary.error,
        "call": _call(detail.facts, summary),
        "timing": _timing(detail.timing),
        "tokens": _tokens(summary),
        "usage": _usage(detail.usage),
        "cost": _cost(detail),
        "sources": _sources(detail.ledger),
        "segments": _segments(detail, has_texts=has_texts),
        "overheads": _overheads(detail.ledger),
        "feedback": _feedback(exchange.feedback),
        "request": _request(exchange),
        "response": _response(exchange),
        "attribution_version": summary.attribution_version,
        "notes": list(detail.notes),
    }


def _call(facts: CallFacts | None, summary: ExchangeSummary) -> Record:
    return {
        "dialect": facts.dialect if facts else None,
        "request_class": summary.request_class.value,
        "client_name": summary.client_name,
        "client_version": summary.client_version,
        "model": summary.model,
        "requested_model": facts.requested_model if facts else None,
        "session_id": summary.session_id,
        "prompt_id": summary.prompt_id,
        "agent_id": summary.agent_id,
        "agent_type": summary.agent_type,
        "parent_agent_id": summary.parent_agent_id,
        "title": summary.title,
        "is_streaming": summary.is_streaming,
        "is_distorted": summary.is_distorted,
        "stop_reason": facts.stop_reason if facts else None,
        "error_type": facts.error_type if facts else None,
        "error_message": facts.error_message if facts else None,
        "api_request_id": facts.api_request_id if facts else None,
        "message_id": facts.message_id if facts else None,
    }


def _timing(timing: Timing) -> Record:
    moments = (
        "client_started",
        "proxy_received",
        "proxy_forwarded",
        "first_byte",
        "first_byte_delivered",
        "last_byte",
        "delivered",
    )
    connect_us = timing.upstream_connect_us
    return {f"{name}_at": iso_time(getattr(timing, f"{name}_us")) for name in moments} | {
        "upstream_connect_ms": None if connect_us is None else connect_us / 1000,
        "latency_ms": timing.latency_ms,
        "first_byte_ms": timing.first_byte_ms,
        "proxy_ms": timing.proxy_ms,
    }


def _tokens(summary: ExchangeSummary) -> Record:
    return {
        "input": summary.input_tokens,
        "output": summary.output_tokens,
        "cache_read": summary.cache_read_tokens,
        "cache_write_5m": summary.cache_write_5m_tokens,
        "cache_write_1h": summary.cache_write_1h_tokens,
        "fresh": summary.fresh_tokens,
        "is_estimate": summary.is_estimate,
    }


def _usage(usage: Usage | None) -> Record | None:
    if usage is None:
        return None
    return {
        "thinking_tokens": usage.thinking_tokens,
        "web_search_requests": usage.web_search_requests,
        "web_fetch_requests": usage.web_fetch_requests,
        "service_tier": usage.service_tier,
        "inference_geo": usage.inference_geo,
        "speed": usage.speed,
    }


def _cost(detail: ExchangeDetail) -> Record:
    basis = detail.cost_basis
    return {
        "usd": usd(detail.summary.cost_nano_usd),
        "nano_usd": detail.summary.cost_nano_usd,
        "price_model": basis.price_model if basis else None,
        "price_list": basis.library if basis else None,
        "modifiers": list(basis.modifiers) if basis else [],
        "steps": list(basis.steps) if basis else [],
    }


def _sources(ledger: Ledger | None) -> list[Record]:
    """Sum up the input side of the ledger by source, largest first."""
    lines: dict[Source, list[LedgerLine]] = {}
    for line in ledger.lines if ledger else ():
        if line.zone is not Zone.OUTPUT:
            lines.setdefault(line.source, []).append(line)
    records = [_line_record(source, its_lines) for source, its_lines in lines.items()]
    return sorted(records, key=lambda record: (-record["tokens"], record["source_type"], record["source_name"] or ""))


def _line_record(source: Source, lines: list[LedgerLine]) -> Record:
    """Write what some lines of one source come to."""
    costs = [line.cost_nano_usd for line in lines if line.cost_nano_usd is not None]
    zones: dict[str, int] = {}
    for line in lines:
        zones[line.zone.value] = zones.get(line.zone.value, 0) + line.tokens
    return {
        "source_type": source.source_type.value,
        "source_name": source.source_name,
        "tokens": sum(line.tokens for line in lines),
        "cost_usd": usd(sum(costs)) if costs else None,
        "zones": zones,
        "grade": lines[0].grade.value,
    }


_UNCOUNTED: Record = {"tokens": None, "cost_usd": None, "zones": {}, "grade": None}


def _segments(detail: ExchangeDetail, *, has_texts: bool) -> list[Record]:
    lines: dict[int, list[LedgerLine]] = {}
    for line in detail.ledger.lines if detail.ledger else ():
        if line.segment_index is not None:
            lines.setdefault(line.segment_index, []).append(line)
    return [_segment(segment, lines.get(index), has_texts=has_texts) for index, segment in enumerate(detail.segments)]


def _segment(segment: Segment, lines: list[LedgerLine] | None, *, has_texts: bool) -> Record:
    place = {"source_type": segment.source.source_type.value, "source_name": segment.source.source_name}
    counted = _line_record(segment.source, lines) if lines else place | _UNCOUNTED
    return counted | {
        "part": segment.part.value,
        "region": segment.region.value,
        "pointer": segment.pointer,
        "start": segment.start,
        "end": segment.end,
        "role": segment.role,
        "message_index": segment.message_index,
        "content_kind": segment.content_kind.value,
        "content_bytes": segment.content_bytes,
        "content_hash": segment.content_hash,
        "cache_ttl": segment.cache_ttl,
        "is_uncertain": segment.is_uncertain,
        "text": segment.text if has_texts else None,
    }


def _overheads(ledger: Ledger | None) -> list[Record]:
    """Write what is billed without a text on the wire, and the output."""
    return [
        _line_record(line.source, [line]) | {"part": line.part.value}
        for line in (ledger.lines if ledger else ())
        if line.segment_index is None
    ]


def _feedback(feedback: Feedback | None) -> Record | None:
    if feedback is None:
        return None
    return {
        "rating": feedback.rating,
        "text": feedback.feedback_text,
        "user_id": feedback.user_id,
        "submitted_at": iso_time(feedback.submitted_us),
        "updated_at": iso_time(feedback.updated_us),
    }


def _request(exchange: ExportedExchange) -> Record:
    detail = exchange.detail
    return {
        "method": detail.summary.method,
        "url": detail.summary.url,
        "http_version": detail.request_http_version,
        "headers": _headers(detail.request_headers),
        "trailers": _headers(detail.request_trailers),
        "body": _body(detail.request_body, exchange.request_body),
    }


def _response(exchange: ExportedExchange) -> Record | None:
    detail = exchange.detail
    if detail.summary.status_code is None:
        return None
    return {
        "status_code": detail.summary.status_code,
        "reason": detail.response_reason,
        "http_version": detail.response_http_version,
        "headers": _headers(detail.response_headers),
        "trailers": _headers(detail.response_trailers),
        "body": None if detail.response_body is None else _body(detail.response_body, exchange.response_body),
    }


def _headers(lines: Headers) -> list[list[str]]:
    return [[name, value] for name, value in lines]


def _body(facts: BodyFacts, content: bytes | None) -> Record:
    return {
        "wire_bytes": facts.wire_bytes,
        "wire_sha256": facts.wire_sha256,
        "content_encoding": facts.content_encoding,
        "is_redacted": facts.is_redacted,
        "is_decoded": facts.is_decoded,
        "is_truncated": facts.is_truncated,
        "is_kept": facts.is_kept,
        **body_texts(content),
    }
