"""Content blocks of the Messages API: which of their members are content, and of what kind.

Known blocks are read by a table of members; what stands in no table is `Unattributed` and shown.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from proxy_core.attribution.cuts import ASSISTANT, UNATTRIBUTED, Call, Cut, Need, Pending, Span, cut_opaque, cut_text
from proxy_core.attribution.images import UNKNOWN_SIZE, image_facts
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.piece_readers import mentioned_source
from proxy_core.attribution.texts import cut_assistant_text, cut_result_block, cut_result_text, cut_system_message, cut_user_text
from proxy_core.attribution.values import string_cuts, value_cuts
from proxy_core.dialects.wire_json import escape_token

type BlockReader = Callable[[dict[str, Any], str, ElementContext, Source | Pending | None], Iterator[Cut]]

_STRUCTURE = frozenset({"type", "cache_control"})
_SIDE_NOTES = frozenset({"citations", "transformations", "caller"})
"""Members that are on the wire but not in the prompt."""
_CALL_KINDS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_LONGEST_TYPE = 60
_LONGEST_PLAIN = 300
_CALL_STRUCTURE = frozenset({"id", "toolset_name", "server_name"})
_RESULT_STRUCTURE = frozenset({"tool_use_id", "is_error", "toolset_name"})
_MEDIA_TYPE = frozenset({"media_type"})


def block_cuts(block: Any, pointer: str, context: ElementContext, holder: Source | Pending | None = None) -> Iterator[Cut]:
    """Cut one content block, its cache mark on its last piece.

    Args:
        block: The block as decoded; anything at all.
        pointer: Where it stands below its element.
        context: What earlier blocks of the element said.
        holder: Whose the block is when it stands inside another (a tool result's content), else `None`.
    """
    if not isinstance(block, dict):
        yield from _stray(block, pointer, context, holder)
        return
    kind = block.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    cuts = list(reader(block, pointer, context, holder) if reader else _unknown(block, pointer))
    ttl = cache_ttl(block)
    if ttl is not None:
        cuts = cuts or [cut_text(pointer, "", Span(0, 0, holder or UNATTRIBUTED, Part.TEXT))]
        cuts[-1] = cuts[-1]._replace(cache_ttl=ttl)
    yield from cuts


def cache_ttl(holder: dict[str, Any]) -> str | None:
    """Return how long the cache mark on a block, tool or request asks for; `None` when there is none."""
    mark = holder.get("cache_control")
    if not isinstance(mark, dict):
        return None
    return "1h" if mark.get("ttl") == "1h" else "5m"


def _stray(block: Any, pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    if isinstance(block, str):
        yield from text_cuts(pointer, block, context, holder)
    else:
        yield from value_cuts(pointer, block, UNATTRIBUTED, Part.TEXT)


def text_cuts(pointer: str, text: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    """Cut a text by who speaks: a tool result's content by its holder, a message's by its role."""
    for span in _spans(text, context, holder):
        yield cut_text(pointer, text, span)


def _spans(text: str, context: ElementContext, holder: Source | Pending | None) -> list[Span]:
    if not text:
        return []
    if isinstance(holder, Pending) and holder.need is Need.CALL:
        return cut_result_block(text, holder.key, context)
    if holder is not None:
        return [Span(0, len(text), holder, Part.RESULT)]
    if context.role == "assistant":
        return cut_assistant_text(text, context)
    if context.role in {"system", "developer"}:
        return cut_system_message(text, context)
    if context.role == "user":
        return cut_user_text(text, context)
    return [Span(0, len(text), UNATTRIBUTED, Part.TEXT)]


def other_members(
    block: dict[str, Any],
    pointer: str,
    covered: Collection[str],
    structure: frozenset[str] = frozenset(),
    source: Source | Pending | None = None,
) -> Iterator[Cut]:
    """Cut the members that a reader did not: side notes as such, anything else as unattributed.

    Args:
        block: The whole block.
        pointer: Where it stands.
        covered: Members already cut.
        structure: Members that are no content as long as they are plain values: ids, flags.
        source: Whose side notes are.
    """
    for key, value in block.items():
        if key in covered or value is None or ((key in _STRUCTURE or key in structure) and is_plain(value)):
            continue
        below = f"{pointer}/{escape_token(key)}"
        if key in _SIDE_NOTES:
            yield from value_cuts(below, value, source or UNATTRIBUTED, Part.TEXT, ContentKind.NOT_RENDERED)
        else:
            yield from value_cuts(below, value, Source(SourceType.UNATTRIBUTED, "unknown member"), Part.TEXT)


def is_plain(value: Any) -> bool:
    """Tell whether a value can be an id, a flag or a mark: short, and at most one level deep."""
    if isinstance(value, dict):
        return len(value) <= 8 and all(not isinstance(member, dict | list) and is_plain(member) for member in value.values())
    return not isinstance(value, list) and (not isinstance(value, str) or len(value) <= _LONGEST_PLAIN)


def _unknown(block: dict[str, Any], pointer: str) -> Iterator[Cut]:
    kind = block.get("type")
    name = f"unknown:{kind[:_LONGEST_TYPE]}" if isinstance(kind, str) else "unknown block"
    yield from value_cuts(pointer, block, Source(SourceType.UNATTRIBUTED, name), Part.TEXT)


def _text(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    text = block.get("text")
    if isinstance(text, str):
        yield from text_cuts(f"{pointer}/text", text, context, holder)
    yield from other_members(block, pointer, ("text",) if isinstance(text, str) else (), source=ASSISTANT)


def _thinking(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source = Source(SourceType.ASSISTANT, "thinking")
    yield from _members(block, pointer, source, Part.THINKING, {"thinking": ContentKind.THINKING, "signature": ContentKind.OPAQUE, "data": ContentKind.OPAQUE})


def _members(
    block: dict[str, Any], pointer: str, source: Source | Pending, part: Part, kinds: dict[str, ContentKind], skip: frozenset[str] = frozenset()
) -> Iterator[Cut]:
    for key, kind in kinds.items():
        if block.get(key) is not None:
            yield from value_cuts(f"{pointer}/{key}", block[key], source, part, kind)
    yield from other_members(block, pointer, kinds, skip, source)


def _call(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    call_id, name = _string(block, "id"), _string(block, "name")
    call = Call(call_id, name, _subject(block, name, context))
    context.calls.append(call)
    source: Source | Pending = Pending(Need.CALL, call_id, len(context.calls) - 1)
    if isinstance(block.get("server_name"), str):
        source = Source(SourceType.MCP_SERVER, block["server_name"])
        context.calls[-1] = call._replace(name=f"mcp__{block['server_name']}__{name}")
    kinds = {"name": ContentKind.TEXT, "input": ContentKind.JSON}
    yield from _members(block, pointer, source, Part.CALL, kinds, _CALL_STRUCTURE)


def _subject(block: dict[str, Any], name: str, context: ElementContext) -> str | None:
    """Read whom a call is about: the skill, the agent type, the command or the server in its input."""
    speech, given = context.ruleset.client.speech, block.get("input")
    if not isinstance(given, dict):
        return None
    if name in speech.skill_readers:
        return _skill_of_file(given)
    keys = (
        ("skill", "name", "skill_name", "command")
        if name in speech.skill
        else ("subagent_type", "agent", "agent_type")
        if name in speech.agent
        else ("server", "server_name", "serverName")
        if name in speech.resource
        else ("command",)
        if name in speech.command
        else ()
    )
    found = next((given[key] for key in keys if isinstance(given.get(key), str) and given[key]), None)
    return found.split()[0].removeprefix("/") if found and found.strip() else None


def _skill_of_file(given: dict[str, Any]) -> str | None:
    """Name the skill whose file is read: the folder that holds its `SKILL.md`."""
    path = given.get("path") or given.get("file_path")
    parts = path.replace("\\", "/").rsplit("/", 2) if isinstance(path, str) else []
    return parts[-2] if len(parts) > 1 and parts[-1] == "SKILL.md" else None


def _result(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    call_id = _string(block, "tool_use_id")
    source = Pending(Need.CALL, call_id, 0, Source(SourceType.TOOL))
    content = block.get("content")
    if isinstance(content, str):
        for span in cut_result_text(content, call_id, context) if content else []:
            yield cut_text(f"{pointer}/content", content, span)
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from block_cuts(inner, f"{pointer}/content/{index}", context, source)
    elif content is not None:
        yield from value_cuts(f"{pointer}/content", content, source, Part.RESULT)
    yield from other_members(block, pointer, ("content",), _RESULT_STRUCTURE, source)


def _server_result(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source = Pending(Need.CALL, _string(block, "tool_use_id"), 0, Source(SourceType.TOOL, _server_tool(block)))
    content = block.get("content")
    context.loaded.update(_references_in(content))
    if isinstance(content, dict) and isinstance(content.get("content"), dict) and content["content"].get("type") == "document":
        yield from block_cuts(content["content"], f"{pointer}/content/content", context, source)
        if isinstance(content.get("url"), str):
            yield from string_cuts(f"{pointer}/content/url", content["url"], source, Part.RESULT, ContentKind.TEXT)
        covered = ("content", "url") if isinstance(content.get("url"), str) else ("content",)
        yield from other_members(content, f"{pointer}/content", covered, frozenset({"retrieved_at"}), source)
    elif content is not None:
        yield from value_cuts(f"{pointer}/content", content, source, Part.RESULT)
    yield from other_members(block, pointer, ("content",), _RESULT_STRUCTURE, source)


def _references_in(content: Any) -> Iterator[str]:
    references = content.get("tool_references") if isinstance(content, dict) else None
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict):
            yield _string(reference, "tool_name")


def _server_tool(block: dict[str, Any]) -> str:
    return str(block["type"]).removesuffix("_tool_result")


def _reference(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    name = _string(block, "tool_name")
    context.loaded.add(name)
    yield from _members(block, pointer, Pending(Need.TOOL, name), Part.NAMES, {"tool_name": ContentKind.TEXT})


def _image(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source, below = _file_of(block, context, holder), block.get("source")
    if isinstance(below, dict) and isinstance(below.get("data"), str):
        data = below["data"]
        span = Span(0, len(data), source, Part.IMAGE)
        yield cut_opaque(f"{pointer}/source/data", data, span, ContentKind.IMAGE, image_facts(data))
        yield from other_members(below, f"{pointer}/source", ("data",), _MEDIA_TYPE)
    elif below is not None:
        for cut in value_cuts(f"{pointer}/source", below, source, Part.IMAGE, ContentKind.IMAGE):
            yield cut._replace(image=UNKNOWN_SIZE)
    yield from other_members(block, pointer, ("source",), source=source)


def _file_of(block: dict[str, Any], context: ElementContext, holder: Source | Pending | None) -> Source | Pending:
    """Name whose a file is: its tool result's, the one just mentioned, or one that the user added."""
    if holder is not None:
        return holder
    title = block.get("title")
    if isinstance(title, str) and title:
        return Source(SourceType.FILE, title)
    if context.mentioned is not None:
        return mentioned_source(context)
    return Pending(Need.MENTION, "", 0, Source(SourceType.FILE))


def _document(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source, below = _file_of(block, context, holder), block.get("source")
    yield from _document_source(below, f"{pointer}/source", source, context)
    for key in ("title", "context"):
        if block.get(key) is not None:
            yield from value_cuts(f"{pointer}/{key}", block[key], source, Part.DOCUMENT, ContentKind.TEXT)
    yield from other_members(block, pointer, ("source", "title", "context"), source=source)


def _document_source(below: Any, pointer: str, source: Source | Pending, context: ElementContext) -> Iterator[Cut]:
    if not isinstance(below, dict):
        yield from value_cuts(pointer, below, source, Part.DOCUMENT) if below is not None else ()
        return
    kind, data, content = below.get("type"), below.get("data"), below.get("content")
    if isinstance(data, str):
        span = Span(0, len(data), source, Part.DOCUMENT)
        is_text = kind == "text"
        yield cut_text(f"{pointer}/data", data, span) if is_text else cut_opaque(f"{pointer}/data", data, span, ContentKind.DOCUMENT)
        yield from other_members(below, pointer, ("data",), _MEDIA_TYPE)
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from block_cuts(inner, f"{pointer}/content/{index}", context, source)
        yield from other_members(below, pointer, ("content",))
    elif isinstance(content, str):
        yield from string_cuts(f"{pointer}/content", content, source, Part.DOCUMENT, ContentKind.TEXT)
        yield from other_members(below, pointer, ("content",))
    else:
        yield from value_cuts(pointer, below, source, Part.DOCUMENT, ContentKind.DOCUMENT)


def _search_result(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source = holder or Source(SourceType.FILE, _string(block, "source") or None)
    for key in ("source", "title"):
        if block.get(key) is not None:
            yield from value_cuts(f"{pointer}/{key}", block[key], source, Part.DOCUMENT, ContentKind.TEXT)
    content = block.get("content")
    for index, inner in enumerate(content if isinstance(content, list) else ()):
        yield from block_cuts(inner, f"{pointer}/content/{index}", context, source)
    covered = ("source", "title", "content") if isinstance(content, list) else ("source", "title")
    yield from other_members(block, pointer, covered, source=source)


def _compaction(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    kinds = {"content": ContentKind.TEXT, "encrypted_content": ContentKind.OPAQUE, "signature": ContentKind.OPAQUE, "tool_changes": ContentKind.JSON}
    yield from _members(block, pointer, Source(SourceType.SUMMARY), Part.TEXT, kinds)


def _mcp_listing(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source = Source(SourceType.MCP_SERVER, _string(block, "mcp_server_name") or None)
    kinds = {"tools": ContentKind.TOOL_DEFINITION}
    yield from _members(block, pointer, source, Part.DEFINITION, kinds, frozenset({"mcp_server_name"}))


def _tool_change(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    tool = block.get("tool")
    below = tool if isinstance(tool, dict) else {}
    definition = below.get("definition")
    server = _string(below, "server_name")
    name = _string(definition if isinstance(definition, dict) else below, "name")
    source = Source(SourceType.MCP_SERVER, server) if server else Pending(Need.TOOL, name)
    kind = ContentKind.TOOL_DEFINITION if isinstance(definition, dict) else ContentKind.JSON
    yield from _members(block, pointer, source, Part.DEFINITION, {"tool": kind})


def _upload(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source = Source(SourceType.FILE, _string(block, "file_id") or None)
    yield from _members(block, pointer, source, Part.DOCUMENT, {"file_id": ContentKind.DOCUMENT})


def _browser_state(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    source = holder or Source(SourceType.TOOL, "browser")
    yield from _members(block, pointer, source, Part.RESULT, {"tabs": ContentKind.JSON, "state_changes": ContentKind.JSON})


def _fallback(block: dict[str, Any], pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    kinds = dict.fromkeys(("from", "to", "trigger"), ContentKind.NOT_RENDERED)
    yield from _members(block, pointer, Source(SourceType.FRAMEWORK, "fallback"), Part.SETTINGS, kinds)


def _string(block: dict[str, Any], key: str) -> str:
    value = block.get(key)
    return value if isinstance(value, str) else ""


_READERS: dict[str, BlockReader] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "thinking": _thinking,
    "redacted_thinking": _thinking,
    **dict.fromkeys(_CALL_KINDS, _call),
    "tool_result": _result,
    "mcp_tool_result": _result,
    **dict.fromkeys(
        (
            "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result", "bash_code_execution_tool_result",
            "text_editor_code_execution_tool_result", "tool_search_tool_result", "advisor_tool_result",
        ),
        _server_result,
    ),
    "tool_reference": _reference,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "compaction": _compaction,
    "mcp_tool_listing": _mcp_listing,
    "tool_addition": _tool_change,
    "tool_removal": _tool_change,
    "container_upload": _upload,
    "browser_state": _browser_state,
    "fallback": _fallback,
}  # fmt: skip
