"""The environment variables that make a client's traffic come through a proxy and its certificate be trusted.

Only what a client of the Claude API reads is set. `HTTP_PROXY` is left alone: the API is never spoken to in the clear, and
other plain traffic is none of our business. Tools such as git and cargo see the real certificates and need no variable of ours.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tui.config import is_exempt

OWN_PROXY_VARIABLE = "ASSAY_PROXY_URL"
"""Names the proxy that HTTPS_PROXY stands for: an Assay that starts in that environment does not take it for the way out."""

EXTRA_CA_VARIABLE = "ASSAY_EXTRA_CA"
"""PEM files that the environment trusted before it was pointed to our bundle, joined by the path separator."""

_LOCAL = ("localhost", "127.0.0.1", "::1")

ADDING_VARIABLES = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
"""Name a file with certificates that are trusted besides the built-in ones."""

REPLACING_VARIABLES = (
    "SSL_CERT_FILE",  # Go, Rust (rustls-native-certs), Ruby, Python's httpx and urllib, OpenSSL itself
    "REQUESTS_CA_BUNDLE",  # Python's requests
    "CURL_CA_BUNDLE",  # curl
    "AWS_CA_BUNDLE",  # AWS SDKs and command line (Bedrock)
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",  # gRPC (Vertex)
)
"""Name a file that stands instead of the trusted certificates, so it has to hold all of those too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyAddress:
    """What a client has to be told of a running proxy."""

    url: str
    """Such as `http://127.0.0.1:8080`."""
    is_reverse: bool
    """The client is to use it as base URL instead of as proxy."""
    certificate: Path
    """PEM file with our root certificate alone."""
    bundle: Path
    """PEM file with the system's roots and ours."""
    intercept: tuple[str, ...] = ()
    """Hosts added by the user; they must not be exempt from proxying."""
    upstream_proxy: str | None = None
    """The proxy Assay itself goes through; handed on, so that an Assay started inside goes the same way."""
    extra_ca: tuple[Path, ...] = ()
    """PEM files merged into the bundle; handed on for the same reason."""

    @property
    def socket_address(self) -> tuple[str, int]:
        """Host and port of the URL."""
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80


def client_environment(address: ProxyAddress, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set, and nothing else.

    Args:
        address: The proxy.
        environ: The environment they are added to; its own exemptions are kept.
    """
    if address.is_reverse:
        return {"ANTHROPIC_BASE_URL": address.url}
    variables = {
        "HTTPS_PROXY": address.url,
        "https_proxy": address.url,
        OWN_PROXY_VARIABLE: address.url,
        # Node's own fetch (22.21 and newer) honours the proxy variables only when told to.
        "NODE_USE_ENV_PROXY": "1",
    }
    exempt = _exempt_hosts(environ, address.intercept)
    variables |= {"NO_PROXY": exempt, "no_proxy": exempt}
    variables |= dict.fromkeys(ADDING_VARIABLES, str(address.certificate))
    variables |= dict.fromkeys(REPLACING_VARIABLES, str(address.bundle))
    if "NODE_EXTRA_CA_CERTS" in environ:
        # The variable holds one file: the bundle keeps the user's extra certificates trusted.
        variables["NODE_EXTRA_CA_CERTS"] = str(address.bundle)
    if address.upstream_proxy:
        variables["ASSAY_UPSTREAM_PROXY"] = address.upstream_proxy
    if address.extra_ca:
        variables[EXTRA_CA_VARIABLE] = os.pathsep.join(map(str, address.extra_ca))
    return variables


def environment_before(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the proxy that an Assay put there, so that the way out is not Assay again."""
    own = environ.get(OWN_PROXY_VARIABLE)
    return {name: value for name, value in environ.items() if name.upper() != "HTTPS_PROXY" or value != own}


def upstream_of(environ: Mapping[str, str]) -> str | None:
    """Return the proxy that an environment names for HTTPS, an Assay left out."""
    before = environment_before(environ)
    return before.get("https_proxy") or before.get("HTTPS_PROXY")


def _exempt_hosts(environ: Mapping[str, str], intercept: Iterable[str]) -> str:
    """Return the exemptions of `environ` and loopback, without what would let captured hosts slip by."""
    given = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    parts = [part.strip() for part in given.split(",") if part.strip()]
    captured = ("api.anthropic.com", "claude.ai", *intercept)
    kept = dict.fromkeys([*_LOCAL, *(part for part in parts if part != "*")])
    return ",".join(part for part in kept if not any(is_exempt(host, part) for host in captured))


def shell_lines(variables: Mapping[str, str], shell: str) -> list[str]:
    """Return one line per variable that exports it in `bash` (any POSIX shell), `fish` or `powershell`."""
    return [_FORMS[shell](name, value) for name, value in variables.items() if not _is_double(name, variables, shell)]


def _is_double(name: str, variables: Mapping[str, str], shell: str) -> bool:
    # PowerShell on Windows has case-insensitive variables: the lower-case twins would only repeat.
    return shell == "powershell" and name.islower() and name.upper() in variables


def _posix(name: str, value: str) -> str:
    from shlex import quote

    return f"export {name}={quote(value)}"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str) -> str:
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'"


_FORMS = {"bash": _posix, "fish": _fish, "powershell": _powershell}
SHELLS = tuple(_FORMS)
