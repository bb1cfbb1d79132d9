"""What is decrypted and what is not, the ways in and out, and what is refused before anything starts."""

import asyncio
import base64
import contextlib
import datetime as dt
import socket
import threading
from collections.abc import Iterator

import mitmproxy_rs
import pytest
from cryptography import x509
from mitmproxy.proxy import mode_servers

from proxy_core.certificates import open_authority
from proxy_core.errors import AuthorityError, ListenError, ProxySettingsError, ProxyStoppedError
from proxy_core.exchange import CaptureMode, ExchangeState
from proxy_core.feed import CaptureFeed
from proxy_core.redact import Redactor
from proxy_core.server import ProxySettings, ProxyThread
from tests.upstreams import Conversation, answer_all, connect, read_response, read_until_closed, upstream

POST = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def _issuer(client) -> str:
    der = client.getpeercert(binary_form=True)
    certificate = x509.load_der_x509_certificate(der)
    return certificate.issuer.rfc4514_string() + certificate.fingerprint(certificate.signature_hash_algorithm).hex()


def test_another_host_is_tunnelled_with_its_own_certificate(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        direct = connect(None, ("127.0.0.1", server.port), upstream_authority.certificate_path)
        with direct:
            seen_directly = _issuer(direct)
        proxy = start_proxy()  # decrypts `localhost`, not 127.0.0.1
        with connect(proxy.address, ("127.0.0.1", server.port), upstream_authority.certificate_path) as client:
            assert _issuer(client) == seen_directly
            client.sendall(POST)
            assert read_response(client) == OK
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            assert _issuer(client) != seen_directly
            client.sendall(POST)
            assert read_response(client) == OK
        proxy.wait_finished(1)
    assert proxy.feed.captured == 1


def test_a_tunnelled_protocol_may_begin_with_the_server(start_proxy) -> None:
    def script(talk: Conversation) -> None:
        talk.send(b"SSH-2.0-greeting\r\n")
        talk.send(talk.connection.recv(100)[::-1])

    with upstream(script, None) as server:
        proxy = start_proxy()
        with socket.create_connection(proxy.address) as client:
            client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % server.port)
            got = b""
            while b"greeting\r\n" not in got:
                piece = client.recv(100)
                assert piece
                got += piece
            client.sendall(b"\x00abc")
            assert client.recv(100) == b"cba\x00"


def test_a_tunnel_that_cannot_be_opened_ends_its_connection(start_proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    proxy = start_proxy()
    with socket.create_connection(proxy.address, timeout=60) as client:
        client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % port)
        answer = read_until_closed(client, 60)
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"\r\nConnection: close\r\n" in answer
    assert not any("crash" in line for line in proxy.thread.log.lines)


def test_a_tunnel_of_letters_holds_up_nobody(start_proxy) -> None:
    letters = b"x" * 300_000

    def script(talk: Conversation) -> None:
        talk.read_exactly(len(letters))
        talk.send(b"all")

    with upstream(script, None) as server:
        proxy = start_proxy()
        with socket.create_connection(proxy.address, timeout=60) as client:
            client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % server.port)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            client.sendall(letters)
            assert client.recv(100) == b"all"
    assert server.bodies == [letters]


