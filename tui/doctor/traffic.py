"""Whether traffic really comes through: by a test request, by a handshake with the running proxy, and on the way out.

The test request goes through a private proxy to a stand-in on loopback. No key is sent anywhere.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tui.doctor.findings import Finding, bad, note, ok

API_HOST = "api.anthropic.com"
_TIMEOUT_S = 10.0


def check_own_loop() -> Iterator[Finding]:
    """Send a request through a private proxy to a stand-in for the API, and see whether it was captured."""
    from proxy_core.errors import ProxyCoreError
    from proxy_core.standin.server import StandinError

    try:
        seen = _capture_one()
    except (OSError, ssl.SSLError, ProxyCoreError, StandinError) as error:
        yield bad("capture", f"a test request did not come through: {error}", "Please report this with the whole output")
        return
    if seen:
        yield ok("capture", "a test request came through a private proxy to a stand-in, and was captured")
    else:
        yield bad("capture", "a test request came through, but was not captured", "Please report this with the whole output")


def _capture_one() -> bool:
    from proxy_core.exchange import ExchangeFinished
    from proxy_core.feed import CaptureFeed
    from proxy_core.redact import Redactor
    from proxy_core.server import ProxySettings, ProxyThread
    from proxy_core.standin.api import MessagesApi
    from proxy_core.standin.client import ProxiedClient
    from proxy_core.standin.server import StandinServer

    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="assay-doctor-")))
        api = stack.enter_context(StandinServer(MessagesApi()))
        feed = CaptureFeed(Redactor(b"doctor"))
        settings = ProxySettings(
            ca_directory=directory / "ca", port=0, upstream_proxy=api.proxy_url, upstream_ca_bundle=api.ca_path
        )
        proxy = ProxyThread(settings, feed, {})
        proxy.start()
        stack.callback(proxy.stop, 1.0)
        address = proxy.wait_listening()[0]
        assert proxy.authority is not None
        client = ProxiedClient(address, proxy.authority.certificate_path)
        stack.callback(client.close)
        client.send("GET", "/v1/models", (), b"")
        return any(isinstance(event, ExchangeFinished) for _ in range(20) for event in feed.take(0.25))


def check_running_proxy(proxy_url: str, certificate: Path) -> Iterator[Finding]:
    """Shake hands with the API's host through the running proxy, as a client would, and see who answered."""
    try:
        issuer = _issuer_behind(proxy_url, certificate)
    except ssl.SSLCertVerificationError as error:
        text = f"{proxy_url} answers for {API_HOST} with a certificate that is not ours: {error.verify_message}"
        yield bad("handshake", text, "Another program listens there, or another --data-dir is in use")
    except (OSError, ValueError) as error:
        yield bad("handshake", f"no connection to {API_HOST} through {proxy_url}: {error}")
    else:
        yield ok("handshake", f"{proxy_url} answers for {API_HOST} with our certificate ({issuer})")


def _issuer_behind(proxy_url: str, certificate: Path) -> str:
    parts = urlsplit(proxy_url)
    context = ssl.create_default_context(cafile=str(certificate))
    with socket.create_connection((parts.hostname or "", parts.port or 80), _TIMEOUT_S) as plain:
        open_tunnel(plain)
        with context.wrap_socket(plain, server_hostname=API_HOST) as secured:
            peer = secured.getpeercert() or {}
    names = dict(pair for group in peer.get("issuer", ()) for pair in group)  # type: ignore[misc]
    return str(names.get("commonName", "?"))


def open_tunnel(connection: socket.socket) -> None:
    """Ask a proxy for a tunnel to the API.

    Raises:
        OSError: It refused, or is no proxy.
    """
    connection.sendall(f"CONNECT {API_HOST}:443 HTTP/1.1\r\nHost: {API_HOST}:443\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        if len(answer) > 16_384 or not (piece := connection.recv(4096)):
            raise OSError("it closed the connection without an answer")
        answer += piece
    status = answer.split(b"\r\n", 1)[0].decode("latin-1")
    if " 200" not in status:
        raise OSError(f"it refused: {status[:80]}")


def check_way_out(upstream_proxy: str | None, environ: Mapping[str, str], extra_ca: Path | None) -> Iterator[Finding]:
    """See whether the API itself can be reached and proves who it is, the way Assay goes."""
    import certifi

    from proxy_core.errors import ProxySettingsError
    from proxy_core.upstream_proxy import choose_upstream_proxy

    try:
        proxy = choose_upstream_proxy(upstream_proxy, environ)
    except ProxySettingsError as error:
        yield bad("way out", str(error))
        return
    context = ssl.create_default_context(cafile=certifi.where())
    if extra_ca is not None and extra_ca.is_file():
        context.load_verify_locations(extra_ca)
    is_direct = proxy is None or proxy.scheme != "http" or not proxy.covers(API_HOST, 443)
    target = (API_HOST, 443) if proxy is None or is_direct else (proxy.host, proxy.port)
    way = f"{API_HOST} directly" if is_direct else f"{API_HOST} by way of the proxy {target[0]}:{target[1]}"
    try:
        with socket.create_connection(target, _TIMEOUT_S) as plain:
            if not is_direct:
                open_tunnel(plain)
            context.wrap_socket(plain, server_hostname=API_HOST).close()
    except ssl.SSLCertVerificationError as error:
        remedy = "A company's proxy may re-sign traffic: name its root with --upstream-ca FILE"
        yield bad("way out", f"{way}: its certificate is not trusted ({error.verify_message})", remedy)
    except OSError as error:
        remedy = "Check the network; behind a proxy, set HTTPS_PROXY or --upstream-proxy"
        yield note("way out", f"cannot reach {way}: {error}", remedy)
    else:
        yield ok("way out", f"reached {way}")
