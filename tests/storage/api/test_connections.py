"""Connections by hand: slow ones end, what is no HTTP gets the envelope, and there are not too many."""

import http.client
import json
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from tests.storage.api.conftest import TOKEN

HEAD = f"Host: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
POST = b"POST /api/claude/feedback HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"


@pytest.fixture
def quick(monkeypatch):
    """Waits little for a request."""
    monkeypatch.setattr("storage.api.connections._REQUEST_S", 0.3)


def connect(api):
    return socket.create_connection(("127.0.0.1", api.port), timeout=60)


def answer_to(api, data):
    """Send exactly these bytes; return status, fields and headers of the answer."""
    with connect(api) as connection:
        connection.sendall(data)
        return read(connection)


def read(connection):
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    body = answer.read()
    return answer.status, json.loads(body) if body else None, answer.headers


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nX: ",
        POST + b"Content-Length: 100\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
def test_whoever_sends_too_slowly_is_not_waited_for(quick, api, beginning):
    status, fields, headers = answer_to(api, beginning)
    assert (status, set(fields), headers["connection"]) == (408, {"error", "details"}, "close")


def test_dripping_does_not_keep_a_connection(quick, api):
    with connect(api) as connection:
        connection.settimeout(0.02)
        received, until = None, time.monotonic() + 60
        while received is None and time.monotonic() < until:
            with suppress(TimeoutError):
                connection.sendall(b"G")
                received = connection.recv(12)
    assert received == b"HTTP/1.1 408"


def clocks(api):
    """What runs for each connection: it is refused when that is over, however soon that is."""
    return {connection._clock for connection in api._server.server_state.connections}


def test_between_two_requests_and_while_an_answer_runs_nobody_is_hurried(api):
    with connect(api) as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert read(connection)[0] == 200
            assert clocks(api) == {None}
    with connect(api) as connection:
        connection.sendall(b"GET /api/claude/events HTTP/1.1\r\n" + HEAD + b"\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert clocks(api) == {None}
        assert api._context.streams == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_in_the_envelope(api, data):
    status, fields, headers = answer_to(api, data)
    assert (status, set(fields), headers["content-type"]) == (400, {"error", "details"}, "application/json")
    assert headers["x-content-type-options"] == "nosniff"


def test_an_answer_under_way_is_not_answered_twice(api):
    with connect(api) as connection:
        connection.sendall(b"GET /api/claude/events HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        received = connection.recv(12)
        connection.sendall(b"zz\r\n")
        while piece := connection.recv(4096):
            received += piece
    assert received.startswith(b"HTTP/1.1 200")
    assert b"400" not in received


def test_too_many_connections_are_refused(api, monkeypatch):
    monkeypatch.setattr("storage.api.connections._MOST", 3)
    with ExitStack() as stack:
        first = [stack.enter_context(connect(api)) for _ in range(3)]
        for connection in first:
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n")
            assert read(connection)[0] == 200
        status, fields, _ = answer_to(api, b"")
        assert (status, set(fields)) == (503, {"error", "details"})


def test_no_two_streams_take_the_last_place(api, monkeypatch):
    monkeypatch.setattr("storage.api.routes.events._MAX_STREAMS", 4)
    with ExitStack() as stack:
        opened = [stack.enter_context(connect(api)) for _ in range(10)]
        for connection in opened:
            connection.sendall(b"GET /api/claude/events HTTP/1.1\r\n" + HEAD + b"\r\n")
        statuses = [connection.recv(12)[-3:] for connection in opened]
        assert (statuses.count(b"200"), statuses.count(b"503")) == (4, 6)
    for _ in range(3000):
        if api._context.streams == 0:
            break
        api.notify()
        time.sleep(0.02)
    assert api._context.streams == 0


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "PURGE", "get", "CONNECT", "X" * 50])
@pytest.mark.parametrize("path", ["/api/claude/requests", "/healthz", "/metrics", "/openapi.json"])
def test_other_methods_are_refused_in_the_envelope(api, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)
    try:
        connection.request(method, path, headers={"authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        body = answer.read()
        if method == "HEAD" and path == "/openapi.json":
            assert (answer.status, body) == (200, b"")
        else:
            assert answer.status == 405
            assert "GET" in answer.headers["allow"]
            assert body == b"" if method == "HEAD" else set(json.loads(body)) == {"error", "details"}
    finally:
        connection.close()
