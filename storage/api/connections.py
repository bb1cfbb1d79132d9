"""One connection of the API: a request sent too slowly is not waited for, and what is no HTTP is answered as all errors are.

It must know no route: it ends where a request is whole.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from storage.api.guard import SAFE_HEADERS

_REQUEST_S = 10.0
"""From the first byte of a request (or from connecting) to its last one."""
_MOST = 256
"""Connections at a time."""


class Connection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with limits."""

    _clock: asyncio.TimerHandle | None = None
    """Runs while a request is waited for or comes in."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it."""
        super().connection_made(transport)
        if len(self.connections) > _MOST:
            self._refuse(503, "Too many connections are open", f"at most {_MOST}")
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_clock()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, "The request cannot be read", msg)

    def _watch(self) -> None:
        """Let the clock run from the begin of a request to its end; between two requests uvicorn's own does."""
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY} or self.transport.is_closing():
            self._stop_clock()
        elif self._clock is None:
            self._clock = self.loop.call_later(_REQUEST_S, self._give_up)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        self._refuse(408, "The request did not come", f"it has to be whole within {_REQUEST_S:.0f} seconds")

    def _refuse(self, status_code: int, error: str, details: str) -> None:
        """Answer, unless an answer is under way, and close."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE} and not self.transport.is_closing():
            body = json.dumps({"error": error, "details": details}).encode()
            self.transport.write(b"".join(self._written(status_code, body)))
        self.transport.close()

    def _written(self, status_code: int, body: bytes) -> list[bytes]:
        headers: list[Any] = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *SAFE_HEADERS,
        ]
        reason = HTTPStatus(status_code).phrase.encode()
        start = h11.Response(status_code=status_code, headers=headers, reason=reason)
        return [self.conn.send(event) or b"" for event in (start, h11.Data(data=body), h11.EndOfMessage())]
