"""Where a connection goes and how it is opened: through another proxy, late or early, under which certificate.

Decides nothing about what is recorded. The certificates come from our own root; the upstream's are verified.
"""

# mypy: disable-error-code="no-untyped-call"

import base64
import re
import time
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from mitmproxy import certs, http, tls
from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.net.server_spec import ServerSpec
from mitmproxy.proxy import context as proxy_context
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers.http import HttpStream
from mitmproxy.proxy.layers.http._upstream_proxy import HttpUpstreamProxy

from proxy_core.certificates import LeafCache
from proxy_core.upstream_proxy import UpstreamProxy

_ALPN_MEMORY_S = 600
_LONGEST_METHOD = 32


class _LeafStore:
    """What mitmproxy's TLS addon asks for certificates."""

    dhparams = None

    def __init__(self, leaves: LeafCache) -> None:
        self._leaves = leaves

    def get_cert(
        self,
        _common_name: str | None,
        names: Sequence[x509.GeneralName],
        _organization: str | None = None,
        _crl_url: str | None = None,
    ) -> certs.CertStoreEntry:
        leaf = self._leaves.leaf_for(list(names))
        return certs.CertStoreEntry(
            cert=certs.Cert(leaf.certificate),
            privatekey=leaf.private_key,  # type: ignore[arg-type]  # mitmproxy says RSA and takes any
            chain_file=None,
            chain_certs=[],
        )


class AuthorityTlsConfig(TlsConfig):
    """mitmproxy's TLS addon with certificates of our own root.

    Args:
        leaves: Where they come from.
    """

    name = "tlsconfig"
    request = None  # type: ignore[assignment]  # no revocation lists: nothing of a request is looked at

    def __init__(self, leaves: LeafCache) -> None:
        self.certstore: Any = _LeafStore(leaves)

    def running(self) -> None:
        """Keep our store: the original makes its own here."""

    def configure(self, updated: Any) -> None:
        """Follow the options that are not about where certificates come from."""
        super().configure(set(updated) - {"certs", "confdir", "key_size", "cert_passphrase"})


class QuickNextLayer(NextLayer):
    """mitmproxy's addon that tells by its first bytes what a connection carries, without a search that all others wait for."""

    name = "nextlayer"

    @staticmethod
    def _get_host_header(context: proxy_context.Context, data_client: bytes, data_server: bytes) -> str | None:
        # It looks for a request's first line: in 64 KB of letters for many seconds.
        is_request = b" " in data_client[:_LONGEST_METHOD]
        return super(QuickNextLayer, QuickNextLayer)._get_host_header(context, data_client, data_server) if is_request else None


class RoutingAddon:
    """Opens connections the way the client would have.

    Args:
        intercept_patterns: Regular expressions over `host:port` of what is decrypted.
        proxy: The other proxy to go through.
        path_prefix: Put before every path (reverse mode with a path in its URL).
    """

    name = "assay_routing"

    def __init__(self, intercept_patterns: Sequence[str], proxy: UpstreamProxy | None, path_prefix: str) -> None:
        self._intercepted = [re.compile(pattern, re.IGNORECASE) for pattern in intercept_patterns]
        self.proxy = proxy
        self._path_prefix = path_prefix.rstrip("/")
        self._alpn: dict[tuple[str, int], tuple[bytes, float]] = {}

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Answer CONNECT before the API is reached, where that makes no difference to the client.

        A tunnel to a host we do not decrypt is opened at once: its protocol may begin with the server.
        """
        host, port = flow.request.host, flow.request.port
        if self._is_intercepted(host, port) or self._via(host, port):
            head = flow.request.data.http_version
            now = time.time()
            flow.response = http.Response(head, 200, b"Connection established", http.Headers(), b"", None, now, now)

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """End the connection of a CONNECT that failed: another one on it would get no answer."""
        if flow.response is not None:
            flow.response.headers["Connection"] = "close"

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Put the other proxy between us and the host of a CONNECT."""
        context = nextlayer.context
        server = context.server
        if nextlayer.layer or server.via or not server.address or not context.layers:
            return
        if isinstance(context.layers[-1], HttpStream) and (via := self._via(*server.address[:2])):
            server.via = via
            nextlayer.layer = HttpUpstreamProxy.make(context, send_connect=True)[0]

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Send requests that came without CONNECT through the other proxy."""
        if self._path_prefix:
            flow.request.path = self._path_prefix + flow.request.path
        if self.proxy is not None and flow.server_conn.via is None and not flow.server_conn.connected:
            flow.server_conn.via = self._via(flow.request.host, flow.request.port)

    def http_connect_upstream(self, flow: http.HTTPFlow) -> None:
        """Tell the other proxy who we are."""
        if self.proxy is not None and self.proxy.credentials is not None:
            token = base64.b64encode(self.proxy.credentials.encode()).decode()
            flow.request.headers["Proxy-Authorization"] = f"Basic {token}"

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        """Connect to the API now, as the client would have: the request that comes need not wait for it.

        It also tells which HTTP version the API speaks: the client must get the same.
        """
        server = data.context.server
        if server.address and server.tls:
            data.establish_server_tls_first = not server.tls_established

    def tls_start_client(self, data: tls.TlsData) -> None:
        """Offer the client what the API is known to speak."""
        server = data.context.server
        if data.ssl_conn is not None and server.address and not server.tls_established:
            alpn = self._known_alpn(server.address)
            if alpn is not None:
                data.ssl_conn.get_app_data()["server_alpn"] = alpn

    def tls_established_server(self, data: tls.TlsData) -> None:
        """Remember what the API chose."""
        server = data.conn
        address = getattr(server, "address", None)
        if address and b"h2" in (server.alpn_offers or ()):
            self._alpn[address[:2]] = (server.alpn or b"", time.monotonic() + _ALPN_MEMORY_S)

    def _known_alpn(self, address: tuple[Any, ...]) -> bytes | None:
        alpn, until = self._alpn.get(address[:2], (None, 0.0))
        return alpn if time.monotonic() < until else None

    def _is_intercepted(self, host: str, port: int) -> bool:
        name = f"{host}:{port}"
        return any(pattern.search(name) for pattern in self._intercepted)

    def _via(self, host: str, port: int) -> ServerSpec | None:
        proxy = self.proxy
        if proxy is None or not proxy.covers(host, port):
            return None
        return ("https" if proxy.scheme == "https" else "http", (proxy.host, proxy.port))
