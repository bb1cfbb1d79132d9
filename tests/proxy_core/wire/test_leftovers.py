"""What an exchange leaves behind: nothing that only the collector could find, whose rounds would hold up other clients."""

import gc
from collections.abc import Iterator

import h2.connection
import pytest
from mitmproxy.http import HTTPFlow

from proxy_core.certificates import Authority
from tests.upstreams import H2Client, answer_all, connect, h2_script, read_response, upstream

COUNT = 5
BODY = b"{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
STREAMED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


@pytest.fixture
def is_lean() -> bool:
    """Plain mitmproxy leaves circles."""
    return True


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def flows() -> int:
    """Say how many exchanges are in memory, those included that nobody refers to any more."""
    return sum(isinstance(each, HTTPFlow) for each in gc.get_objects())


@pytest.mark.parametrize("answer", [OK, STREAMED])
def test_an_exchange_over_http_1_goes_by_itself(start_proxy, upstream_authority: Authority, answer: bytes) -> None:
    with upstream(answer_all(answer), upstream_authority) as server:
        proxy = start_proxy()
        before = flows()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for _ in range(COUNT):
                client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n" + BODY)
                assert read_response(client) == answer
            proxy.wait_finished(COUNT)
            proxy.wait_noted()
            assert flows() - before == 1  # the tunnel, which is open
    assert proxy.feed.errors == 0


def test_an_exchange_over_http_2_goes_by_itself(start_proxy, upstream_authority: Authority) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, _headers: object, _body: bytes) -> None:
        connection.send_headers(stream, [(b":status", b"200")])
        connection.send_data(stream, b"hello", end_stream=True)

    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        before = flows()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2", "http/1.1")) as client:
            http2 = H2Client(client)
            head = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/v1/messages")]
            for _ in range(COUNT):
                (answer,) = http2.wait(http2.request([*head, (b"content-length", b"2")], BODY))
                assert answer.body == b"hello"
            proxy.wait_finished(COUNT)
            proxy.wait_noted()
            assert flows() - before == 1
    assert proxy.feed.errors == 0
