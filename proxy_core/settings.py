"""How the proxy is to run, and what of it can be checked before anything starts."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from proxy_core.errors import ListenError, ProxySettingsError
from proxy_core.exchange import CaptureMode

type Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """How the proxy is to run."""

    ca_directory: Path
    """Holds the root CA and the redaction key; made with mode 0700."""
    host: str = "127.0.0.1"
    port: int = 8080
    """0 for a free one."""
    mode: CaptureMode = CaptureMode.INTERCEPT
    reverse_url: str | None = None
    """Where reverse mode sends everything; `None` in other modes."""
    local_spec: str = ""
    """mitmproxy's `local` mode: processes to capture, comma separated; empty for all."""
    intercept_hosts: tuple[str, ...] = ()
    """Hosts to decrypt and record beside Claude's own; `*.example.com` for subdomains."""
    upstream_proxy: str | None = None
    """`http://user:password@host:port`; `none` for none; `None` to follow HTTPS_PROXY and NO_PROXY."""
    upstream_ca_bundle: Path | None = None
    """PEM file with more roots to verify the API by, beside the public ones."""
    request_buffer_bytes: int = 8 * 1024 * 1024
    """A larger request is streamed to the API. A smaller one is whole before it goes on: it is recorded also when the API
    cannot be reached, and its client, told so, is not still sending."""
    use_lean_master: bool | None = None
    """`None`: where this mitmproxy's version is known, and ASSAY_STOCK_MASTER is not 1."""

    def check(self) -> None:
        """Find what makes no sense.

        Raises:
            ProxySettingsError: Something does not.
        """
        if not 0 <= self.port <= 65535:
            raise ProxySettingsError(f"port {self.port}: a port is a number from 0 to 65535")
        self.reverse_target()
        self.mode_spec()

    def reverse_target(self) -> tuple[str, str, str]:
        """Return where reverse mode sends everything: mitmproxy's target, its host, the path before every path.

        All are empty in other modes.

        Raises:
            ProxySettingsError: The URL is none.
        """
        if self.mode is not CaptureMode.REVERSE:
            return "", "", ""
        url = urlsplit(self.reverse_url or "")
        try:
            port = url.port
        except ValueError:
            port = -1
        if url.scheme not in {"http", "https"} or not url.hostname or port == -1 or url.query or url.username:
            raise ProxySettingsError(f"reverse mode needs a URL such as https://api.anthropic.com, not {self.reverse_url!r}")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        return f"{url.scheme}://{host}" + (f":{port}" if port else ""), url.hostname, url.path

    def mode_spec(self) -> str:
        """Return mitmproxy's name for the mode and where it listens.

        Raises:
            ProxySettingsError: The mode is none that a proxy can run in.
        """
        listen = f"@{self.host}:{self.port}"
        match self.mode:
            case CaptureMode.INTERCEPT:
                return "regular" + listen
            case CaptureMode.REVERSE:
                return f"reverse:{self.reverse_target()[0]}{listen}"
            case CaptureMode.LOCAL:
                return f"local:{self.local_spec}" if self.local_spec else "local"
            case _:
                raise ProxySettingsError(f"{self.mode} is not a way to run a proxy")


def check_port(host: str, port: int) -> None:
    """Say clearly what mitmproxy would only log.

    Raises:
        ListenError: Nobody can listen there now.
    """
    if port == 0:
        return
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if isinstance(error, PermissionError):
            reason = "it needs more rights: take a port above 1023"
        elif isinstance(error, socket.gaierror):
            reason = f"{host} is not an address of this machine"
        else:
            reason = f"{error.strerror}; is another Assay running? `--port 0` takes a free one"
        raise ListenError(f"cannot listen on {host}:{port}: {reason}") from error
