"""The stand-in over real TLS, both HTTP versions: what it records, how it answers, how it misbehaves."""

import asyncio
import contextlib
import hashlib
import json
import socket
import ssl

import httpx
import pytest

from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.events import Pace
from proxy_core.standin.scenario import Turn, scripted
from proxy_core.standin.server import ServerSettings, StandinError, StandinServer
from proxy_core.standin.wire import Journal

ASK = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Good morning"}]}


def test_a_message_comes_back_and_the_request_is_recorded_exactly(serve, client_for):
    server = serve()
    body = b'{"max_tokens":64 ,"model":"claude-opus-5-5","messages":[{"role":"user","content":"\xc3\xa9"}]}'
    reply = client_for(server).post("/v1/messages?beta=true", content=body, headers={"X-Mixed-Case": "kept"})
    assert reply.status_code == 200
    assert reply.json()["content"][0]["type"] == "text"
    (received,) = server.journal.requests
    assert received.body == body
    assert received.body_sha256 == hashlib.sha256(body).hexdigest()
    assert received.head.target == "/v1/messages?beta=true"
    assert received.head.header("x-mixed-case") == "kept"


def test_header_lines_keep_order_case_and_repetition(serve):
    server = serve()
    lines = [b"Host: localhost", b"x-API-key: k", b"Zeta: 1", b"alpha: 2", b"Zeta: 3", b"Connection: close"]
    head = b"GET /v1/models HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.plain_port)) as plain:
        plain.sendall(head)
        answer = plain.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    (received,) = server.journal.requests
    assert [b"%b: %b" % line for line in received.head.headers] == lines


def test_a_stream_comes_event_by_event(serve, client_for):
    server = serve(ApiSettings(pace=Pace(event_s=0.001)))
    with client_for(server).stream("POST", "/v1/messages", json={**ASK, "stream": True}) as reply:
        kinds = [line.removeprefix("event: ") for line in reply.iter_lines() if line.startswith("event: ")]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_delta") > 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_answers_can_be_compressed(serve, client_for, encoding, is_stream):
    client = client_for(serve(ApiSettings(content_encoding=encoding)))
    reply = client.post("/v1/messages", json={**ASK, "stream": is_stream})
    assert reply.headers["content-encoding"] == encoding
    assert "You said 12 characters" in reply.text.replace('"}}\n', "") or is_stream


@pytest.mark.parametrize(("accepted", "sent"), [("gzip, br", "br"), ("zstd;q=1, gzip", "zstd"), ("identity", None)])
def test_auto_takes_what_the_client_accepts(serve, client_for, accepted, sent):
    client = client_for(serve(ApiSettings(content_encoding="auto")))
    reply = client.post("/v1/messages", json=ASK, headers={"accept-encoding": accepted})
    assert reply.headers.get("content-encoding") == sent


def test_trailers_follow_a_stream(serve):
    server = serve(ApiSettings(trailers=((b"x-checksum", b"abc"),)))
    body = json.dumps({**ASK, "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", server.plain_port)) as plain:
        plain.sendall(
            b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            + b"%x\r\n%b\r\n0\r\nx-sent: yes\r\n\r\n" % (len(body), body)
        )
        answer = plain.makefile("rb").read()
    assert answer.endswith(b"0\r\nx-checksum: abc\r\n\r\n")
    assert server.journal.requests[0].trailers == ((b"x-sent", b"yes"),)


@pytest.mark.parametrize(("fault", "status"), [("400", 400), ("401", 401), ("429", 429), ("500", 500), ("529", 529)])
def test_errors_are_worded_like_the_apis(serve, client_for, fault, status):
    reply = client_for(serve()).post("/v1/messages", json=ASK, headers={"x-standin-fault": fault})
    assert reply.status_code == status
    assert reply.json()["type"] == "error"
    assert reply.json()["request_id"] == reply.headers["request-id"]


