"""Blocks that carry media and documents: sizes and hashes, never payloads."""

from collections.abc import Iterator
from typing import Any

from proxy_core.attribution.cuts import Cut, Need, Pending, Span, cut_opaque, cut_text
from proxy_core.attribution.images import UNKNOWN_SIZE, image_facts
from proxy_core.attribution.members import FoundBlock, member_cuts, other_members, string_in
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.readers.files import mentioned_source
from proxy_core.attribution.values import string_cuts, value_cuts

_MEDIA_TYPE = frozenset({"media_type"})


def read_image(found: FoundBlock) -> Iterator[Cut]:
    """Cut an image: its size in bytes and pixels, not its data."""
    source, below = _file_of(found.block, found.context, found.holder), found.block.get("source")
    if isinstance(below, dict) and isinstance(below.get("data"), str):
        data = below["data"]
        span = Span(0, len(data), source, Part.IMAGE)
        yield cut_opaque(f"{found.pointer}/source/data", data, span, ContentKind.IMAGE, image_facts(data))
        yield from other_members(below, f"{found.pointer}/source", ("data",), _MEDIA_TYPE)
    elif below is not None:
        for cut in value_cuts(f"{found.pointer}/source", below, source, Part.IMAGE, ContentKind.IMAGE):
            yield cut._replace(image=UNKNOWN_SIZE)
    yield from other_members(found.block, found.pointer, ("source",), source=source)


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


def read_document(found: FoundBlock) -> Iterator[Cut]:
    """Cut a document: its text where it has some, else its size."""
    source, below = _file_of(found.block, found.context, found.holder), found.block.get("source")
    yield from _document_source(found, below, f"{found.pointer}/source", source)
    for key in ("title", "context"):
        if found.block.get(key) is not None:
            yield from value_cuts(f"{found.pointer}/{key}", found.block[key], source, Part.DOCUMENT, ContentKind.TEXT)
    yield from other_members(found.block, found.pointer, ("source", "title", "context"), source=source)


def _document_source(found: FoundBlock, below: Any, pointer: str, source: Source | Pending) -> Iterator[Cut]:
    if not isinstance(below, dict):
        yield from value_cuts(pointer, below, source, Part.DOCUMENT) if below is not None else ()
        return
    kind, data, content = below.get("type"), below.get("data"), below.get("content")
    if isinstance(data, str):
        span = Span(0, len(data), source, Part.DOCUMENT)
        is_text = kind == "text"
        yield (
            cut_text(f"{pointer}/data", data, span)
            if is_text
            else cut_opaque(f"{pointer}/data", data, span, ContentKind.DOCUMENT)
        )
        yield from other_members(below, pointer, ("data",), _MEDIA_TYPE)
    elif isinstance(content, list):
        for index, inner in enumerate(content):
            yield from found.inner(inner, f"{pointer}/content/{index}", found.context, source)
        yield from other_members(below, pointer, ("content",))
    elif isinstance(content, str):
        yield from string_cuts(f"{pointer}/content", content, source, Part.DOCUMENT, ContentKind.TEXT)
        yield from other_members(below, pointer, ("content",))
    else:
        yield from value_cuts(pointer, below, source, Part.DOCUMENT, ContentKind.DOCUMENT)


def read_search_result(found: FoundBlock) -> Iterator[Cut]:
    """Cut a search result that the client passed along."""
    source = found.holder or Source(SourceType.FILE, string_in(found.block, "source") or None)
    for key in ("source", "title"):
        if found.block.get(key) is not None:
            yield from value_cuts(f"{found.pointer}/{key}", found.block[key], source, Part.DOCUMENT, ContentKind.TEXT)
    content = found.block.get("content")
    for index, inner in enumerate(content if isinstance(content, list) else ()):
        yield from found.inner(inner, f"{found.pointer}/content/{index}", found.context, source)
    covered = ("source", "title", "content") if isinstance(content, list) else ("source", "title")
    yield from other_members(found.block, found.pointer, covered, source=source)


def read_upload(found: FoundBlock) -> Iterator[Cut]:
    """Cut the id of a file put into a container."""
    source = Source(SourceType.FILE, string_in(found.block, "file_id") or None)
    yield from member_cuts(found.block, found.pointer, source, Part.DOCUMENT, {"file_id": ContentKind.DOCUMENT})


def read_browser_state(found: FoundBlock) -> Iterator[Cut]:
    """Cut what a browser shows."""
    source = found.holder or Source(SourceType.TOOL, "browser")
    yield from member_cuts(
        found.block, found.pointer, source, Part.RESULT, {"tabs": ContentKind.JSON, "state_changes": ContentKind.JSON}
    )