def test_plain_http_to_another_host_is_passed_on_unrecorded(start_proxy) -> None:
    with upstream(answer_all(OK), None) as server:
        proxy = start_proxy()
        with socket.create_connection(proxy.address) as client:
            client.sendall(b"GET http://127.0.0.1:%d/x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (server.port, server.port))
            assert read_response(client) == OK
    assert server.heads == [b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % server.port]
    assert proxy.feed.captured == 0


@pytest.mark.parametrize("path", ["", "/gateway/anthropic"])
def test_reverse_mode(start_proxy, upstream_authority, path: str) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy(mode=CaptureMode.REVERSE, reverse_url=f"https://localhost:{server.port}{path}", intercept_hosts=())
        with socket.create_connection(proxy.address) as client:
            for _ in range(2):
                client.sendall(POST)
                assert read_response(client) == OK
        finished = proxy.wait_finished(2)
    assert server.heads[0].startswith(f"POST {path}/v1/messages HTTP/1.1\r\nHost: localhost:{server.port}\r\n".encode())
    assert finished[0].request.url == f"https://localhost:{server.port}{path}/v1/messages"
    assert finished[0].mode is CaptureMode.REVERSE
    assert finished[0].timing.proxy_forwarded_us is not None
    # Nobody knew of the request before it came, so it waited for the connection; the next one did not.
    waited_us = [exchange.timing.upstream_connect_us for exchange in finished]
    assert waited_us[0] > 0
    assert waited_us[1] == 0
    assert waited_us[0] <= finished[0].timing.proxy_forwarded_us - finished[0].timing.client_started_us


def test_reverse_mode_says_when_the_api_cannot_be_reached(start_proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    proxy = start_proxy(mode=CaptureMode.REVERSE, reverse_url=f"https://localhost:{port}")
    with socket.create_connection(proxy.address) as client:
        client.sendall(POST)
        assert read_response(client).startswith(b"HTTP/1.1 502")
    (finished,) = proxy.wait_finished()
    assert finished.state is ExchangeState.FAILED


class _LocalStream:
    """Has what a stream of local capture has, and nothing else."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def __getattr__(self, name: str) -> object:
        if name not in dir(mitmproxy_rs.Stream):
            raise AttributeError(name)
        return getattr(self._reader if name == "read" else self._writer, name)


def test_clients_come_as_they_do_in_local_mode(start_proxy, upstream_authority, monkeypatch) -> None:
    handle = mode_servers.ServerInstance.handle_stream

    async def handle_local(instance: mode_servers.ServerInstance, *sides: object) -> None:
        stream = _LocalStream(*sides)
        await handle(instance, stream, stream)

    monkeypatch.setattr(mode_servers.ServerInstance, "handle_stream", handle_local)
    body = b"z" * 3_000_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with upstream(answer_all(answer), upstream_authority) as server:
        proxy = start_proxy(mode=CaptureMode.REVERSE, reverse_url=f"https://localhost:{server.port}")
        with socket.create_connection(proxy.address, timeout=60) as client:
            for _ in range(2):
                client.sendall(POST)
                assert read_response(client) == answer
        finished = proxy.wait_finished(2)
    assert [exchange.state for exchange in finished] == [ExchangeState.COMPLETE] * 2
    assert proxy.feed.errors == 0, proxy.feed.last_error


@contextlib.contextmanager
def _other_proxy() -> Iterator[tuple[int, list[bytes]]]:
    heads: list[bytes] = []

    def script(talk: Conversation) -> None:
        head = talk.read_head()
        heads.append(head)
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as target:
            talk.send(b"HTTP/1.1 200 OK\r\n\r\n")

            def back() -> None:
                with contextlib.suppress(OSError):
                    while data := target.recv(65536):
                        talk.send(data)

            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            with contextlib.suppress(OSError):
                while data := talk.connection.recv(65536):
                    target.sendall(data)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_RDWR)
            thread.join(5)

    with upstream(script, None) as server:
        yield server.port, heads


@pytest.mark.parametrize("by", ["option", "environment"])
def test_through_another_proxy(start_proxy, upstream_authority, by: str) -> None:
    with upstream(answer_all(OK), upstream_authority) as server, _other_proxy() as (port, heads):
        url = f"http://me:pass%21@127.0.0.1:{port}"
        how = {"upstream_proxy": url} if by == "option" else {"environment": {"HTTPS_PROXY": url}}
        proxy = start_proxy(**how)
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert read_response(client) == OK
        with connect(proxy.address, ("127.0.0.1", server.port), upstream_authority.certificate_path) as client:
            client.sendall(POST)
            assert read_response(client) == OK
        (finished,) = proxy.wait_finished()
    assert [head.split(b" ")[1].split(b":")[0] for head in heads] == [b"localhost", b"127.0.0.1"]
    token = base64.b64encode(b"me:pass!")
    assert all(b"Proxy-Authorization: Basic " + token in head for head in heads)
    assert all(b"roxy-" not in head for head in server.heads)
    assert finished.timing.proxy_forwarded_us is not None


def test_reverse_mode_through_another_proxy(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server, _other_proxy() as (port, heads):
        proxy = start_proxy(
            mode=CaptureMode.REVERSE,
            reverse_url=f"https://localhost:{server.port}",
            upstream_proxy=f"http://127.0.0.1:{port}",
        )
        with socket.create_connection(proxy.address) as client:
            client.sendall(POST)
            assert read_response(client) == OK
        proxy.wait_finished()
    assert len(heads) == 1


def test_no_proxy_is_respected_and_we_are_never_our_own_proxy(start_proxy, upstream_authority) -> None:
    with upstream(answer_all(OK), upstream_authority) as server, _other_proxy() as (port, heads):
        proxy = start_proxy(environment={"https_proxy": f"http://127.0.0.1:{port}", "NO_PROXY": "localhost"})
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert read_response(client) == OK
        assert heads == []
        with socket.create_server(("127.0.0.1", 0)) as probe:
            free = probe.getsockname()[1]
        proxy = start_proxy(port=free, environment={"https_proxy": f"http://localhost:{free}"})
        assert proxy.thread.upstream_proxy is None
        with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
            client.sendall(POST)
            assert read_response(client) == OK


def test_a_certificate_that_expires_between_requests_is_renewed(start_proxy, upstream_authority, monkeypatch) -> None:
    with upstream(answer_all(OK), upstream_authority) as server:
        proxy = start_proxy()
        real_now = proxy.thread.authority.now
        serials = []
        for days in (85, 85, 0, 0):  # as if the proxy had been started long ago
            monkeypatch.setattr(proxy.thread.authority, "now", lambda days=days: real_now() - dt.timedelta(days=days))
            with connect(proxy.address, ("localhost", server.port), proxy.ca_file) as client:
                der = client.getpeercert(binary_form=True)
                assert der is not None
                serials.append(x509.load_der_x509_certificate(der).serial_number)
    assert serials[0] == serials[1] != serials[2] == serials[3]


def _settings(tmp_path, **values: object) -> ProxySettings:
    return ProxySettings(**({"ca_directory": tmp_path / "ca", "port": 0} | values))  # type: ignore[arg-type]


def _feed() -> CaptureFeed:
    return CaptureFeed(Redactor(b"k" * 16))


def test_a_taken_port_is_said_before_anything_starts(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        thread = ProxyThread(_settings(tmp_path, port=port), _feed(), {})
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}.*in use"):
            thread.start()
    assert not thread.is_alive


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"port": 70_000}, ProxySettingsError),
        ({"mode": CaptureMode.REVERSE}, ProxySettingsError),
        ({"mode": CaptureMode.REVERSE, "reverse_url": "api.anthropic.com"}, ProxySettingsError),
        ({"mode": CaptureMode.REVERSE, "reverse_url": "https://h:99999"}, ProxySettingsError),
        ({"upstream_proxy": "socks5://h:1"}, ProxySettingsError),
        ({"host": "no.such.host.invalid", "port": 8080}, ListenError),
        ({"host": "192.0.2.1", "port": 8080}, ListenError),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, values: dict[str, object], error: type[Exception]) -> None:
    thread = ProxyThread(_settings(tmp_path, **values), _feed(), {})
    with pytest.raises(error):
        thread.start()
    assert not thread.is_alive


def test_a_bundle_that_is_not_there_and_a_damaged_root_are_refused(tmp_path) -> None:
    thread = ProxyThread(_settings(tmp_path, upstream_ca_bundle=tmp_path / "none.pem"), _feed(), {})
    with pytest.raises(ProxySettingsError):
        thread.start()
    open_authority(tmp_path / "ca")
    (tmp_path / "ca" / "ca.pem").write_text("nonsense")
    with pytest.raises(AuthorityError, match="damaged"):
        ProxyThread(_settings(tmp_path), _feed(), {}).start()


def test_a_proxy_that_cannot_listen_says_so(tmp_path, monkeypatch, is_lean: bool) -> None:
    monkeypatch.setattr("proxy_core.server.check_port", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        thread = ProxyThread(_settings(tmp_path, port=taken.getsockname()[1], use_lean_master=is_lean), _feed(), {})
        thread.start()
        with pytest.raises(ListenError):
            thread.wait_listening()
    thread.stop(0)
    assert isinstance(thread.failure, ListenError)
    assert not thread.is_alive


def test_an_end_by_itself_is_told_on_stop(tmp_path, monkeypatch, is_lean: bool) -> None:
    async def broken(*_: object) -> None:
        raise MemoryError("boom")

    monkeypatch.setattr(ProxyThread, "_drain", broken)
    thread = ProxyThread(_settings(tmp_path, use_lean_master=is_lean), _feed(), {})
    thread.start()
    thread.wait_listening()
    with pytest.raises(ProxyStoppedError, match="boom"):
        thread.stop(0)


def test_many_starts_leave_nothing_behind(tmp_path, is_lean: bool) -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        thread = ProxyThread(_settings(tmp_path, use_lean_master=is_lean), _feed(), {})
        thread.start()
        ((host, port),) = thread.wait_listening()
        thread.stop(0)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), timeout=1)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("version", "is_known"), [("12.2.3", True), ("12.3.1", True), ("12.4.0", False), ("13.0.0", False), ("12.20.0", False)]
)
def test_only_known_versions_are_touched(tmp_path, monkeypatch, version: str, is_known: bool) -> None:
    monkeypatch.setattr("mitmproxy.version.VERSION", version)
    assert ProxyThread(_settings(tmp_path), _feed(), {}).is_lean is is_known


def test_the_switch_to_plain_mitmproxy(tmp_path) -> None:
    assert ProxyThread(_settings(tmp_path), _feed(), {}).is_lean
    assert not ProxyThread(_settings(tmp_path), _feed(), {"ASSAY_STOCK_MASTER": "1"}).is_lean
    assert not ProxyThread(_settings(tmp_path, use_lean_master=False), _feed(), {}).is_lean
