"""Whatever breaks, the client sees what it would have seen, and what came is recorded with the reason."""

import socket
import threading
import time
from contextlib import suppress

import h2.connection
import pytest

from proxy_core.capture import CaptureAddon
from proxy_core.certificates import open_authority
from proxy_core.client_state import ClientState
from proxy_core.exchange import ExchangeState
from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from tests.upstreams import (
    Conversation,
    H2Client,
    answer_all,
    connect,
    h2_script,
    read_response,
    read_until_closed,
    upstream,
)

POST = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def _next_request_works(proxy, port: int) -> None:
    with connect(proxy.address, ("localhost", port), proxy.ca_file) as client:
        client.sendall(POST)
        assert read_response(client) == OK


@pytest.mark.parametrize("body", [b"body", b"x" * 2_000_000], ids=len)
def test_api_refuses(start_proxy, body: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    proxy = start_proxy()
    with connect(proxy.address, ("localhost", port), proxy.ca_file) as client:
        client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert read_response(client).startswith(b"HTTP/1.1 502 ")
    (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.FAILED
    assert finished.error is not None
    assert finished.request_body.data == body
    assert finished.response is None


def test_api_has_a_certificate_nobody_signed(start_proxy, tmp_path) -> None:
    stranger = open_authority(tmp_path / "stranger")
    with upstream(answer_all(OK), stranger) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            answer = read_response(client)
        (finished,) = proxy.wait_finished()
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert server.heads == []
    assert finished.state is ExchangeState.FAILED
    assert "ertificate verify failed" in (finished.error or "")


@pytest.mark.parametrize("is_reset", [True, False])
def test_api_leaves_without_an_answer(start_proxy, upstream_authority, is_reset: bool) -> None:
    def script(talk: Conversation) -> None:
        talk.read_request()
        if talk.server.connections == 1:
            if is_reset:
                talk.reset()
            return
        talk.send(OK)
        talk.read_head()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert read_until_closed(client) == b""
        (finished,) = proxy.wait_finished()
        assert finished.state is ExchangeState.FAILED
        assert finished.error
        assert finished.response is None
        assert finished.request_body.data == b"body"
        _next_request_works(proxy, server.port)


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_api_answers_garbage(start_proxy, upstream_authority, garbage: bytes) -> None:
    with upstream(answer_all(garbage), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            read_until_closed(client)
        (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.FAILED
    assert "\n" not in (finished.error or "")


def test_api_cuts_a_stream(start_proxy, upstream_authority) -> None:
    is_seen = threading.Event()

    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        is_seen.wait(60)
        talk.reset()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            got = b""
            while not got.endswith(b"first\r\n") and (piece := client.recv(65536)):
                got += piece
            is_seen.set()
            got += read_until_closed(client)
        (finished,) = proxy.wait_finished()
    assert got == b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
    assert finished.state is ExchangeState.FAILED
    assert finished.response_body is not None
    assert finished.response_body.data == b"first"
    assert finished.response_body.is_truncated
    assert finished.error


def test_api_resets_one_http2_stream_of_two(start_proxy, upstream_authority) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, headers, _body: bytes) -> None:
        connection.send_headers(stream, [(b":status", b"200")])
        connection.send_data(stream, b"part")
        if (b":path", b"/v1/bad") in headers:
            connection.reset_stream(stream, 2)
        else:
            connection.end_stream(stream)

    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            heads = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost")]
            bad = http2.request([*heads, (b":path", b"/v1/bad")])
            good = http2.request([*heads, (b":path", b"/v1/good")])
            answers = http2.wait(bad, good)
        finished = proxy.wait_finished(2)
    assert answers[0].reset_code is not None
    assert answers[0].body in {b"part", b""}
    assert answers[1].body == b"part"
    assert answers[1].is_ended
    states = {exchange.request.url[-4:]: exchange.state for exchange in finished}
    assert states == {"/bad": ExchangeState.FAILED, "good": ExchangeState.COMPLETE}


def test_client_leaves_in_the_middle_of_a_stream(start_proxy, upstream_authority) -> None:
    is_gone = threading.Event()

    def script(talk: Conversation) -> None:
        talk.read_request()
        if talk.server.connections > 1:
            talk.send(OK)
            talk.read_head()
            return
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert talk.read_head() == b""  # the API is told at once
        is_gone.set()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        client = connect(proxy.address, ("localhost", server.port), proxy.ca_file)
        client.sendall(POST)
        got = b""
        while b"first" not in got:
            got += client.recv(65536)
        client.close()
        (finished,) = proxy.wait_finished()
        assert is_gone.wait(60)
        _next_request_works(proxy, server.port)
    assert finished.state is ExchangeState.FAILED
    assert finished.response_body is not None
    assert finished.response_body.data == b"first"
    assert finished.response_body.is_truncated


def test_client_leaves_during_its_upload(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        client = connect(proxy.address, ("localhost", server.port), proxy.ca_file)
        client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this")
        time.sleep(0.05)
        client.close()
        (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.FAILED
    assert finished.request_body.is_truncated
    assert server.heads == []


def test_early_answer_to_a_large_upload(start_proxy, upstream_authority) -> None:
    size = 10 * 1024 * 1024
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"

    def script(talk: Conversation) -> None:
        talk.read_head()
        talk.send(answer)
        talk.read_exactly(size)
        talk.read_head()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
            client.sendall(b"x" * 1000)
            assert read_response(client) == answer
            client.sendall(b"x" * (size - 1000))
            (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.COMPLETE
    assert finished.request_body.wire_bytes == size
    assert not finished.request_body.is_truncated
    assert finished.response is not None
    assert finished.response.status_code == 413


def test_a_client_is_held_up_by_an_api_that_does_not_read(start_proxy, upstream_authority) -> None:
    size = 40_000_000
    may_read = threading.Event()

    def script(talk: Conversation) -> None:
        talk.read_head()
        may_read.wait(60)
        talk.read_exactly(size)
        talk.send(OK)

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
            client.settimeout(2.0)
            taken, piece = 0, b"x" * 100_000
            with suppress(TimeoutError):
                while taken < size:
                    taken += client.send(piece)
            assert taken < size / 2, "what nobody takes is not heaped up"
            client.settimeout(60)
            may_read.set()
            while taken < size:
                taken += client.send(piece[: size - taken])
            assert read_response(client) == OK


@pytest.mark.parametrize(
    ("where", "hook"),
    [
        (CaptureAddon, "_live"),
        (CaptureAddon, "_is_recorded"),
        (ClientState, "note_forwarded"),
        (CaptureAddon, "_expect_end"),
    ],
)
def test_a_bug_in_capturing_touches_no_traffic(start_proxy, upstream_authority, monkeypatch, where: type, hook: str) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug with sk-ant-api03-abcdef in it")

    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        monkeypatch.setattr(where, hook, broken, raising=False)
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for _ in range(2):
                client.sendall(POST)
                assert read_response(client) == OK
        if hook != "_is_recorded":  # an attribute of the instance hides it
            assert proxy.feed.errors > 0
            assert "sk-ant" not in (proxy.feed.last_error or "")
        monkeypatch.undo()


def test_a_full_feed_drops_recordings_not_bytes(start_proxy, upstream_authority) -> None:
    feed = CaptureFeed(Redactor(b"k" * 16), limit_bytes=3)
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy(feed=feed)
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert read_response(client) == OK
        (finished,) = proxy.wait_finished()
    assert finished.request_body.is_truncated
    assert finished.response_body is not None
    assert finished.response_body.is_truncated


def test_pause_and_resume(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for step in (None, proxy.feed.pause, proxy.feed.resume):
                if step:
                    step()
                client.sendall(POST)
                assert read_response(client) == OK
        proxy.wait_finished(2)
    assert proxy.feed.captured == 2
    assert len(server.heads) == 3


def test_an_upgraded_connection_is_left_alone(start_proxy, upstream_authority) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

    def script(talk: Conversation) -> None:
        talk.read_head()
        talk.send(switched)
        while data := talk.connection.recv(100):
            talk.send(data[::-1])

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(
                b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGVzdA==\r\n\r\n"
            )
            assert read_response(client) == switched
            for message in (b"\x00raw", b"\xffbytes"):
                client.sendall(message)
                assert client.recv(100) == message[::-1]
    (finished,) = proxy.wait_finished()
    assert finished.response is not None
    assert finished.response.status_code == 101


def test_nothing_of_it_reaches_the_screen_or_the_log_raw(start_proxy, upstream_authority, capfd) -> None:
    secret = b"sk-ant-api03-PLANTEDKEYPLANTED"
    with upstream(answer_all(b"GARBAGE " + secret + b"\r\n\r\n"), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST.replace(b"Host", b"x-api-key: " + secret + b"\r\nHost"))
            read_until_closed(client)
        proxy.wait_finished()
    shown = capfd.readouterr()
    assert shown.err == ""
    assert shown.out == ""
    assert secret.decode() not in repr(proxy.events)
    assert secret.decode() not in "\n".join(proxy.thread.log.lines)


def test_stopping_lets_running_exchanges_end(start_proxy, upstream_authority) -> None:
    is_asked = threading.Event()

    def script(talk: Conversation) -> None:
        talk.read_request()
        is_asked.set()
        time.sleep(0.3)
        talk.send(OK)
        talk.read_head()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert is_asked.wait(60)
            stopper = threading.Thread(target=proxy.thread.stop, args=(60,))
            stopper.start()
            assert read_response(client) == OK
            stopper.join(90)
        (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.COMPLETE
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(proxy.address, timeout=1)


def test_stopping_cuts_what_does_not_end(start_proxy, upstream_authority) -> None:
    def script(talk: Conversation) -> None:
        talk.read_request()
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n")
        talk.read_head()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            got = b""
            while b"part" not in got and (piece := client.recv(65536)):
                got += piece
            proxy.thread.stop(drain_s=0.05)
            assert b"part" in got
            assert read_until_closed(client) == b""
        (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.FAILED
    assert finished.response_body is not None
    assert finished.response_body.data == b"part"
    assert finished.response_body.is_truncated


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST /v1/messages\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\n: no name\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_garbage_from_the_client_breaks_nothing_else(start_proxy, upstream_authority, garbage: bytes) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(garbage)
            read_until_closed(client, 0.3)
        with socket.create_connection(proxy.address) as client:
            client.sendall(garbage)
            read_until_closed(client, 0.3)
        _next_request_works(proxy, server.port)
        until = time.monotonic() + 60
        while not any(exchange.state is ExchangeState.COMPLETE for exchange in proxy.finished):
            assert time.monotonic() < until
            time.sleep(0.01)
    assert proxy.thread.is_alive


def test_a_key_planted_everywhere_is_nowhere_in_what_comes_out(start_proxy, upstream_authority, capfd) -> None:
    key = b"sk-ant-api03-PLANTED-PLANTED-PLANTED"
    answer = (
        b"HTTP/1.1 401 "
        + key
        + b"\r\nSet-Cookie: session=PLANTEDCOOKIE\r\nX-Echo: "
        + key
        + b"\r\nLocation: https://h/?key=PLANTEDPARAM\r\n"
    )
    body = b'{"error": "invalid key ' + key + b'"}'
    answer += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    asked = b'{"mcp_servers": [{"authorization_token": "PLANTEDTOKEN"}], "text": "' + key.replace(b"-", b"\\u002d") + b'"}'
    request = (
        b"POST /v1/messages?api_key=PLANTEDQUERY HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer PLANTEDBEARER\r\n"
        b"X-Amz-Security-Token: PLANTEDAMZ\r\nCookie: a=PLANTEDCOOKIE\r\nContent-Length: %d\r\n\r\n%s" % (len(asked), asked)
    )
    with upstream(answer_all(answer), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(request)
            assert read_response(client) == answer  # the client gets every byte of it
        (finished,) = proxy.wait_finished()
    assert asked in server.bodies
    shown = capfd.readouterr()
    everything = repr(proxy.events) + "".join(proxy.thread.log.lines) + shown.out + shown.err
    assert "PLANTED" not in everything
    assert finished.request_body.is_redacted
    assert finished.request_body.wire_bytes == len(asked)
    assert finished.response_body is not None
    assert finished.response_body.is_redacted
