"""What the stand-in's model says: one turn for each request, by a rule or from a script.

A scenario looks at the request alone and keeps no state of its own, so that retries and parallel sessions get the same answer.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type MessagesRequest = Mapping[str, Any]
"""A request's JSON."""
type Scenario = Callable[[MessagesRequest], "Turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool the model wants to use."""

    name: str
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One answer of the model."""

    thinking: str | None = None
    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    """All of one turn: the client may run them in parallel."""
    stop_reason: str | None = None
    """`None`: `tool_use` with tool calls, else `end_turn`."""

    @property
    def final_stop_reason(self) -> str:
        """The reason the API would give."""
        return self.stop_reason or ("tool_use" if self.tool_calls else "end_turn")


def assistant_turns(request: MessagesRequest) -> int:
    """Return how many turns the model has already had in this conversation."""
    return sum(message.get("role") == "assistant" for message in request.get("messages", ()))


def has_tool(request: MessagesRequest, name: str) -> bool:
    """Tell whether the request offers a tool."""
    return any(tool.get("name") == name for tool in request.get("tools") or ())


def last_user_text(request: MessagesRequest) -> str:
    """Return the last piece of text in the last user message, or nothing."""
    for message in reversed(request.get("messages", ())):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            texts = [block.get("text", "") for block in content or () if block.get("type") == "text"]
            return texts[-1] if texts else ""
    return ""


def wants_json(request: MessagesRequest) -> Mapping[str, Any] | None:
    """Return the output schema the request asks for, or `None`."""
    shape = (request.get("output_config") or {}).get("format") or request.get("output_format") or {}
    return shape.get("schema") if shape.get("type") == "json_schema" else None


def scripted(turns: Sequence[Turn]) -> Scenario:
    """Play `turns` in order of the conversation; after the last one it is repeated."""

    def play(request: MessagesRequest) -> Turn:
        if (schema := wants_json(request)) is not None:
            return Turn(text=json.dumps(_fill(schema)))
        return turns[min(assistant_turns(request), len(turns) - 1)]

    return play


def echo(request: MessagesRequest) -> Turn:
    """Answer with a remark on what was asked: the scenario when nothing else was said."""
    if (schema := wants_json(request)) is not None:
        return Turn(text=json.dumps(_fill(schema)))
    asked = last_user_text(request).strip()
    return Turn(text=f"You said {len(asked)} characters, ending in: {asked[-80:]}" if asked else "Nothing was asked.")


def _fill(schema: Mapping[str, Any]) -> Any:
    """Return the smallest value that fits a JSON schema of the kinds clients use."""
    match schema.get("type"):
        case "object":
            return {name: _fill(part) for name, part in (schema.get("properties") or {}).items()}
        case "array":
            return []
        case "boolean":
            return False
        case "integer" | "number":
            return 0
        case _:
            choices = schema.get("enum")
            return choices[0] if choices else "A short title"
