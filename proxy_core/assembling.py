"""From a live exchange to the frozen events that leave the wire. Runs in the consumer's thread only."""

from proxy_core.exchange import (
    BodyGrew,
    CapturedBody,
    CapturedRequest,
    CapturedResponse,
    CaptureEvent,
    ExchangeFinished,
    ExchangeStarted,
    ExchangeState,
    ResponseStarted,
    Side,
    Timing,
)
from proxy_core.live import LiveExchange, RawHeaders
from proxy_core.recording import HELD_BODY_BYTES, BodyRecording
from proxy_core.redact import Redactor
from proxy_core.redacting import BodyRedaction, content_type_of


class ExchangeRecording:
    """Makes the events of one exchange, each only when there is something new to say.

    Args:
        live: What the hooks write down.
        redactor: Replaces secrets.
        held_limit_bytes: A body larger than this goes ahead in pieces.
    """

    def __init__(self, live: LiveExchange, redactor: Redactor, held_limit_bytes: int = HELD_BODY_BYTES) -> None:
        self._live = live
        self._redactor = redactor
        self._held_limit_bytes = held_limit_bytes
        self._request_head: CapturedRequest | None = None
        self._request = BodyRecording(live.request_body, self._redaction(live.headers), live.headers, held_limit_bytes)
        self._request_body: CapturedBody | None = None
        self._response: BodyRecording | None = None
        self._is_started = False
        self._is_response_started = False

    def start(self) -> list[CaptureEvent]:
        """Return the event that says what was asked."""
        if self._is_started:
            return []
        self._is_started = True
        live = self._live
        if live.is_request_done:
            self._request.absorb()
            if not self._request.is_large:
                self._request_body = self._request.captured()
        return [
            ExchangeStarted(
                exchange_id=live.exchange_id,
                mode=live.mode,
                request=self._captured_request(),
                request_body=self._request_body,
                timing=self._timing(),
                connection_id=live.connection_id,
            )
        ]

    def grow(self) -> list[CaptureEvent]:
        """Return what is new since the last call. A request that can be held is not shown before it is whole."""
        if not (self._is_started or self._is_to_be_shown()):
            return []
        events = self.start()
        if self._request_body is None:
            events += self._grown(Side.REQUEST, self._request, self._request.grow())
        response = self._response_recording()
        if response is None:
            return events
        if not self._is_response_started:
            self._is_response_started = True
            head = self._captured_response()
            assert head is not None
            events.append(ResponseStarted(exchange_id=self._live.exchange_id, response=head, timing=self._timing()))
        events += self._grown(Side.RESPONSE, response, response.grow())
        return events

    def finish(self) -> list[CaptureEvent]:
        """Return everything that is left to say, `ExchangeFinished` last."""
        live = self._live
        events: list[CaptureEvent] = []
        response = self._response_recording()
        if self._request_body is None:
            events += self._finished_body(Side.REQUEST, self._request)
            self._request_body = self._request.captured()
        if response is not None:
            events += self._finished_body(Side.RESPONSE, response)
        events.append(
            ExchangeFinished(
                exchange_id=live.exchange_id,
                mode=live.mode,
                state=self._state(),
                request=self._captured_request(),
                request_body=self._request_body,
                response=self._captured_response(),
                response_body=response.captured() if response is not None else None,
                timing=self._timing(),
                error=None if live.error is None else " ".join(self._redactor.text(live.error).split()),
                connection_id=live.connection_id,
            )
        )
        self.discard()
        return events

    def discard(self) -> None:
        """Let go of all bytes that are held."""
        self._request.release()
        response = self._response or BodyRecording(self._live.response_body, BodyRedaction(self._redactor), ())
        response.release()

    def _is_to_be_shown(self) -> bool:
        if self._live.is_request_done or self._live.status_code is not None:
            return True
        self._request.absorb()
        return self._request.is_large

    def _finished_body(self, side: Side, recording: BodyRecording) -> list[CaptureEvent]:
        recording.absorb()
        if not recording.is_large:
            return []
        return [*self.start(), *self._grown(side, recording, recording.end())]

    def _grown(self, side: Side, recording: BodyRecording, data: bytes) -> list[CaptureEvent]:
        if not data:
            return []
        return [BodyGrew(exchange_id=self._live.exchange_id, side=side, data=data, is_decoded=recording.is_decoded)]

    def _response_recording(self) -> BodyRecording | None:
        live = self._live
        if self._response is None and live.status_code is not None:
            headers = live.response_headers
            self._response = BodyRecording(live.response_body, self._redaction(headers), headers, self._held_limit_bytes)
        return self._response

    def _redaction(self, headers: RawHeaders) -> BodyRedaction:
        return BodyRedaction(self._redactor, self._live.url, content_type_of(headers))

    def _captured_request(self) -> CapturedRequest:
        live = self._live
        if self._request_head is None or live.request_trailers:
            self._request_head = CapturedRequest(
                method=self._redactor.body(live.method).decode("latin-1"),
                url=self._redactor.url(live.url),
                http_version=live.http_version.decode("latin-1"),
                headers=self._redactor.headers(live.headers),
                trailers=self._redactor.headers(live.request_trailers),
            )
        return self._request_head

    def _captured_response(self) -> CapturedResponse | None:
        live = self._live
        if live.status_code is None:
            return None
        return CapturedResponse(
            status_code=live.status_code,
            reason=self._redactor.body(live.reason).decode("latin-1"),
            http_version=live.response_http_version.decode("latin-1"),
            headers=self._redactor.headers(live.response_headers),
            trailers=self._redactor.headers(live.response_trailers),
        )

    def _state(self) -> ExchangeState:
        live = self._live
        if live.is_interrupted:
            return ExchangeState.INTERRUPTED
        return ExchangeState.COMPLETE if live.error is None else ExchangeState.FAILED

    def _timing(self) -> Timing:
        live = self._live
        return Timing(
            client_started_us=live.client_started_us,
            proxy_received_us=live.proxy_received_us,
            proxy_forwarded_us=live.proxy_forwarded_us,
            first_byte_us=live.first_byte_us,
            first_byte_delivered_us=live.first_byte_delivered_us,
            last_byte_us=live.last_byte_us,
            delivered_us=live.delivered_us,
            upstream_connect_us=live.upstream_connect_us,
        )
