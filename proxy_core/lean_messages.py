"""Messages on the way through mitmproxy: header lines found without searching, and a chunked body's trailers.

Part of `lean_master.py`: its versions, its switch, its differential tests.
"""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import h11
from h11._readers import ChunkedReader
from mitmproxy import http
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http import _events, _http1
from mitmproxy.proxy.layers.http._base import ReceiveHttp

__all__ = ["MESSAGE_PATCHES"]


class _TrailerReader(ChunkedReader):
    """Keeps a chunked body's trailers aside: mitmproxy gives up on a body that has some, and the client hangs."""

    trailers: tuple[tuple[bytes, bytes], ...] = ()

    def __call__(self, buffer: Any) -> Any:
        event = super().__call__(buffer)
        if isinstance(event, h11.EndOfMessage) and event.headers:
            self.trailers = tuple(event.headers.raw_items())
            return h11.EndOfMessage()
        return event


def _read_body(self: Any, event: events.Event) -> Iterator[commands.Command]:
    kind = _events.ResponseTrailers if isinstance(self, _http1.Http1Client) else _events.RequestTrailers
    for command in _stock_read_body(self, event):
        trailers = getattr(self.body_reader, "trailers", ())
        if trailers and isinstance(command, ReceiveHttp) and isinstance(command.event, self.ReceiveEndOfMessage):
            yield ReceiveHttp(kind(self.stream_id, http.Headers(trailers)))
        yield command


def _sending_trailers(stock_send: Callable[..., Iterator[commands.Command]]) -> Callable[..., Iterator[commands.Command]]:
    def send(self: Any, event: Any) -> Iterator[commands.Command]:
        if isinstance(event, _events.RequestTrailers | _events.ResponseTrailers):
            self.assay_trailers = event.trailers.fields
            return
        trailers = self.__dict__.pop("assay_trailers", ())
        for command in stock_send(self, event):
            if trailers and isinstance(command, commands.SendData) and command.data == b"0\r\n\r\n":
                lines = b"".join(b"%s: %s\r\n" % line for line in trailers)
                command.data = b"0\r\n%s\r\n" % lines
            yield command

    return send


def _known(self: http.Headers) -> dict[str, list[str]]:
    """Return the values by name, in lower case; made anew when the fields are others."""
    known = self.__dict__.get("assay_values")
    if known is None or known[0] is not self.fields:
        known = self.__dict__["assay_values"] = self.fields, _by_name(self.fields)
    values: dict[str, list[str]] = known[1]
    return values


def _by_name(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name.lower().decode("latin-1"), []).append(value.decode("utf-8", "surrogateescape"))
    return values


def _get_all(self: http.Headers, name: str | bytes) -> list[str]:
    if type(name) is str and name.isascii():
        return list(_known(self).get(name.lower(), ()))
    wanted = (name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name).lower()
    return [value.decode("utf-8", "surrogateescape") for key, value in self.fields if key.lower() == wanted]


def _get(self: http.Headers, name: str | bytes, default: Any = None) -> Any:
    values = _known(self).get(name.lower()) if type(name) is str and name.isascii() else _get_all(self, name)
    return default if not values else values[0] if len(values) == 1 else ", ".join(values)


def _contains(self: http.Headers, name: object) -> bool:
    return _get(self, name) is not None if isinstance(name, str | bytes) else False


_stock_read_body = _http1.Http1Connection.read_body

MESSAGE_PATCHES: tuple[tuple[Any, str, Any], ...] = (
    # The same answer without four calls per header line; every layer asks a dozen times per message.
    (http.Headers, "get_all", _get_all),
    (http.Headers, "get", _get),
    (http.Headers, "__contains__", _contains),
    (_http1, "ChunkedReader", _TrailerReader),
    (_http1.Http1Connection, "read_body", _read_body),
    (_http1.Http1Server, "send", _sending_trailers(_http1.Http1Server.send)),
    (_http1.Http1Client, "send", _sending_trailers(_http1.Http1Client.send)),
)
