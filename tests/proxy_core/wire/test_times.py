"""Five times per exchange on one clock, in the order in which things happened. The upstream's stamps are the witness."""

import time

import h2.connection
import pytest

from proxy_core.clock import now_us
from tests.upstreams import Conversation, H2Client, connect, h2_script, read_response, upstream

BODY = b"x" * 2000
LARGE_BODY = b"x" * 9_000_000
"""Passed on as it comes."""


def _check(exchange, asked_us: int, answering_us: int, ended_us: int, seen_us: int) -> None:
    timing = exchange.timing
    assert asked_us <= timing.client_started_us + 1000  # taken from mitmproxy's wall clock, rounded
    assert timing.client_started_us <= timing.proxy_received_us <= timing.proxy_forwarded_us
    assert timing.proxy_forwarded_us <= answering_us
    assert answering_us <= timing.first_byte_us + 1000
    assert timing.first_byte_us <= timing.first_byte_delivered_us <= timing.delivered_us
    assert timing.first_byte_us <= timing.last_byte_us <= timing.delivered_us
    assert ended_us <= timing.delivered_us
    assert timing.delivered_us <= seen_us
    assert timing.proxy_ms is not None
    assert 0 <= timing.upstream_connect_us <= timing.first_byte_us - timing.client_started_us


@pytest.mark.parametrize("body", [BODY, LARGE_BODY], ids=len)
@pytest.mark.parametrize("is_chunked", [True, False])
def test_http1(start_proxy, upstream_authority, is_chunked: bool, body: bytes) -> None:
    post = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    stamps: list[tuple[int, int]] = []

    def script(talk: Conversation) -> None:
        while talk.read_request():
            time.sleep(0.02)
            proxy.wait_noted()
            answering_us = now_us()
            if is_chunked:
                talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
                time.sleep(0.02)
                stamps.append((answering_us, now_us()))
                talk.send(b"1\r\nb\r\n0\r\n\r\n")
            else:
                talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
                time.sleep(0.02)
                stamps.append((answering_us, now_us()))
                talk.send(b"b")

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            seen = []
            for _ in range(2):
                asked_us = now_us()
                client.sendall(post)
                read_response(client)
                proxy.wait_noted()
                seen.append((asked_us, now_us()))
        finished = proxy.wait_finished(2)
    for exchange, (answering_us, ended_us), (asked_us, seen_us) in zip(finished, stamps, seen, strict=True):
        _check(exchange, asked_us, answering_us, ended_us, seen_us)
    # The connection to the API was made while the client's own was: no request waited for it.
    assert [exchange.timing.upstream_connect_us for exchange in finished] == [0, 0]


@pytest.mark.parametrize("body", [BODY, LARGE_BODY], ids=len)
def test_http2(start_proxy, upstream_authority, body: bytes) -> None:
    stamps: list[int] = []

    def respond(connection: h2.connection.H2Connection, stream: int, _headers: object, _body: bytes) -> None:
        time.sleep(0.02)
        proxy.wait_noted()
        stamps.append(now_us())
        connection.send_headers(stream, [(b":status", b"200")])
        connection.send_data(stream, b"answer", end_stream=True)

    head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/v1/messages")]
    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            seen = []
            for _ in range(2):
                asked_us = now_us()
                http2.wait(http2.request([*head, (b"content-length", b"%d" % len(body))], body))
                proxy.wait_noted()
                seen.append((asked_us, now_us()))
        finished = proxy.wait_finished(2)
    for exchange, answering_us, (asked_us, seen_us) in zip(finished, stamps, seen, strict=True):
        _check(exchange, asked_us, answering_us, answering_us, seen_us)


def test_what_cannot_be_told_is_unknown(start_proxy, upstream_authority) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, _headers: object, _body: bytes) -> None:
        connection.send_headers(stream, [(b":status", b"200")])
        connection.send_data(stream, b"answer", end_stream=True)

    head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/v1/messages")]
    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            length = (b"content-length", b"%d" % len(BODY))
            http2.wait(*(http2.request([*head, length], BODY) for _ in range(5)))
        finished = proxy.wait_finished(5)
    for exchange in finished:  # streams share one connection: whose write was the last is not guessed
        timing = exchange.timing
        assert timing.proxy_forwarded_us is None or timing.proxy_received_us <= timing.proxy_forwarded_us
        assert timing.delivered_us is not None
