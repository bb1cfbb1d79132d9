"""OpenTelemetry spans in OTLP's JSON form, by the semantic conventions for generative AI: one batch of spans a line.

`gen_ai.usage.input_tokens` holds all input tokens, those read from and written to the cache included, as the conventions
want; the cache's share stands beside it. No prompt and no answer is written.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from proxy_core.attribution.model import RequestClass
from proxy_core.exchange import ExchangeState
from storage.export.options import ExportOptions
from storage.export.selection import ExportedCall, select_calls
from storage.export.values import dump_json
from storage.filters.tree import Filter
from storage.store import Store
from storage.views import ExchangeSummary

type Record = dict[str, Any]

_BATCH = 100
_CLIENT_KIND = 3
_ERROR_STATUS = 2
_NO_CALLS = frozenset({RequestClass.OTHER, RequestClass.COUNT_TOKENS, RequestClass.BATCH})
"""Classes that are no inference: their spans carry HTTP attributes only."""


def write_otlp(store: Store, wanted: Filter, options: ExportOptions) -> Iterator[str]:
    """Yield batches of spans, one line each."""
    name, _, version = options.generator.partition(" ")
    resource = {"attributes": _attributes({"service.name": name, "service.version": version or None})}
    for batch in batched(select_calls(store, wanted, options.on_exchange), _BATCH):
        spans = [_span(call) for call in batch]
        scope = {"scope": {"name": "assay", "version": version}, "spans": spans}
        yield f"{dump_json({'resourceSpans': [{'resource': resource, 'scopeSpans': [scope]}]})}\n"


def _span(call: ExportedCall) -> Record:
    summary = call.summary
    is_call = summary.request_class not in _NO_CALLS
    attributes = _http_attributes(summary) | (_call_attributes(call) if is_call else {})
    span: Record = {
        "traceId": hashlib.blake2b((summary.session_id or summary.exchange_id).encode(), digest_size=16).hexdigest(),
        "spanId": hashlib.blake2b(summary.exchange_id.encode(), digest_size=8).hexdigest(),
        "name": f"chat {summary.model or 'unknown'}" if is_call else f"{summary.method} {summary.path}",
        "kind": _CLIENT_KIND,
        "startTimeUnixNano": str(summary.started_us * 1000),
        "endTimeUnixNano": str(max(call.ended_us or 0, summary.started_us) * 1000),
        "attributes": _attributes(attributes),
    }
    error = _error_type(call)
    if error is not None:
        span["status"] = {"code": _ERROR_STATUS, "message": summary.error or error}
        span["attributes"] += _attributes({"error.type": error})
    return span


def _http_attributes(summary: ExchangeSummary) -> Record:
    return {
        "http.request.method": summary.method,
        "http.response.status_code": summary.status_code,
        "server.address": summary.host,
        "url.path": summary.path,
        "assay.exchange.id": summary.exchange_id,
        "assay.exchange.state": summary.state.value,
        "assay.request.class": summary.request_class.value,
        "assay.latency_ms": summary.latency_ms,
        "assay.proxy_ms": summary.proxy_ms,
    }


def _call_attributes(call: ExportedCall) -> Record:
    summary, facts = call.summary, call.facts
    writes = [tokens for tokens in (summary.cache_write_5m_tokens, summary.cache_write_1h_tokens) if tokens is not None]
    first_byte = summary.first_byte_ms
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(summary.host),
        "gen_ai.request.model": facts.requested_model if facts else None,
        "gen_ai.response.model": summary.model,
        "gen_ai.response.id": facts.message_id if facts else None,
        "gen_ai.response.finish_reasons": [facts.stop_reason] if facts and facts.stop_reason else None,
        "gen_ai.response.time_to_first_chunk": first_byte / 1000 if summary.is_streaming and first_byte is not None else None,
        "gen_ai.conversation.id": summary.session_id,
        "gen_ai.agent.id": summary.agent_id,
        "gen_ai.agent.name": summary.agent_type,
        "gen_ai.usage.input_tokens": summary.input_tokens,
        "gen_ai.usage.output_tokens": summary.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": summary.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": sum(writes) if writes else None,
        "assay.usage.is_estimate": summary.is_estimate,
        "assay.cost_usd": None if summary.cost_nano_usd is None else summary.cost_nano_usd / 1e9,
        **{f"assay.source.{kind.value}.input_tokens": tokens for kind, tokens in summary.spectrum},
    }


def _provider(host: str) -> str:
    if "bedrock" in host:
        return "aws.bedrock"
    return "gcp.vertex_ai" if host.endswith("googleapis.com") else "anthropic"


def _error_type(call: ExportedCall) -> str | None:
    summary, facts = call.summary, call.facts
    if facts is not None and facts.error_type is not None:
        return facts.error_type
    if summary.status_code is not None and summary.status_code >= 400:
        return str(summary.status_code)
    if summary.state in {ExchangeState.FAILED, ExchangeState.INTERRUPTED}:
        return summary.state.value
    return None


def _attributes(values: Record) -> list[Record]:
    """Write attributes as OTLP does; what is not known is left out."""
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: str | float | bool | Sequence[str]) -> Record:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"arrayValue": {"values": [_value(item) for item in value]}}