@pytest.mark.parametrize("fault", ["cut=2", "reset=2", "garbage"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_connections_can_break(serve, client_for, fault, is_stream):
    client = client_for(serve())
    with pytest.raises((httpx.RemoteProtocolError, httpx.NetworkError)):
        client.post("/v1/messages", json={**ASK, "stream": is_stream}, headers={"x-standin-fault": fault})
    assert client.post("/v1/messages", json=ASK).status_code == 200


def test_a_stalled_answer_never_ends(serve, client_for):
    client = client_for(serve())
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            "/v1/messages",
            json={**ASK, "stream": True},
            headers={"x-standin-fault": "stall=2"},
            timeout=httpx.Timeout(60, read=0.3),
        )


def test_a_slow_answer_is_whole(serve, client_for):
    reply = client_for(serve()).post("/v1/messages", json={**ASK, "stream": True}, headers={"x-standin-fault": "slow=0.001"})
    assert "message_stop" in reply.text


def test_an_error_can_stand_in_the_middle_of_a_stream(serve, client_for):
    reply = client_for(serve()).post("/v1/messages", json={**ASK, "stream": True}, headers={"x-standin-fault": "error_event=3"})
    assert reply.status_code == 200
    assert "event: error" in reply.text
    assert "message_stop" not in reply.text


def test_an_unknown_fault_is_refused(serve, client_for):
    reply = client_for(serve()).post("/v1/messages", json=ASK, headers={"x-standin-fault": "earthquake"})
    assert reply.status_code == 400


def test_a_body_that_is_too_long_is_refused_before_it_is_read(serve, client_for):
    server = serve(ApiSettings(max_body_bytes=1000))
    with contextlib.suppress(httpx.TransportError):  # it may be closed before the client has written all of it
        assert client_for(server).post("/v1/messages", content=b"x" * 1001).status_code == 413
    assert server.journal.requests == []


def test_a_long_body_is_hashed_and_not_kept(serve, client_for):
    server = serve(ApiSettings(max_body_bytes=10**8), journal=Journal(keep_body_bytes=1000))
    body = b"y" * 3_000_000
    reply = client_for(server).post("/v1/messages", content=body)
    assert reply.status_code == 413
    (received,) = server.journal.requests
    assert received.body is None
    assert (received.body_bytes, received.body_sha256) == (len(body), hashlib.sha256(body).hexdigest())


def test_an_answer_larger_than_the_flow_control_window_arrives(serve, client_for):
    asked = {**ASK, "messages": [{"role": "user", "content": "x"}]}
    server = serve(ApiSettings(scenario=scripted([Turn(text="é" * 3_000_000)])))
    reply = client_for(server).post("/v1/messages", json=asked, timeout=60)
    assert len(reply.json()["content"][0]["text"]) == 3_000_000


def test_head_has_no_body(serve, client_for):
    assert client_for(serve()).head("/nowhere").content == b""


def test_connect_leads_to_the_api_by_its_name(serve):
    server = serve()
    context = ssl.create_default_context(cafile=str(server.ca_path))
    with httpx.Client(http2=True, verify=context, proxy=server.proxy_url, trust_env=False, timeout=60) as client:
        reply = client.get("https://api.anthropic.com/v1/models", headers={"x-api-key": "k"})
    assert reply.status_code == 200
    assert reply.http_version == "HTTP/2"


def test_an_expired_certificate_is_refused_by_the_client(serve):
    server = serve(server_settings=ServerSettings(is_expired=True))
    context = ssl.create_default_context(cafile=str(server.ca_path))
    with (
        httpx.Client(verify=context, trust_env=False, timeout=60) as client,
        pytest.raises(httpx.ConnectError, match="expired"),
    ):
        client.get(f"{server.url}/v1/models")


def test_a_taken_port_is_an_error():
    with StandinServer(MessagesApi()) as first:
        second = StandinServer(MessagesApi(), ServerSettings(tls_port=first.tls_port))
        with pytest.raises(StandinError, match="did not start"):
            second.start()


def test_the_ca_is_gone_when_it_stopped():
    server = StandinServer(MessagesApi())
    with server:
        path = server.ca_path
    assert not path.exists()
    with pytest.raises(StandinError):
        _ = server.ca_path


def test_connections_are_counted(serve, client_for):
    server = serve()
    client = client_for(server)
    for _ in range(3):
        client.get("/v1/models")
    assert [request.head.connection_number for request in server.journal.requests] == [1, 1, 1]
    assert server.journal.connections == 1


def test_expect_100_is_answered(serve):
    server = serve()
    with socket.create_connection(("127.0.0.1", server.plain_port)) as plain:
        plain.sendall(
            b"POST /api/event_logging/x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
            b"content-length: 2\r\nconnection: close\r\n\r\n"
        )
        assert plain.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.sendall(b"{}")
        assert plain.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("turns", range(3))
def test_a_connection_that_comes_while_it_stops_is_closed(serve, turns: int) -> None:
    class Writer:
        is_closed = False

        def close(self) -> None:
            self.is_closed = True

        async def wait_closed(self) -> None:
            pass

    server, writer = serve(), Writer()
    loop = server._loop

    def come(turns_left: int) -> None:
        if turns_left:
            loop.call_soon(come, turns_left - 1)
        else:
            server._spawn(asyncio.sleep(60), writer)

    def stop_and_come() -> None:
        server._stop.set()
        come(turns)

    loop.call_soon_threadsafe(stop_and_come)
    server.stop()
    assert writer.is_closed
