"""What the shell and the clients' own settings say: variables, trust, base URLs, the clock. Reads only."""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from tui.config import is_exempt
from tui.doctor.findings import Finding, bad, note, ok
from tui.environment import ADDING_VARIABLES, REPLACING_VARIABLES
from tui.invocation import own_command

_API_HOST = "api.anthropic.com"
_BUILT_S = 1_767_225_600
"""2026-01-01, in seconds: no clock that is right shows an earlier time."""


def check_variables(environ: Mapping[str, str], proxy_url: str) -> Iterator[Finding]:
    """See whether a client started from this shell would go to the proxy."""
    given = environ.get("HTTPS_PROXY") or environ.get("https_proxy")
    if given is None:
        yield note("variables", "HTTPS_PROXY is not set: clients of this shell go past Assay", how_to_connect())
    elif given.rstrip("/") != proxy_url.rstrip("/"):
        yield bad("variables", f"HTTPS_PROXY is {without_password(given)}, but Assay is {proxy_url}", how_to_connect())
    else:
        yield ok("variables", f"HTTPS_PROXY is {proxy_url}")
    exempt = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    if is_exempt(_API_HOST, exempt):
        yield bad("variables", f"NO_PROXY={exempt} sends {_API_HOST} past every proxy", "Take that entry out of NO_PROXY")


def how_to_connect() -> str:
    """Write what makes the clients of a shell come through Assay."""
    assay = own_command()
    return f'Run: eval "$({assay} env)"   or start the client with: {assay} run -- CLIENT'


def check_base_url(environ: Mapping[str, str], home: Path) -> Iterator[Finding]:
    """See whether a client is told to speak to another address than the API's."""
    for place, variables in (("this shell", environ), *_client_settings(home)):
        base = variables.get("ANTHROPIC_BASE_URL")
        if base:
            text = f"ANTHROPIC_BASE_URL={without_password(base)} in {place}: Claude Code changes its requests for foreign hosts"
            yield note("base URL", text, "Remove it to see what is really sent; or add its host with --intercept HOST")
        if place != "this shell" and (proxy := variables.get("HTTPS_PROXY")):
            yield note("base URL", f"{place} sets HTTPS_PROXY={without_password(proxy)}, which wins over the shell's")


def _client_settings(home: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    for path in (home / ".claude" / "settings.json", Path.cwd() / ".claude" / "settings.json"):
        try:
            variables = json.loads(path.read_text(encoding="utf-8"))["env"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if isinstance(variables, dict):
            yield str(path), {str(name): str(value) for name, value in variables.items()}


def check_trust(environ: Mapping[str, str], certificate: Path) -> Iterator[Finding]:
    """See whether clients of this shell would trust our certificates."""
    wanted = _fingerprints(certificate)
    if not wanted:
        return
    named = [name for name in (*ADDING_VARIABLES, *REPLACING_VARIABLES) if environ.get(name)]
    trusting = [name for name in named if wanted & _fingerprints(Path(environ[name]))]
    missing = [name for name in named if name not in trusting]
    if trusting:
        yield ok("trust", f"our certificate authority is trusted by way of {', '.join(trusting)}")
    if missing and (environ.get("HTTPS_PROXY") or environ.get("https_proxy")):
        yield bad("trust", f"the files named by {', '.join(missing)} do not hold our certificate authority", how_to_connect())
    elif not trusting:
        yield note("trust", "no variable of this shell names our certificate authority", how_to_connect())


def _fingerprints(path: Path) -> set[str]:
    """Return the SHA-256 of each certificate in a PEM file."""
    try:
        text = path.read_text(encoding="latin-1")
    except OSError:
        return set()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    found = set()
    for part in text.split(begin)[1:]:
        try:
            found.add(sha256(ssl.PEM_cert_to_DER_cert(begin + part.split(end)[0] + end)).hexdigest())
        except ValueError:
            continue
    return found


def check_clock(now_s: float | None = None) -> Iterator[Finding]:
    """See whether the clock can be right: certificates, costs by day and retention depend on it."""
    now = time.time() if now_s is None else now_s
    if now < _BUILT_S:
        yield bad("clock", f"the clock says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC", "Set the clock")
    else:
        yield ok("clock", f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))} UTC")


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    head, at, tail = url.rpartition("@")
    scheme, slashes, _secret = head.partition("://")
    return f"{scheme}://[REDACTED]@{tail}" if at and slashes else (f"[REDACTED]@{tail}" if at else url)
