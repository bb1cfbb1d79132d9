"""Content blocks of the Messages API: which of their members are content, and of what kind.

Known blocks are read by a table of members; what stands in no table is `Unattributed` and shown.
"""

from collections.abc import Callable, Iterator
from typing import Any

from proxy_core.attribution import foreign_blocks, media_blocks
from proxy_core.attribution.calls import call_cuts, result_cuts, server_result_cuts
from proxy_core.attribution.cuts import ASSISTANT, UNATTRIBUTED, Cut, Need, Pending, Span, cut_text
from proxy_core.attribution.members import FoundBlock, cache_ttl, member_cuts, other_members, string_in
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.texts import cut_message_text
from proxy_core.attribution.values import value_cuts

type BlockReader = Callable[[FoundBlock], Iterator[Cut]]

_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_LONGEST_TYPE = 60


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
    reader = _reader_of(block)
    cuts = list(reader(FoundBlock(block, pointer, context, holder, block_cuts)) if reader else _unknown(block, pointer))
    ttl = cache_ttl(block)
    if ttl is not None:
        cuts = cuts or [cut_text(pointer, "", Span(0, 0, holder or UNATTRIBUTED, Part.TEXT))]
        cuts[-1] = cuts[-1]._replace(cache_ttl=ttl)
    yield from cuts


def _reader_of(block: dict[str, Any]) -> BlockReader | None:
    kind = block.get("type")
    if isinstance(kind, str):
        return _READERS.get(kind)
    return foreign_blocks.read_typeless if kind is None and foreign_blocks.telling_member(block) else None


def _stray(block: Any, pointer: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    if isinstance(block, str):
        yield from text_cuts(pointer, block, context, holder)
    else:
        yield from value_cuts(pointer, block, UNATTRIBUTED, Part.TEXT)


def text_cuts(pointer: str, text: str, context: ElementContext, holder: Source | Pending | None) -> Iterator[Cut]:
    """Cut a text by who speaks: a tool result's content by its holder, a message's by its role."""
    for span in cut_message_text(text, context, holder):
        yield cut_text(pointer, text, span)


def _unknown(block: dict[str, Any], pointer: str) -> Iterator[Cut]:
    kind = block.get("type")
    name = f"unknown:{kind[:_LONGEST_TYPE]}" if isinstance(kind, str) else "unknown block"
    yield from value_cuts(pointer, block, Source(SourceType.UNATTRIBUTED, name), Part.TEXT)


def _text(found: FoundBlock) -> Iterator[Cut]:
    text = found.block.get("text")
    if isinstance(text, str):
        yield from text_cuts(f"{found.pointer}/text", text, found.context, found.holder)
    yield from other_members(found.block, found.pointer, ("text",) if isinstance(text, str) else (), source=ASSISTANT)


def _thinking(found: FoundBlock) -> Iterator[Cut]:
    source = Source(SourceType.ASSISTANT, "thinking")
    yield from member_cuts(
        found.block,
        found.pointer,
        source,
        Part.THINKING,
        {"thinking": ContentKind.THINKING, "signature": ContentKind.OPAQUE, "data": ContentKind.OPAQUE},
    )


def _reference(found: FoundBlock) -> Iterator[Cut]:
    name = string_in(found.block, "tool_name")
    found.context.loaded.add(name)
    yield from member_cuts(found.block, found.pointer, Pending(Need.TOOL, name), Part.NAMES, {"tool_name": ContentKind.TEXT})


def _compaction(found: FoundBlock) -> Iterator[Cut]:
    kinds = {
        "content": ContentKind.TEXT,
        "encrypted_content": ContentKind.OPAQUE,
        "signature": ContentKind.OPAQUE,
        "tool_changes": ContentKind.JSON,
    }
    yield from member_cuts(found.block, found.pointer, Source(SourceType.SUMMARY), Part.TEXT, kinds)


def _mcp_listing(found: FoundBlock) -> Iterator[Cut]:
    source = Source(SourceType.MCP_SERVER, string_in(found.block, "mcp_server_name") or None)
    kinds = {"tools": ContentKind.TOOL_DEFINITION}
    yield from member_cuts(found.block, found.pointer, source, Part.DEFINITION, kinds, frozenset({"mcp_server_name"}))


def _tool_change(found: FoundBlock) -> Iterator[Cut]:
    tool = found.block.get("tool")
    below = tool if isinstance(tool, dict) else {}
    definition = below.get("definition")
    server = string_in(below, "server_name")
    name = string_in(definition if isinstance(definition, dict) else below, "name")
    source = Source(SourceType.MCP_SERVER, server) if server else Pending(Need.TOOL, name)
    kind = ContentKind.TOOL_DEFINITION if isinstance(definition, dict) else ContentKind.JSON
    yield from member_cuts(found.block, found.pointer, source, Part.DEFINITION, {"tool": kind})


def _fallback(found: FoundBlock) -> Iterator[Cut]:
    kinds = dict.fromkeys(("from", "to", "trigger"), ContentKind.NOT_RENDERED)
    yield from member_cuts(found.block, found.pointer, Source(SourceType.FRAMEWORK, "fallback"), Part.SETTINGS, kinds)


_READERS: dict[str, BlockReader] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "thinking": _thinking,
    "redacted_thinking": _thinking,
    **dict.fromkeys(_CALLS, call_cuts),
    "tool_result": result_cuts,
    "mcp_tool_result": result_cuts,
    **dict.fromkeys(
        (
            "web_search_tool_result",
            "web_fetch_tool_result",
            "code_execution_tool_result",
            "bash_code_execution_tool_result",
            "text_editor_code_execution_tool_result",
            "tool_search_tool_result",
            "advisor_tool_result",
        ),
        server_result_cuts,
    ),
    "tool_reference": _reference,
    "image": media_blocks.read_image,
    "document": media_blocks.read_document,
    "search_result": media_blocks.read_search_result,
    "compaction": _compaction,
    "mcp_tool_listing": _mcp_listing,
    "tool_addition": _tool_change,
    "tool_removal": _tool_change,
    "container_upload": media_blocks.read_upload,
    "browser_state": media_blocks.read_browser_state,
    "fallback": _fallback,
    "image_url": foreign_blocks.read_image_url,
}
