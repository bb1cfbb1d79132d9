"""Which other proxy our own connections go through: an option, or the usual environment variables.

The environment is the one `assay` was started in, so it may well name Assay itself; that is never followed.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from proxy_core.errors import ProxySettingsError

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """Another proxy between us and the API."""

    scheme: str
    """`http` or `https`: how the proxy itself is spoken to."""
    host: str
    port: int
    credentials: str | None = None
    """`user:password`; `None` when it asks for none."""
    no_proxy: tuple[str, ...] = ()
    """Hosts that are reached directly, as in `NO_PROXY`."""

    def covers(self, host: str, port: int) -> bool:
        """Say whether connections to a host go through this proxy."""
        return not any(_matches(entry, host.lower().rstrip("."), port) for entry in self.no_proxy)


def parse_upstream_proxy(url: str, no_proxy: str = "") -> UpstreamProxy:
    """Read `http://user:password@host:port`.

    Args:
        url: The scheme may be left out.
        no_proxy: Comma separated names, `.suffixes`, addresses and networks that are reached directly; `*` for all.

    Raises:
        ProxySettingsError: It is no proxy's address.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    shown = re.sub(r"//[^@/]*@", "//", url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ProxySettingsError(f"upstream proxy {shown}: only http:// and https:// proxies are supported")
    try:
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except ValueError as error:
        raise ProxySettingsError(f"upstream proxy {shown}: the port is not a number from 1 to 65535") from error
    if not parts.hostname:
        raise ProxySettingsError(f"upstream proxy {shown}: there is no host in it")
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    entries = tuple(entry.strip().lower() for entry in no_proxy.split(",") if entry.strip())
    return UpstreamProxy(parts.scheme, parts.hostname, port, credentials, entries)


def choose_upstream_proxy(option: str | None, environment: Mapping[str, str]) -> UpstreamProxy | None:
    """Return the proxy to go through.

    Args:
        option: `--upstream-proxy`; `none` for no proxy whatever the environment says, `None` to ask the environment.
        environment: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either case; lower case wins, as in curl.

    Raises:
        ProxySettingsError: The option or the variable is no proxy's address.
    """
    no_proxy = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if option is not None:
        return None if option.lower() in {"", "none", "direct"} else parse_upstream_proxy(option, no_proxy)
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        if environment.get(name):
            return parse_upstream_proxy(environment[name], no_proxy)
    return None


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, _, entry_port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    if entry_port and entry_port != str(port):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        suffix = name.removeprefix("*").lstrip(".")
        return bool(suffix) and (host == suffix or host.endswith("." + suffix))
