"""Tool calls and their results: who is called, about what, and whose the answer is."""

from collections.abc import Iterator
from typing import Any

from proxy_core.attribution.cuts import Call, Cut, Need, Pending, cut_text
from proxy_core.attribution.members import FoundBlock, member_cuts, other_members, string_in
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.texts import cut_result_text
from proxy_core.attribution.values import string_cuts, value_cuts

_CALL_STRUCTURE = frozenset({"id", "toolset_name", "server_name"})
_SUBJECT_KEYS = (
    ("skill", "name", "skill_name", "command"),
    ("subagent_type", "agent", "agent_type"),
    ("server", "server_name", "serverName"),
    ("command",),
)
"""Members of a call's input that name its subject: of tools for skills, agents, resources, commands."""
_RESULT_STRUCTURE = frozenset({"tool_use_id", "is_error", "toolset_name"})


def call_cuts(found: FoundBlock) -> Iterator[Cut]:
    """Cut a tool call and note it, for results and for what follows from it."""
    call_id, name = string_in(found.block, "id"), string_in(found.block, "name")
    call = Call(call_id, name, _subject(found.block, name, found.context))
    found.context.calls.append(call)
    source: Source | Pending = Pending(Need.CALL, call_id, len(found.context.calls) - 1)
    if isinstance(found.block.get("server_name"), str):
        source = Source(SourceType.MCP_SERVER, found.block["server_name"])
        found.context.calls[-1] = call._replace(name=f"mcp__{found.block['server_name']}__{name}")
    kinds = {"name": ContentKind.TEXT, "input": ContentKind.JSON}
    yield from member_cuts(found.block, found.pointer, source, Part.CALL, kinds, _CALL_STRUCTURE)


def _subject(block: dict[str, Any], name: str, context: ElementContext) -> str | None:
    """Read whom a call is about: the skill, the agent type, the command or the server in its input."""
    speech, given = context.ruleset.client.speech, block.get("input")
    if not isinstance(given, dict):
        return None
    if name in speech.skill_readers:
        return _skill_of_file(given)
    tools = (speech.skill, speech.agent, speech.resource, speech.command)
    keys = next((keys for names, keys in zip(tools, _SUBJECT_KEYS, strict=True) if name in names), ())
    found = next((given[key] for key in keys if isinstance(given.get(key), str) and given[key]), None)
    return found.split()[0].removeprefix("/") if found and found.strip() else None


def _skill_of_file(given: dict[str, Any]) -> str | None:
    """Name the skill whose file is read: the folder that holds its `SKILL.md`."""
    path = given.get("path") or given.get("file_path")
    parts = path.replace("\\", "/").rsplit("/", 2) if isinstance(path, str) else []
    return parts[-2] if len(parts) > 1 and parts[-1] == "SKILL.md" else None


def result_cuts(found: FoundBlock) -> Iterator[Cut]:
    """Cut a tool result; the call under its id says whose it is."""
    call_id = string_in(found.block, "tool_use_id")
    source = Pending(Need.CALL, call_id, 0, Source(SourceType.TOOL))
    content = found.block.get("content")
    if isinstance(content, str):
        for span in cut_result_text(content, call_id, found.context) if content else []:
            yield cut_text(f"{found.pointer}/content", content, span)
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from found.inner(inner, f"{found.pointer}/content/{index}", found.context, source)
    elif content is not None:
        yield from value_cuts(f"{found.pointer}/content", content, source, Part.RESULT)
    yield from other_members(found.block, found.pointer, ("content",), _RESULT_STRUCTURE, source)


def server_result_cuts(found: FoundBlock) -> Iterator[Cut]:
    """Cut the result of a tool that the API itself runs."""
    source = Pending(Need.CALL, string_in(found.block, "tool_use_id"), 0, Source(SourceType.TOOL, _server_tool(found.block)))
    content = found.block.get("content")
    found.context.loaded.update(_references_in(content))
    if isinstance(content, dict) and isinstance(content.get("content"), dict) and content["content"].get("type") == "document":
        yield from found.inner(content["content"], f"{found.pointer}/content/content", found.context, source)
        if isinstance(content.get("url"), str):
            yield from string_cuts(f"{found.pointer}/content/url", content["url"], source, Part.RESULT, ContentKind.TEXT)
        covered = ("content", "url") if isinstance(content.get("url"), str) else ("content",)
        yield from other_members(content, f"{found.pointer}/content", covered, frozenset({"retrieved_at"}), source)
    elif content is not None:
        yield from value_cuts(f"{found.pointer}/content", content, source, Part.RESULT)
    yield from other_members(found.block, found.pointer, ("content",), _RESULT_STRUCTURE, source)


def _references_in(content: Any) -> Iterator[str]:
    references = content.get("tool_references") if isinstance(content, dict) else None
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict):
            yield string_in(reference, "tool_name")


def _server_tool(block: dict[str, Any]) -> str:
    return str(block["type"]).removesuffix("_tool_result")
