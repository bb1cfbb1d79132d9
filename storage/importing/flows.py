"""mitmproxy's flow files (`mitmdump -w`), read one flow at a time. The one module outside the proxy that knows mitmproxy."""

import warnings
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from mitmproxy import exceptions, http

from proxy_core.exchange import (
    CapturedBody,
    CapturedResponse,
    CaptureMode,
    ExchangeFinished,
    ExchangeState,
    Headers,
    Timing,
)
from proxy_core.redact import Redactor
from proxy_core.redacting import BodyRedaction, content_type_of
from storage.importing import recordings

with warnings.catch_warnings():
    # Its package reads flow filters too, by names that pyparsing is about to drop.
    warnings.simplefilter("ignore", DeprecationWarning)
    from mitmproxy import io as flow_io

# What a file that was made to do harm brings out of the reader.
_UNREADABLE = (
    exceptions.FlowReadException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)


class _FlowTooLargeError(Exception):
    """One flow is larger than is held."""


class _BoundedFile:
    """A file that is read in pieces of bounded length: mitmproxy's reader takes as much at once as a length says."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file

    def peek(self, size: int) -> bytes:
        return self._file.peek(size)

    def read(self, size: int) -> bytes:
        if size > recordings.LARGEST_BYTES:
            raise _FlowTooLargeError(f"a flow is larger than {recordings.LARGEST_BYTES // 2**20} MiB")
        return self._file.read(size)


def read_flows(path: Path, redactor: Redactor) -> Iterator[ExchangeFinished]:
    """Yield the HTTP exchanges of a flow file.

    Raises:
        RecordingUnreadableError: the file is damaged; what came before was yielded.
    """
    with path.open("rb") as file:
        try:
            for flow in flow_io.FlowReader(_BoundedFile(file)).stream():  # type: ignore[arg-type] # all of a file that it uses
                if isinstance(flow, http.HTTPFlow):
                    yield _event(flow, redactor)
        except _FlowTooLargeError as error:
            raise recordings.RecordingUnreadableError(f"{path} cannot be read: {error}") from error
        except _UNREADABLE as error:
            raise recordings.RecordingUnreadableError(
                f"{path} is damaged: {recordings.redact_word(error, redactor)}"
            ) from error


def _event(flow: http.HTTPFlow, redactor: Redactor) -> ExchangeFinished:
    request, response = flow.request, flow.response
    started_us = _microseconds(request.timestamp_start) or 0
    is_whole = response is not None and response.timestamp_end is not None and flow.error is None
    return ExchangeFinished(
        exchange_id=recordings.stable_id(started_us, "flow", flow.id),
        mode=CaptureMode.IMPORTED,
        state=ExchangeState.COMPLETE if is_whole else ExchangeState.FAILED,
        request=recordings.recorded_request(
            request.method,
            request.pretty_url,
            request.http_version,
            redactor.headers(request.headers.fields),
            redactor,
            _trailers(request.trailers, redactor),
        ),
        request_body=_body(request, request.pretty_url, redactor),
        response=None if response is None else _response(response, redactor),
        response_body=None if response is None else _body(response, request.pretty_url, redactor, is_truncated=not is_whole),
        timing=_timing(flow, started_us),
        error=redactor.text(flow.error.msg) if flow.error else None,
        connection_id=flow.client_conn.id,
    )


def _response(response: http.Response, redactor: Redactor) -> CapturedResponse:
    headers, trailers = redactor.headers(response.headers.fields), _trailers(response.trailers, redactor)
    return recordings.recorded_response(
        response.status_code, response.reason, response.http_version, headers, redactor, trailers
    )


def _body(message: http.Message, url: str, redactor: Redactor, *, is_truncated: bool = False) -> CapturedBody:
    redaction = BodyRedaction(redactor, url, content_type_of(message.headers.fields))
    return recordings.capture_body(
        recordings.RawBody(data=message.raw_content or b"", is_truncated=is_truncated), _encoding(message.headers), redaction
    )


def _trailers(trailers: http.Headers | None, redactor: Redactor) -> Headers:
    return () if trailers is None else redactor.headers(trailers.fields)


def _encoding(headers: http.Headers) -> str | None:
    return recordings.content_encoding_of(
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.fields)
    )


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
    return None if seconds is None else recordings.checked_time_us(int(seconds * 1_000_000))
