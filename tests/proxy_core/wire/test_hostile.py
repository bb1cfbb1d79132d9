"""Clients and APIs that mean harm: nothing crashes, grows or hangs, bytes pass, and the next request works."""

import gzip
import json
import socket
import zlib

import brotli
import pytest
import zstandard

from proxy_core import decoding
from proxy_core.exchange import ExchangeState
from tests.upstreams import answer_all, connect, read_response, read_until_closed, upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
POST = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
ZEROS = 20_000_000


def check_alive(proxy, port: int, count: int) -> None:
    """Send one more request, which must pass and be recorded."""
    with connect(proxy.address, ("localhost", port), proxy.ca_file) as client:
        client.sendall(POST)
        assert read_response(client) == OK
    assert proxy.wait_finished(count)
    assert proxy.feed.errors == 0, proxy.feed.last_error


@pytest.mark.parametrize(
    ("head", "is_passed"),
    [
        (b"Host: localhost\r\nHost: localhost\r\n", True),
        (b"Host: localhost\r\nhost: evil.example\r\n", True),
        (b"Host: user:secret@localhost\r\n", False),
        (b"Host: [x\r\n", False),
        (b"Host: [::1]:1\r\n", False),
        (b"Host: \xff\x1b]0;x\x07\r\n", False),
        (b"Host: " + b"a" * 5000 + b"\r\n", False),
        (b"Host: localhost:99999999\r\n", False),
        (b"Host: sk-ant-api03-PLANTED\r\n", False),
        (b"", False),
    ],
    ids=["same twice", "two", "user", "bracket", "address", "escape", "long", "port", "key", "none"],
)
def test_odd_hosts_pass_and_are_recorded_by_the_machine_that_is_asked(start_proxy, upstream_authority, head, is_passed) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.1\r\n" + head + b"Content-Length: 2\r\n\r\n{}")
            answer = read_response(client)
        if answer != OK and not is_passed:  # what mitmproxy itself refuses is answered by it, and never reached the API
            assert answer.startswith(b"HTTP/1.1 400")
            assert server.heads == []
            check_alive(proxy, server.port, 1)
            return
        assert answer == OK
        assert server.heads[0].count(b"\r\n") == 3 + head.count(b"\r\n")
        check_alive(proxy, server.port, 2)
    shown = proxy.finished[0].request.url
    assert shown.endswith("/v1/messages")
    assert "secret" not in shown
    assert "PLANTED" not in shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    "lines",
    [
        b"X-Large: " + b"a" * 60_000 + b"\r\n",
        b"".join(b"X-%d: %d\r\n" % (number, number) for number in range(1000)),
        b"X-Escape: \x1b[2J\x1b]0;title\x07\r\n",
        b"X-Empty:\r\nX-Spaces:    a   b  \r\n",
        b"Content-Encoding: " + b"gzip, " * 2000 + b"br\r\n",
        b"Content-Type: text/event-stream; charset=\xff\r\n",
    ],
    ids=["large", "many", "escape", "spaces", "encodings", "type"],
)
def test_odd_headers_arrive_and_are_recorded(start_proxy, upstream_authority, lines: bytes) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST.replace(b"Content-Length", lines + b"Content-Length"))
            assert read_response(client) == OK
        assert len(server.heads[0].split(b"\r\n")) == len(POST.split(b"\r\n")) + lines.count(b"\r\n")
        check_alive(proxy, server.port, 2)
    assert len(proxy.finished[0].request.headers) == 2 + lines.count(b"\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"CONNECT localhost HTTP/1.1\r\n\r\n",
        b"CONNECT localhost:0 HTTP/1.1\r\n\r\n",
        b"CONNECT localhost:99999 HTTP/1.1\r\n\r\n",
        b"CONNECT [::1 HTTP/1.1\r\n\r\n",
        b"CONNECT " + b"a" * 70_000 + b":443 HTTP/1.1\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"GET http://[x/ HTTP/1.1\r\nHost: y\r\n\r\n",
        b"GET https://user:pw@localhost:1/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\x00" * 1000,
        b"G" * 200_000,
        b"POST http://localhost:1/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST http://localhost:1/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_odd_first_lines_break_nothing_else(start_proxy, upstream_authority, sent: bytes) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with socket.create_connection(proxy.address, timeout=60) as client:
            client.sendall(sent)
            read_until_closed(client, 0.5)
        check_alive(proxy, server.port, 1)


def test_requests_in_one_write_are_answered_in_turn(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST * 5)
            got = b""
            while len(got) < len(OK * 5) and (piece := client.recv(65536)):
                got += piece
            assert got + read_until_closed(client, 0.1) == OK * 5
        check_alive(proxy, server.port, 6)


def test_the_oldest_version_of_http(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
            assert read_response(client).endswith(b"hello")
        check_alive(proxy, server.port, 2)
    assert proxy.finished[0].request.url.endswith("/v1/messages")


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("zstd, br", lambda data: brotli.compress(zstandard.compress(data))),
    ],
)
def test_bombs_pass_and_are_cut_where_they_are_kept(start_proxy, upstream_authority, monkeypatch, name, compress) -> None:
    monkeypatch.setattr(decoding.decode_body, "__defaults__", (1_000_000,))
    bomb = compress(bytes(ZEROS))
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (name.encode(), len(bomb)) + bomb
    with upstream(answer_all(answer), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert read_response(client) == answer
        (finished,) = proxy.wait_finished()
    body = finished.response_body
    assert finished.state is ExchangeState.COMPLETE
    assert body is not None
    assert body.is_truncated
    assert body.is_decoded
    assert len(body.data or b"") == 1_000_000
    assert body.wire_bytes == len(bomb)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000,
        json.dumps({"messages": "\ud800\x1b[2J"}).encode(),
        b"\xff\xfe\x00",
        b'{"model":"\\ud800"}',
        b"data: " + b"x" * 3_000_000,
        b"data: {}\n" * 100_000,
    ],
)
@pytest.mark.parametrize("content_type", [b"application/json", b"text/event-stream", b"application/vnd.amazon.eventstream"])
def test_odd_bodies_pass_and_are_kept_to_the_byte(start_proxy, upstream_authority, body: bytes, content_type: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (content_type, len(body)) + body
    with upstream(answer_all(answer), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert read_response(client) == answer
        (finished,) = proxy.wait_finished()
        assert server.bodies[0] == body
    assert finished.request_body.data == body
    assert finished.response_body is not None
    assert finished.response_body.data == body
    assert proxy.feed.errors == 0
