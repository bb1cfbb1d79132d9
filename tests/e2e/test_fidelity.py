"""Byte for byte: what the API receives and what the client receives, with and without Assay between them."""

import hashlib
import json
import socket
import ssl
from pathlib import Path

import httpx
import pytest

from proxy_core.decoding import decode_body
from proxy_core.exchange import ExchangeState
from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.scenario import Turn, scripted
from proxy_core.standin.server import StandinServer
from proxy_core.standin.wire import ReceivedRequest
from tests.e2e.rig import API_URL, whole

BODY = (
    b'{ "model":"claude-opus-5-5",  "max_tokens":64, "stream":%b,\n'
    b'"messages":[{"role":"user","content":"\\u00e9 \xc3\xa9 /\\/"}] }'
)
HEAD_LINES = (
    b"Host: api.anthropic.com",
    b"X-API-Key: sk-ant-api03-not-a-real-key",
    b"accept-encoding: zstd, gzip;q=0.3",
    b"X-Repeated: one",
    b"x-repeated:  two",
    b"X-Empty:",
    b"Content-Type: application/json",
    b"Connection: close",
)
ANSWER = scripted([Turn(thinking="Well.", text="An answer — with é, \u2028 and 🌍. " * 20)])


def talk(proxy_url: str, ca_path: Path, request: bytes) -> bytes:
    """Send raw bytes through a proxy's tunnel and return every byte that comes back."""
    host, port = proxy_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(b"CONNECT api.anthropic.com:443 HTTP/1.1\r\nHost: api.anthropic.com:443\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200")
        context = ssl.create_default_context(cafile=str(ca_path))
        with context.wrap_socket(raw, server_hostname="api.anthropic.com") as tls:
            tls.sendall(request)
            received = bytearray()
            while piece := tls.recv(65536):
                received += piece
    return bytes(received)


def unchunked(answer: bytes) -> tuple[bytes, bytes]:
    """Split an answer into head and body; where chunks begin is nobody's business."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return head, body
    joined = bytearray()
    while body:
        size, _, rest = body.partition(b"\r\n")
        joined += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return head, bytes(joined)


def received(requests: list[ReceivedRequest]) -> list[tuple[object, ...]]:
    """What of requests has to be the same on both ways."""
    return [(request.head.method, request.head.target, request.head.headers, request.body) for request in requests]


def regular(requests: list[ReceivedRequest]) -> list[tuple[object, ...]]:
    """The same for HTTP/2, where the order of the pseudo-headers among themselves is mitmproxy's."""
    return [
        (
            sorted(line for line in request.head.headers if line[0].startswith(b":")),
            [line for line in request.head.headers if not line[0].startswith(b":")],
            request.body,
        )
        for request in requests
    ]


