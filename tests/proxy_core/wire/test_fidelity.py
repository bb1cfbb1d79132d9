"""What goes in comes out: bytes, header lists, streams, both HTTP versions, both ways."""

import gzip
import hashlib
import re
import threading
import time
import zlib

import brotli
import h2.connection
import pytest
import zstandard

from proxy_core.certificates import Authority
from proxy_core.decoding import decode_body
from proxy_core.exchange import BodyGrew, ExchangeState, ResponseStarted, Side
from proxy_core.recording import HELD_BODY_BYTES
from tests.upstreams import Conversation, H2Client, answer_all, connect, h2_script, read_response, read_until_closed, upstream

HEAD = (
    b"POST /v1/messages?beta=true HTTP/1.1\r\nHost: localhost\r\nuser-Agent: t/1\r\nX-API-Key: k1\r\nX-Twice: a\r\n"
    b"Accept-Encoding: gzip, br;q=0.5, zstd\r\nx-twice: b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
OK = b"HTTP/1.1 200 Fine\r\nX-One: 1\r\nx-ONE: 2\r\nContent-Length: 5\r\n\r\nhello"


def post(body: bytes) -> bytes:
    return HEAD % len(body) + body


@pytest.mark.parametrize("size", [0, 1, 1000, 300_000, 9 * 1024 * 1024])
def test_request_bytes_and_header_lines_arrive_unchanged(start_proxy, upstream_authority: Authority, size: int) -> None:
    body = hashlib.shake_128(b"x").digest(size)
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for _ in range(2):
                client.sendall(post(body))
                assert read_response(client) == OK
        finished = proxy.wait_finished(2)
    assert server.heads == [HEAD % size] * 2
    assert [hashlib.sha256(got).hexdigest() for got in server.bodies] == [hashlib.sha256(body).hexdigest()] * 2
    for exchange in finished:
        assert exchange.state is ExchangeState.COMPLETE
        assert exchange.request_body.wire_bytes == size
        assert exchange.request_body.wire_sha256 == hashlib.sha256(body).hexdigest()
        assert not exchange.request_body.is_truncated
        assert exchange.request_body.data == (body if size <= 8 * 1024 * 1024 else None)
        assert exchange.request.url == "https://localhost/v1/messages?beta=true"
        names = [name for name, _ in exchange.request.headers]
        assert names == re.findall(r"([\w-]+): ", (HEAD % size).decode())
        assert exchange.response is not None
        assert exchange.response.headers == (("X-One", "1"), ("x-ONE", "2"), ("Content-Length", "5"))
        assert exchange.response.reason == "Fine"
    if size > 8 * 1024 * 1024:
        for exchange in finished:
            grown = [e.data for e in proxy.events if isinstance(e, BodyGrew) and e.exchange_id == exchange.exchange_id]
            assert b"".join(grown) == body + b"hello" * (b"hello" in grown)
    assert proxy.feed.errors == 0


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("br", brotli.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("identity", bytes),
    ],
)
def test_encoded_bodies_pass_and_are_kept_as_they_came(start_proxy, upstream_authority, encoding, encode) -> None:
    encoded = encode(b'{"text": "' + b"words " * 2000 + b'"}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(encoded)}\r\n\r\n".encode()
    with upstream(answer_all(head + encoded), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(post(b"{}"))
            assert read_response(client) == head + encoded
        (finished,) = proxy.wait_finished()
    assert finished.response_body is not None
    assert finished.response_body.data == encoded
    assert not finished.response_body.is_decoded
    assert decode_body(encoded, encoding).data.startswith(b'{"text": "words')


def test_a_stream_stays_a_stream(start_proxy, upstream_authority) -> None:
    events = [b"event: delta\ndata: {%d}\n\n" % number for number in range(5)]
    seen = threading.Semaphore(0)

    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in events:
            talk.send(b"%x\r\n%s\r\n" % (len(event), event))
            assert seen.acquire(timeout=60)  # goes on only when the client has seen the event
        talk.send(b"0\r\n\r\n")
        talk.read_head()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(post(b"{}"))
            got = b""
            for event in events:
                while event not in got:
                    got += client.recv(65536)
                assert proxy.finished == []
                seen.release()
            while not got.endswith(b"\r\n0\r\n\r\n"):
                got += client.recv(65536)
        (finished,) = proxy.wait_finished()
    assert server.errors == []
    assert finished.response_body is not None
    assert finished.response_body.data == b"".join(events)


def test_what_came_of_a_running_stream_is_handed_on(start_proxy, upstream_authority) -> None:
    go_on = threading.Event()
    event = b"data: " + b"a" * 192 + b"\n\n"

    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        talk.send(b"c8\r\n" + event + b"\r\n")
        go_on.wait(60)
        talk.send(b"1\r\nb\r\n0\r\n\r\n")
        talk.read_head()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(post(b"{}"))
            got = b""
            while b"aaa" not in got:
                got += client.recv(65536)
            until = 6000
            while until and not any(isinstance(part, BodyGrew) for part in proxy.events):
                threading.Event().wait(0.01)
                until -= 1
            started = [part for part in proxy.events if isinstance(part, ResponseStarted)]
            grown = [part for part in proxy.events if isinstance(part, BodyGrew)]
            assert [part.response.status_code for part in started] == [200]
            assert grown[0].side is Side.RESPONSE
            assert b"".join(part.data for part in grown).startswith(b"data: aaa")
            go_on.set()
            while not got.endswith(b"0\r\n\r\n"):
                got += client.recv(65536)
        (finished,) = proxy.wait_finished()
    assert finished.response_body is not None
    assert finished.response_body.data == event + b"b"
    assert finished.timing.delivered_us is not None
    assert finished.timing.first_byte_delivered_us is not None
    assert finished.timing.last_byte_us is not None


def test_http2_passes_on_both_legs(start_proxy, upstream_authority) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, _headers: object, body: bytes) -> None:
        connection.send_headers(stream, [(b":status", b"200"), (b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3")])
        connection.send_data(stream, hashlib.sha256(body).digest() * 100)
        connection.send_headers(stream, [(b"x-checksum", b"abc")], end_stream=True)

    headers = [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":path", b"/v1/messages"),
        (b":authority", b"localhost"),
        (b"x-z", b"1"),
        (b"authorization", b"Bearer sk-ant-api03-secret"),
        (b"x-a", b"2"),
        (b"x-z", b"3"),
    ]
    bodies = [b"", b"a" * 10, b"b" * 300_000, b"c" * 70_000]
    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2", "http/1.1")) as client:
            assert client.selected_alpn_protocol() == "h2"
            http2 = H2Client(client)
            streams = [http2.request([*headers, (b"content-length", b"%d" % len(body))], body) for body in bodies]
            answers = http2.wait(*streams)
        finished = proxy.wait_finished(4)
    assert server.connections == 1
    for body, answer in zip(bodies, answers, strict=True):
        assert answer.headers == [(b":status", b"200"), (b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3")]
        assert answer.body == hashlib.sha256(body).digest() * 100
        assert answer.trailers == [(b"x-checksum", b"abc")]
    assert sorted(map(len, server.bodies)) == sorted(map(len, bodies))
    assert all(
        repr(head.decode()).find("x-z") > 0 and eval(head)[4:7] == headers[4:7]  # our own repr, from our own server
        for head in server.heads
    )
    by_size = {exchange.request_body.wire_bytes: exchange for exchange in finished}
    for body in bodies:
        exchange = by_size[len(body)]
        assert exchange.state is ExchangeState.COMPLETE
        assert exchange.request_body.data == body
        assert exchange.request.http_version == "HTTP/2.0"
        assert exchange.response is not None
        assert exchange.response.trailers == (("x-checksum", "abc"),)
        assert exchange.response_body is not None
        assert exchange.response_body.data == hashlib.sha256(body).digest() * 100
        assert "sk-ant" not in str(exchange.request.headers)


def test_the_client_gets_the_http_version_the_api_speaks(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority, alpn=("http/1.1",)) as server:
        proxy = start_proxy()
        for _ in range(3):  # asked first, remembered after
            with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2", "http/1.1")) as client:
                assert client.selected_alpn_protocol() == "http/1.1"
                client.sendall(post(b"{}"))
                assert read_response(client) == OK
        proxy.wait_finished(3)


@pytest.mark.parametrize(
    ("method", "response"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX: y\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: 1\r\n\r\n"),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (b"GET", b"HTTP/1.1 529 \r\nContent-Length: 2\r\n\r\nno"),
    ],
)
def test_answers_without_or_with_odd_heads(start_proxy, upstream_authority, method: bytes, response: bytes) -> None:
    with upstream(answer_all(response), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for _ in range(2):
                client.sendall(method + b" /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
                got = b""
                while not got.endswith(response[-4:]) or len(got) < len(response):
                    piece = client.recv(1000)
                    assert piece
                    got += piece
                assert got == response
        finished = proxy.wait_finished(2)
    assert all(exchange.state is ExchangeState.COMPLETE for exchange in finished)
    assert all(exchange.timing.delivered_us is not None for exchange in finished)


def test_a_body_that_ends_with_the_connection(start_proxy, upstream_authority) -> None:
    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.send(b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\n" + b"z" * 100_000)

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(post(b"{}"))
            assert read_until_closed(client) == b"HTTP/1.0 200 OK\r\nX: 1\r\n\r\n" + b"z" * 100_000
        (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.COMPLETE
    assert finished.response_body is not None
    assert finished.response_body.wire_bytes == 100_000


def test_chunked_and_continued_requests(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.sendall(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            assert read_response(client) == OK
            client.sendall(
                b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
            )
            assert read_response(client).startswith(b"HTTP/1.1 100")
            client.sendall(b"xyz")
            assert read_response(client) == OK
        finished = proxy.wait_finished(2)
    assert server.bodies == [b"abcde", b"xyz"]
    assert [exchange.request_body.data for exchange in finished] == [b"abcde", b"xyz"]


def test_fifty_megabytes_pass_both_ways_with_bounded_memory(start_proxy, upstream_authority) -> None:
    piece, count = bytes(range(256)) * 4096, 50

    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * count))
        for _ in range(count):
            talk.send(piece)
            wait_taken()
        talk.read_head()

    def wait_taken() -> None:
        """Wait until the feed has let go of what came, all but what may be held: it does so while the body still runs."""
        until = time.monotonic() + 60
        while proxy.feed.queued_bytes > HELD_BODY_BYTES + len(piece):
            assert time.monotonic() < until, f"{proxy.feed.queued_bytes} bytes stay in the feed"
            time.sleep(0.001)

    digest = hashlib.sha256(piece * count).hexdigest()
    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(HEAD % (len(piece) * count))
            for _ in range(count):
                client.sendall(piece)
                wait_taken()
            # Hashed as it comes: collecting it would measure the test's own copying.
            response, missing = hashlib.sha256(), len(piece) * count
            while missing > 0:
                got = client.recv(65536)
                assert got
                got = got.partition(b"\r\n\r\n")[2] if got.startswith(b"HTTP/1.1 200") else got
                response.update(got)
                missing -= len(got)
        (finished,) = proxy.wait_finished()
    assert response.hexdigest() == digest
    assert hashlib.sha256(server.bodies[0]).hexdigest() == digest
    assert finished.request_body.data is None
    assert finished.request_body.wire_sha256 == digest
    assert finished.response_body is not None
    assert finished.response_body.data is None
    assert finished.response_body.wire_sha256 == digest
    for side in Side:
        grown = b"".join(event.data for event in proxy.events if isinstance(event, BodyGrew) and event.side is side)
        assert hashlib.sha256(grown).hexdigest() == digest


def test_trailers_of_chunked_bodies_are_kept(start_proxy, upstream_authority, is_lean: bool) -> None:
    if not is_lean:
        pytest.skip("plain mitmproxy gives up on them (its issue 2474)")
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    response = head + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-Other: 2\r\n\r\n"
    with upstream(answer_all(response), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for _ in range(2):
                client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
                client.sendall(b"2\r\nde\r\n0\r\nX-Req: 3\r\n\r\n")
                got = b""
                while not got.endswith(b"x-Other: 2\r\n\r\n"):
                    got += client.recv(1000)
                assert got == response
        finished = proxy.wait_finished(2)
    assert server.trailers == [b"X-Req: 3"] * 2
    assert finished[0].request.trailers == (("X-Req", "3"),)
    assert finished[0].response is not None
    assert finished[0].response.trailers == (("X-Sum", "1"), ("x-Other", "2"))
    assert finished[0].state is ExchangeState.COMPLETE
