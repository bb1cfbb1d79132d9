"""What happens in a scripted session: what the developer asks, what the model does about it, and what the tools return."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A piece of work that an agent does with a context of its own."""

    agent_type: str
    task: str
    rounds: tuple["Round", ...]
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call and what comes back."""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict)
    result: str = ""
    is_error: bool = False
    delegation: Delegation | None = None
    """Set for a call of `Agent`: the result is its report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One turn of the model that ends in tool calls."""

    calls: tuple[Call, ...]
    text: str | None = None
    thinking: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A prompt of the developer and everything until the answer."""

    prompt: str
    rounds: tuple[Round, ...]
    answer: str
    failing_status: int | None = None
    """The first request of it is answered with this error once, and retried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One session."""

    project: str
    branch: str
    model: str
    title: str
    memory: Mapping[str, str]
    """Memory files by path."""
    servers: tuple[str, ...]
    """MCP servers by name."""
    is_deferred: bool
    """MCP tools are known by name only until ToolSearch loads them."""
    asks: tuple[Ask, ...]
    compacted_after: int | None
    """Number of asks after which the conversation is summarised."""
    summary: str
