"""Tool definitions: whose each is, and the listings of skills, commands and agents that older clients put inside them."""

from collections.abc import Iterator
from typing import Any

from proxy_core.attribution.cuts import UNATTRIBUTED, Cut, Need, Pending, Span, cut_text, merged
from proxy_core.attribution.members import cache_ttl, other_members
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.readers.dispatch import read_piece
from proxy_core.attribution.readers.listings import COMMAND_ENTRY, listing_spans
from proxy_core.attribution.rules.model import ListingRule, PieceRule, Place, Reader
from proxy_core.attribution.values import value_cuts


def definition_cuts(tool: Any, context: ElementContext) -> Iterator[Cut]:
    """Cut one entry of `tools`; as one piece, unless its description holds a listing."""
    if not isinstance(tool, dict):
        yield from value_cuts("", tool, UNATTRIBUTED, Part.DEFINITION)
        return
    source = _source(tool)
    kind = ContentKind.TOOL_DEFINITION
    listing = _listing_in(tool, context)
    if listing is None:
        cuts = list(value_cuts("", tool, source, Part.DEFINITION, kind))
    else:
        cuts = list(_with_listing(tool, source, listing, context))
    cuts[-1] = cuts[-1]._replace(cache_ttl=cache_ttl(tool))
    yield from cuts


def _source(tool: dict[str, Any]) -> Source | Pending:
    server, name, kind = tool.get("mcp_server_name"), tool.get("name"), tool.get("type")
    if isinstance(server, str):
        return Source(SourceType.MCP_SERVER, server)
    for wrapper in ("function", "toolSpec"):
        inner = tool.get(wrapper)
        if not isinstance(name, str) and isinstance(inner, dict):
            name = inner.get("name")
    if isinstance(name, str):
        return Pending(Need.TOOL, name)
    return Source(SourceType.TOOL, kind if isinstance(kind, str) else None)


def _listing_in(tool: dict[str, Any], context: ElementContext) -> tuple[ListingRule, int] | None:
    description = tool.get("description")
    if not isinstance(description, str):
        return None
    for rule in context.ruleset.client.listings:
        if tool.get("name") in rule.tools:
            at = description.find(rule.opener)
            if at >= 0:
                return rule, at + len(rule.opener)
    return None


def _with_listing(
    tool: dict[str, Any], source: Source | Pending, listing: tuple[ListingRule, int], context: ElementContext
) -> Iterator[Cut]:
    for key, value in tool.items():
        if key == "description":
            for span in _description_spans(value, source, listing, context):
                kind = ContentKind.TEXT if span.part is Part.LISTING else ContentKind.TOOL_DEFINITION
                yield cut_text("/description", value, span, kind=kind)
        elif key in {"name", "input_schema"}:
            yield from value_cuts(f"/{key}", value, source, Part.DEFINITION, ContentKind.TOOL_DEFINITION)
    flags = frozenset({"defer_loading", "eager_input_streaming", "strict"})
    yield from other_members(tool, "", ("description", "name", "input_schema"), flags, source)


def _description_spans(
    text: str, source: Source | Pending, listing: tuple[ListingRule, int], context: ElementContext
) -> list[Span]:
    rule, start = listing
    spans = [Span(0, start, source, Part.DEFINITION)]
    if rule.reader is Reader.XML_SKILLS:
        found = text.find("</available_skills>", start)
        end = found if found >= 0 else len(text)
        piece = PieceRule(
            opener="", places=Place.PROMPT, source=Source(rule.source_type), part=Part.LISTING, reader=rule.reader
        )
        spans += read_piece(text, start, end, piece, context)
    else:
        found = text.find("\n\n", start)
        end = found if found >= 0 else len(text)
        spans += listing_spans(text, start, end, rule.source_type, Source(SourceType.FRAMEWORK), COMMAND_ENTRY)
    spans.append(Span(end, len(text), source, Part.DEFINITION))
    return merged([span if span.part is Part.LISTING else span._replace(source=source, part=Part.DEFINITION) for span in spans])
