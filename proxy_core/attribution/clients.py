"""Which program sent a request, by its headers, and by its system prompt where the headers name only a library."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy_core.attribution.rules.model import Version
from proxy_core.attribution.rules.signatures import AGENT_NAMES, BILLING_PREFIXES, PROMPT_BEGINNINGS
from proxy_core.exchange import Headers

_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,60})(?:/(Python|JS|Java|Go|Ruby|C#|PHP)?[ ]?v?([0-9][0-9A-Za-z.+-]{0,60})?)?")
_NUMBER = re.compile(r"\d{1,9}")
_HEADS_READ = 3


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


def identify(headers: Mapping[str, str], prompt_heads: Sequence[str]) -> Client:
    """Name the client of a request.

    A program that speaks through a library, or under another's name, is known by how its system prompt begins.

    Args:
        headers: By lower-case name.
        prompt_heads: How the blocks of its system prompt begin.
    """
    agent = headers.get("user-agent", "")
    named, version = _product(agent)
    by_prompt = next(
        (
            client
            for head in prompt_heads[:_HEADS_READ]
            for beginning, client in PROMPT_BEGINNINGS
            if head.startswith(beginning)
        ),
        None,
    )
    if by_prompt is not None and by_prompt != named:
        return Client(by_prompt, None)
    if by_prompt is None and named is None:
        by_prompt = next(
            (client for client, wrapper in BILLING_PREFIXES for head in prompt_heads[:1] if head.startswith(wrapper)), None
        )
        return Client(by_prompt, None)
    if named == "claude-code" and "agent-sdk/" in agent:
        return Client("claude-agent-sdk", version)
    return Client(named, version)


def _product(agent: str) -> tuple[str | None, str | None]:
    found = _PRODUCT.match(agent)
    if found is None:
        return None, None
    product, language = found[1].lower(), (found[2] or "").lower()
    name = AGENT_NAMES.get(f"{product}/{language}" if language else product, product)
    return name, found[3]
