"""Which program sent a request, by its headers, and by its system prompt where the headers name only a library."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proxy_core.attribution.rules.model import Version
from proxy_core.attribution.rules.signatures import AGENT_NAMES, PROMPT_BEGINNINGS
from proxy_core.exchange import Headers

_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,60})(?:/([0-9A-Za-z.+-]{1,60}))?")
_NUMBER = re.compile(r"\d{1,9}")
_LIBRARIES = frozenset({"litellm", "anthropic-py", "anthropic-ts", "node", "undici", "axios", "python-httpx", "bun"})
"""Names that say what the request was made with, not by whom."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that calls the API."""

    name: str | None
    """`None` when nothing names it."""
    version: str | None

    @property
    def version_numbers(self) -> Version | None:
        """The version as numbers, for comparing; `None` when unknown."""
        numbers = tuple(int(number) for number in _NUMBER.findall(self.version or "")[:3])
        return numbers or None


def header_map(headers: Headers) -> dict[str, str]:
    """Index headers by lower-case name; of a repeated one the first counts."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.lower(), value)
    return found


def identify(headers: Mapping[str, str], prompt_head: str) -> Client:
    """Name the client of a request.

    Args:
        headers: By lower-case name.
        prompt_head: How its system prompt begins, some thousand characters.
    """
    agent = headers.get("user-agent", "")
    product = _PRODUCT.match(agent)
    named = product[1].lower() if product else None
    version = product[2] if product else None
    name = AGENT_NAMES.get(named, named) if named else None
    if name == "claude-code" and "agent-sdk/" in agent:
        return Client("claude-agent-sdk", version)
    if name is None or name in _LIBRARIES:
        by_prompt = next((client for beginning, client in PROMPT_BEGINNINGS if prompt_head.startswith(beginning)), None)
        if by_prompt is not None:
            return Client(by_prompt, version if by_prompt == name else None)
        if name == "anthropic-py" or name == "anthropic-ts" or name == "litellm":
            return Client(name, version)
    return Client(name, version)
