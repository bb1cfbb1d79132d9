"""What plain mitmproxy keeps from a client: it gets here what the API itself would have given it."""

import threading
from collections.abc import Callable

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hyperframe.frame import GoAwayFrame

from proxy_core.exchange import ExchangeState
from tests.upstreams import Conversation, H2Answer, H2Client, connect, h2_script, read_response, upstream

POST = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HEAD = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/v1/messages")]


@pytest.fixture
def is_lean() -> bool:
    """Plain mitmproxy is not mended."""
    return True


def _go_away(connection: h2.connection.H2Connection, last_stream_id: int, error_code: int = 0) -> None:
    """Say that no more requests are taken, as servers do that answer what they have begun to; h2 can only break off."""
    connection._data_to_send += GoAwayFrame(0, last_stream_id=last_stream_id, error_code=error_code).serialize()


def _answer(connection: h2.connection.H2Connection, stream: int, *parts: bytes) -> None:
    connection.send_headers(stream, [(b":status", b"200")])
    for part in parts:
        connection.send_data(stream, part)
    connection.end_stream(stream)


@pytest.mark.parametrize(
    "announced",
    [
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nx-Two: 2\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 102 Processing\r\nX: 1\r\n\r\n"],
    ],
)
@pytest.mark.parametrize("piece_bytes", [1, 40, 10_000])
def test_what_announces_an_answer_is_passed_on(start_proxy, upstream_authority, announced, piece_bytes) -> None:
    answer = b"".join(announced) + OK

    def script(talk: Conversation) -> None:
        while talk.read_request():
            for start in range(0, len(answer), piece_bytes):
                talk.send(answer[start : start + piece_bytes])

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            for _ in range(2):
                client.sendall(POST)
                got = b""
                while len(got) < len(answer):
                    got += read_response(client) or pytest.fail(f"only {got!r} came")
                assert got == answer
        finished = proxy.wait_finished(2)
    assert [exchange.response.status_code for exchange in finished] == [200, 200]
    assert server.connections == 1


def test_an_api_that_goes_away_in_good_order_ends_its_answers(start_proxy, upstream_authority) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, _headers, body: bytes) -> None:
        if body == b"goes on":
            return
        _go_away(connection, last_stream_id=3)
        for each in (1, 3):
            _answer(connection, each, b"one", b"two")

    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            for _ in range(2):
                answers = http2.wait(http2.request(HEAD, b"goes on"), http2.request(HEAD, b"the last"))
                assert [(answer.body, answer.is_ended) for answer in answers] == [(b"onetwo", True)] * 2
        finished = proxy.wait_finished(4)
    assert [exchange.state for exchange in finished] == [ExchangeState.COMPLETE] * 4
    assert server.connections == 2


@pytest.mark.parametrize("is_running", [True, False], ids=["while it answers", "before it is asked again"])
def test_an_api_that_goes_away_is_left_when_all_is_answered(start_proxy, upstream_authority, is_running: bool) -> None:
    is_left = threading.Event()

    def respond(connection: h2.connection.H2Connection, stream: int, _headers, _body: bytes) -> None:
        if is_running:
            _go_away(connection, last_stream_id=stream)
        _answer(connection, stream, b"done")
        if not is_running:
            _go_away(connection, last_stream_id=stream)

    def script(talk: Conversation) -> None:
        h2_script(respond)(talk)
        is_left.set()

    with upstream(script, upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            (answer,) = http2.wait(http2.request(HEAD, b"x"))
            assert (answer.body, answer.is_ended) == (b"done", True)
            assert is_left.wait(60)
            (answer,) = http2.wait(http2.request(HEAD, b"x"))
            assert (answer.body, answer.is_ended) == (b"done", True)
    assert server.connections == 2


@pytest.mark.parametrize("limit", [100, 1], ids=["sent", "waiting for its turn"])
def test_what_came_too_late_for_an_api_that_goes_away_is_refused(start_proxy, upstream_authority, limit: int) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, _headers, body: bytes) -> None:
        if body == b"first":
            connection.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: limit})
            _answer(connection, stream, b"done")
        elif stream == 5 or limit == 1:
            _go_away(connection, last_stream_id=3)
            _answer(connection, 3, b"done")

    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            http2.wait(http2.request(HEAD, b"first"))
            answers = http2.wait(http2.request(HEAD, b"in time"), http2.request(HEAD, b"late"))
        proxy.wait_finished(3)
    assert answers[0].body == b"done"
    assert answers[0].is_ended
    assert answers[1].reset_code is not None


def test_an_api_that_goes_away_for_an_error_has_broken_off(start_proxy, upstream_authority) -> None:
    def respond(connection: h2.connection.H2Connection, stream: int, _headers, _body: bytes) -> None:
        _go_away(connection, last_stream_id=0, error_code=2)

    with upstream(h2_script(respond), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            (answer,) = http2.wait(http2.request(HEAD, b"x"))
        (finished,) = proxy.wait_finished()
    assert answer.reset_code is not None
    assert finished.state is ExchangeState.FAILED


def _refuse_early(body: bytes) -> Callable[[Conversation], None]:
    """Answer one request when its head has come, as fast as the client takes it."""

    def script(talk: Conversation) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        connection.initiate_connection()
        left = body
        while data := talk.connection.recv(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    connection.send_headers(1, [(b":status", b"413")])
                elif isinstance(event, h2.events.StreamEnded):
                    talk.server.bodies.append(b"whole")
            while left and 1 in connection.streams:
                connection.send_data(1, left[:16_000], end_stream=len(left) <= 16_000)
                left = left[16_000:]
            talk.send(connection.data_to_send())

    return script


@pytest.mark.parametrize("size", [3, 60_000])
def test_an_answer_may_be_whole_before_its_request_is(start_proxy, upstream_authority, size: int) -> None:
    with upstream(_refuse_early(b"y" * size), upstream_authority) as server:
        proxy = start_proxy()
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file, ("h2",)) as client:
            http2 = H2Client(client)
            http2.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 10_000})
            http2.answers[1] = answer = H2Answer()
            http2.h2.send_headers(1, HEAD)
            http2.h2.send_data(1, b"begun")
            http2.wait(1)
            assert (answer.headers, answer.body, answer.is_ended) == ([(b":status", b"413")], b"y" * size, True)
            http2.h2.end_stream(1)
            http2._flush()
            (finished,) = proxy.wait_finished()
    assert server.bodies == [b"whole"]
    assert finished.state is ExchangeState.COMPLETE
    assert finished.response_body is not None
    assert finished.response_body.wire_bytes == size
