"""HAR 1.2, for browsers' and proxies' tools: decoded bodies, and what only Assay knows in fields that begin with `_`."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from proxy_core.exchange import Headers, Timing
from storage.export.options import ExportOptions, wants_bodies
from storage.export.selection import ExportedExchange, select_whole
from storage.export.values import body_texts, dump_json, iso_time, usd
from storage.filters.tree import Filter
from storage.store import Store
from storage.views import BodyFacts, ExchangeDetail

type Record = dict[str, Any]


def write_har(store: Store, wanted: Filter, options: ExportOptions) -> Iterator[str]:
    """Yield one HAR document, a piece for each exchange."""
    name, _, version = options.generator.partition(" ")
    creator = dump_json({"name": name, "version": version})
    yield f'{{"log":{{"version":"1.2","creator":{creator},"entries":['
    separator = ""
    has_bodies = wants_bodies(options, is_default=True)
    selected = select_whole(store, wanted, has_bodies=has_bodies, is_decoded=True, on_exchange=options.on_exchange)
    for exchange in selected:
        yield f"{separator}\n{dump_json(_entry(exchange))}"
        separator = ","
    yield "\n]}}\n"


def _entry(exchange: ExportedExchange) -> Record:
    summary = exchange.detail.summary
    timings = _timings(exchange.detail.timing)
    return {
        "startedDateTime": iso_time(summary.started_us),
        "time": sum(span for span in timings.values() if span > 0),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": timings,
        "_id": summary.exchange_id,
        "_state": summary.state.value,
        "_error": summary.error,
        "_session": summary.session_id,
        "_model": summary.model,
        "_input_tokens": summary.input_tokens,
        "_output_tokens": summary.output_tokens,
        "_cost_usd": usd(summary.cost_nano_usd),
        "_tokens_by_kind": {kind.value: tokens for kind, tokens in summary.spectrum},
    }


def _timings(timing: Timing) -> dict[str, float]:
    """The spans of HAR in milliseconds; -1 where one is not known, or does not apply: a connection that was open already."""
    connect_ms = (timing.upstream_connect_us or 0) / 1000
    return {
        "blocked": -1,
        "dns": -1,
        "connect": connect_ms or -1,
        "send": max(0, _span_ms(timing.client_started_us, timing.proxy_forwarded_us) - connect_ms),
        "wait": _span_ms(timing.proxy_forwarded_us, timing.first_byte_us),
        "receive": _span_ms(timing.first_byte_us, timing.last_byte_us),
        "ssl": -1,
    }


def _span_ms(start_us: int | None, end_us: int | None) -> float:
    return 0 if start_us is None or end_us is None else max(0, end_us - start_us) / 1000


def _request(exchange: ExportedExchange) -> Record:
    detail = exchange.detail
    record: Record = {
        "method": detail.summary.method,
        "url": detail.summary.url,
        "httpVersion": detail.request_http_version,
        "cookies": [],
        "headers": _headers(detail.request_headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(detail.summary.url).query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": detail.request_body.wire_bytes,
    }
    texts = body_texts(exchange.request_body)
    if exchange.request_body:
        record["postData"] = {"mimeType": _mime_type(detail.request_headers), "text": texts["text"] or ""}
        if texts["base64"] is not None:
            record["postData"] |= {"text": texts["base64"], "_encoding": "base64"}
    return record


def _response(exchange: ExportedExchange) -> Record:
    """An exchange without an answer has status 0, as browsers write it."""
    detail = exchange.detail
    return {
        "status": detail.summary.status_code or 0,
        "statusText": detail.response_reason or "",
        "httpVersion": detail.response_http_version or "",
        "cookies": [],
        "headers": _headers(detail.response_headers),
        "content": _content(detail, detail.response_body, exchange.response_body),
        "redirectURL": next((value for name, value in detail.response_headers if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": detail.response_body.wire_bytes if detail.response_body else -1,
    }


def _content(detail: ExchangeDetail, facts: BodyFacts | None, body: bytes | None) -> Record:
    content: Record = {"size": len(body or b""), "mimeType": _mime_type(detail.response_headers)}
    if facts is not None and body is not None:
        content["compression"] = len(body) - facts.wire_bytes
    texts = body_texts(body)
    if texts["base64"] is not None:
        return content | {"text": texts["base64"], "encoding": "base64"}
    return content if texts["text"] is None else content | {"text": texts["text"]}


def _headers(lines: Headers) -> list[Record]:
    return [{"name": name, "value": value} for name, value in lines]


def _mime_type(lines: Headers) -> str:
    return next((value for name, value in lines if name.lower() == "content-type"), "")
