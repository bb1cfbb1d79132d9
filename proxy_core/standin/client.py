"""A small client that goes through a proxy like any other: `CONNECT`, TLS, HTTP/1.1, a stream read as it comes.

It knows nothing of Assay; that its traffic is seen is due to the proxy alone.
"""

import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy_core.decoding import decode_body
from proxy_core.standin.authority import API_HOST

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReply:
    """What came back."""

    status: int
    content: Mapping[str, Any]
    """The JSON, or the message put together from a stream; empty when neither could be read."""


class ProxiedClient:
    """One connection to the API's host through a proxy, opened anew when it was closed."""

    def __init__(self, proxy_address: tuple[str, int], ca_bundle: Path) -> None:
        self._proxy_address = proxy_address
        self._context = ssl.create_default_context(cafile=str(ca_bundle))
        self._connection: http.client.HTTPSConnection | None = None

    def send(self, method: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> ClientReply:
        """Send one request and read the whole answer.

        Raises:
            OSError: the proxy could not be reached, or the connection broke.
            http.client.HTTPException: the answer was no HTTP or was cut off.
        """
        connection = self._connection or self._connect()
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if response.will_close:
            self.close()
        return ClientReply(status=response.status, content=_content(response, raw))

    def close(self) -> None:
        """Close the connection; from another thread this ends a running request too."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _connect(self) -> http.client.HTTPSConnection:
        host, port = self._proxy_address
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=self._context)
        connection.set_tunnel(API_HOST, 443)
        self._connection = connection
        return connection


def _content(response: http.client.HTTPResponse, raw: bytes) -> Mapping[str, Any]:
    data = decode_body(raw, response.getheader("content-encoding") or "").data
    if (response.getheader("content-type") or "").startswith("text/event-stream"):
        return read_stream(data)
    try:
        content = json.loads(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def read_stream(data: bytes) -> Mapping[str, Any]:
    """Put a message together from its server-sent events."""
    message: dict[str, Any] = {}
    blocks: list[dict[str, Any]] = []
    for line in data.decode().splitlines():
        if line.startswith("data: "):
            _apply(json.loads(line[6:]), message, blocks)
    for block in blocks:
        if "partial_json" in block:
            block["input"] = json.loads(block.pop("partial_json") or "{}")
    return {**message, "content": blocks} if message else {}


def _apply(event: dict[str, Any], message: dict[str, Any], blocks: list[dict[str, Any]]) -> None:
    match event["type"]:
        case "message_start":
            message.update(event["message"])
        case "content_block_start":
            blocks.append(dict(event["content_block"]))
        case "content_block_delta":
            _grow(blocks[event["index"]], event["delta"])
        case "message_delta":
            message.update(event["delta"])
            message["usage"] = {**message.get("usage", {}), **event["usage"]}


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    name = {
        "text_delta": "text",
        "thinking_delta": "thinking",
        "signature_delta": "signature",
        "input_json_delta": "partial_json",
    }[delta["type"]]
    block[name] = block.get(name, "") + delta[name]
