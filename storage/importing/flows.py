"""mitmproxy's flow files (`mitmdump -w`), read one flow at a time. The one module outside the proxy that knows mitmproxy."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from mitmproxy import exceptions, http

from proxy_core.exchange import (
    CapturedRequest,
    CapturedResponse,
    CaptureMode,
    ExchangeFinished,
    ExchangeState,
    Headers,
    Timing,
)
from proxy_core.redact import Redactor
from storage.importing.recordings import RawBody, RecordingUnreadableError, capture_body, content_encoding_of, stable_id

with warnings.catch_warnings():
    # Its package reads flow filters too, by names that pyparsing is about to drop.
    warnings.simplefilter("ignore", DeprecationWarning)
    from mitmproxy import io as flow_io


def read_flows(path: Path, redactor: Redactor) -> Iterator[ExchangeFinished]:
    """Yield the HTTP exchanges of a flow file.

    Raises:
        RecordingUnreadableError: the file is damaged; what came before was yielded.
    """
    with path.open("rb") as file:
        try:
            for flow in flow_io.FlowReader(file).stream():
                if isinstance(flow, http.HTTPFlow):
                    yield _event(flow, redactor)
        except (exceptions.FlowReadException, ValueError, KeyError, TypeError) as error:
            raise RecordingUnreadableError(f"{path} is damaged: {error}") from error


def _event(flow: http.HTTPFlow, redactor: Redactor) -> ExchangeFinished:
    request, response = flow.request, flow.response
    started_us = _microseconds(request.timestamp_start) or 0
    is_whole = response is not None and response.timestamp_end is not None and flow.error is None
    return ExchangeFinished(
        exchange_id=stable_id(started_us, "flow", flow.id),
        mode=CaptureMode.IMPORTED,
        state=ExchangeState.COMPLETE if is_whole else ExchangeState.FAILED,
        request=CapturedRequest(
            method=request.method,
            url=redactor.url(request.pretty_url),
            http_version=request.http_version,
            headers=redactor.headers(request.headers.fields),
            trailers=_trailers(request.trailers, redactor),
        ),
        request_body=capture_body(RawBody(data=request.raw_content or b""), _encoding(request.headers), redactor),
        response=None if response is None else _response(response, redactor),
        response_body=None
        if response is None
        else capture_body(
            RawBody(data=response.raw_content or b"", is_truncated=not is_whole), _encoding(response.headers), redactor
        ),
        timing=_timing(flow, started_us),
        error=redactor.text(flow.error.msg) if flow.error else None,
        connection_id=flow.client_conn.id,
    )


def _response(response: http.Response, redactor: Redactor) -> CapturedResponse:
    return CapturedResponse(
        status_code=response.status_code,
        reason=response.reason,
        http_version=response.http_version,
        headers=redactor.headers(response.headers.fields),
        trailers=_trailers(response.trailers, redactor),
    )


def _trailers(trailers: http.Headers | None, redactor: Redactor) -> Headers:
    return () if trailers is None else redactor.headers(trailers.fields)


def _encoding(headers: http.Headers) -> str | None:
    return content_encoding_of(tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.fields))


def _timing(flow: http.HTTPFlow, started_us: int) -> Timing:
    """Mitmproxy notes when a message began and ended, not when it was passed on."""
    response = flow.response
    ended_us = _microseconds(response.timestamp_end) if response else None
    return Timing(
        client_started_us=started_us,
        proxy_received_us=_microseconds(flow.request.timestamp_end),
        first_byte_us=_microseconds(response.timestamp_start) if response else None,
        last_byte_us=ended_us,
        delivered_us=ended_us,
    )


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1_000_000)