@pytest.mark.parametrize("encoding", [None, "gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("stream", [b"true", b"false"])
@pytest.mark.parametrize("is_lean", [True, False], ids=["lean", "stock"])
def test_http1_is_the_same_as_direct(start_rig, encoding, stream, is_lean):
    settings = ApiSettings(scenario=ANSWER, content_encoding=encoding, pace=Pace(event_s=0.0005))
    body = BODY % stream
    head = b"POST /v1/messages?beta=true&x=%7E HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in HEAD_LINES)
    request = head + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    with StandinServer(MessagesApi(settings)) as direct:
        expected = talk(direct.proxy_url, direct.ca_path, request)
        sent = received(direct.journal.requests)
    rig = start_rig(settings, is_lean=is_lean)
    got = talk(rig.proxy_url, rig.ca_path, request)
    assert received(rig.standin.journal.requests) == sent
    assert unchunked(got) == unchunked(expected)
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.state is ExchangeState.COMPLETE
    assert whole(exchange.request_body) == body
    wire = unchunked(expected)[1]
    assert whole(exchange.response_body) == wire
    assert decode_body(wire, encoding).is_complete


@pytest.mark.parametrize("is_lean", [True, False], ids=["lean", "stock"])
@pytest.mark.parametrize("encoding", [None, "gzip", "br", "zstd"])
def test_http2_is_the_same_as_direct(start_rig, encoding, is_lean):
    settings = ApiSettings(scenario=ANSWER, content_encoding=encoding, trailers=((b"x-checked", b"yes"),))
    headers = [
        ("X-Api-Key", "k"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("accept-encoding", "br"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
    ]
    body = BODY % b"true"

    def ask(proxy: str, ca_path: Path) -> tuple[httpx.Headers, bytes]:
        context = ssl.create_default_context(cafile=str(ca_path))
        with (
            httpx.Client(http2=True, proxy=proxy, verify=context, trust_env=False, timeout=60) as client,
            client.stream("POST", f"{API_URL}/v1/messages?beta=true", headers=headers, content=body) as reply,
        ):
            assert reply.http_version == "HTTP/2"
            return reply.headers, b"".join(reply.iter_raw())

    with StandinServer(MessagesApi(settings)) as direct:
        expected = ask(direct.proxy_url, direct.ca_path)
    rig = start_rig(settings, is_lean=is_lean)
    got = ask(rig.proxy_url, rig.ca_path)
    assert regular(rig.standin.journal.requests) == regular(direct.journal.requests)
    assert got[0].raw == expected[0].raw
    assert got[1] == expected[1]
    (exchange,) = rig.collector.wait_for(1)
    assert whole(exchange.response_body) == expected[1]


def test_a_chunked_upload_arrives_whole(start_rig):
    rig = start_rig(ApiSettings(max_body_bytes=10**8))
    pieces = [bytes([number % 251]) * 70_000 for number in range(60)]
    with httpx.Client(proxy=rig.proxy_url, verify=rig.context(), trust_env=False, timeout=60) as client:
        reply = client.post(f"{API_URL}/v1/messages", content=iter(pieces), headers={"x-api-key": "k"})
    assert reply.status_code == 400
    (seen,) = rig.standin.journal.requests
    assert seen.body_sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.request_body.wire_sha256 == seen.body_sha256


def test_nonsense_json_passes_untouched(start_rig):
    rig = start_rig()
    body = b'{"model":"claude-opus-5-5","messages":[{"role":"user","content":"\xff\xfe"}],}'
    with httpx.Client(proxy=rig.proxy_url, verify=rig.context(), trust_env=False, timeout=60) as client:
        reply = client.post(f"{API_URL}/v1/messages", content=body, headers={"x-api-key": "k"})
    assert reply.status_code == 400
    assert rig.standin.journal.requests[0].body == body
    assert whole(rig.collector.wait_for(1)[0].request_body) == body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 529])
def test_errors_of_the_api_reach_the_client_as_they_are(start_rig, status):
    rig = start_rig()
    with httpx.Client(proxy=rig.proxy_url, verify=rig.context(), trust_env=False, timeout=60) as client:
        headers = {"x-api-key": "k", "x-standin-fault": str(status)}
        reply = client.post(f"{API_URL}/v1/messages", content=BODY % b"false", headers=headers)
    assert reply.status_code == status
    assert reply.json()["request_id"] == reply.headers["request-id"]
    (exchange,) = rig.collector.wait_for(1)
    assert exchange.state is ExchangeState.COMPLETE
    assert exchange.response is not None
    assert exchange.response.status_code == status
    assert json.loads(whole(exchange.response_body)) == reply.json()


def test_no_key_is_in_anything_captured(start_rig):
    key = "sk-ant-api03-PLANTED-0123456789abcdefghij"
    rig = start_rig()
    with httpx.Client(proxy=rig.proxy_url, verify=rig.context(), trust_env=False, timeout=60) as client:
        body = json.loads(BODY % b"false") | {"mcp_servers": [{"name": "m", "authorization_token": key}]}
        headers = {"x-api-key": key, "authorization": f"Bearer {key}", "cookie": f"s={key}"}
        client.post(f"{API_URL}/v1/messages?key={key}", json=body, headers=headers)
    assert key.encode() in (rig.standin.journal.requests[0].body or b"")
    rig.collector.wait_for(1)
    assert key not in repr(rig.collector.events)
    assert rig.collector.finished[0].request_body.is_redacted
