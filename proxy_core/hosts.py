"""Which hosts carry Claude, and which calls on shared hosts are Claude's: data, and nothing else.

Hosts that are not here are never decrypted. Regional Bedrock and Vertex hosts carry other vendors' models
too: they are intercepted, but only calls to Claude are recorded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class HostKind(Enum):
    """What else a Claude host carries."""

    OWN = "own"
    """Nothing but Claude."""
    BEDROCK = "bedrock"
    VERTEX = "vertex"


@dataclass(frozen=True, slots=True)
class ClaudeHosts:
    """Host names of one kind."""

    pattern: str
    """Regular expression over the lower-case host name."""
    kind: HostKind
    source: str
    """Where the name is documented, and when that was last checked."""


CLAUDE_HOSTS: tuple[ClaudeHosts, ...] = (
    ClaudeHosts(r"api\.anthropic\.com", HostKind.OWN, "Anthropic API reference, 2026-11"),
    ClaudeHosts(r"(?:[a-z0-9-]+\.)*claude\.ai", HostKind.OWN, "claude.ai and its subdomains, 2026-11"),
    ClaudeHosts(
        r"(?:vpce-[a-z0-9-]+\.)?bedrock-runtime(?:-fips)?\.[a-z0-9-]+\.(?:vpce\.)?amazonaws\.com(?:\.cn)?",
        HostKind.BEDROCK,
        "AWS service endpoints, Bedrock runtime APIs, 2026-11",
    ),
    ClaudeHosts(r"bedrock-runtime(?:-fips)?\.[a-z0-9-]+\.api\.aws", HostKind.BEDROCK, "AWS dual-stack endpoints, 2026-11"),
    ClaudeHosts(
        r"(?:[a-z0-9-]+-)?aiplatform(?:\.[a-z0-9-]+\.rep)?\.googleapis\.com",
        HostKind.VERTEX,
        "Vertex AI locations, 2026-11",
    ),
)

_CLAUDE_PATHS: dict[HostKind, re.Pattern[str]] = {
    # Application profiles and provisioned models are opaque ids: they may be Claude, so they count as Claude.
    HostKind.BEDROCK: re.compile(
        r"^/model/[^/]*(?:anthropic|claude|application-inference-profile|provisioned-model)", re.IGNORECASE
    ),
    HostKind.VERTEX: re.compile(r"/publishers/anthropic/models/", re.IGNORECASE),
}

_COMPILED = tuple((re.compile(hosts.pattern, re.IGNORECASE), hosts.kind) for hosts in CLAUDE_HOSTS)


@lru_cache(maxsize=1024)
def host_kind(host: str) -> HostKind | None:
    """Return what kind of Claude host this is, `None` when it is none."""
    bare = host.rstrip(".")
    return next((kind for pattern, kind in _COMPILED if pattern.fullmatch(bare)), None)


def is_claude_host(host: str, extra: Iterable[str] = ()) -> bool:
    """Say whether traffic to a host is intercepted.

    Args:
        host: Name without port.
        extra: Further names the user asked for; `*.example.com` covers all subdomains.
    """
    return host_kind(host) is not None or any(re.fullmatch(_extra_pattern(name), host, re.IGNORECASE) for name in extra)


def is_claude_call(host: str, path: str, extra: Iterable[str] = ()) -> bool:
    """Say whether a request on an intercepted host is to be recorded."""
    kind = host_kind(host)
    if kind is None:
        return is_claude_host(host, extra)
    if kind is HostKind.OWN:
        return True
    return bool(_CLAUDE_PATHS[kind].search(path))


def intercept_patterns(extra: Iterable[str] = ()) -> list[str]:
    """Return regular expressions over `host:port` for everything that is to be decrypted."""
    names = [hosts.pattern for hosts in CLAUDE_HOSTS] + [_extra_pattern(name) for name in extra]
    return [rf"^(?:{name})\.?:\d+$" for name in names]


@lru_cache(maxsize=1024)
def _extra_pattern(name: str) -> str:
    host = name.strip().lower().removeprefix("https://").removeprefix("http://").split("/")[0]
    host = re.sub(r":\d+$", "", host)
    if host.startswith("*."):
        return r"(?:[a-z0-9_-]+\.)+" + re.escape(host[2:])
    return re.escape(host)
