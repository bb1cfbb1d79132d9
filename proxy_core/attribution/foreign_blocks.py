"""Blocks of related APIs: parts of chat completions, and the Converse API's, which have no type but one telling member."""

from collections.abc import Iterator
from typing import Any

from proxy_core.attribution.cuts import Call, Cut, Need, Pending, Span, cut_opaque, cut_text
from proxy_core.attribution.images import UNKNOWN_SIZE, image_facts
from proxy_core.attribution.members import FoundBlock, member_cuts, other_members, string_in
from proxy_core.attribution.model import ContentKind, Part, Source, SourceType
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.texts import cut_message_text
from proxy_core.attribution.values import value_cuts

_CALL_STRUCTURE = frozenset({"toolUseId", "status", "type"})
_ASSISTANT_THINKING = Source(SourceType.ASSISTANT, "thinking")


def telling_member(block: dict[str, Any]) -> str | None:
    """Return the member that says what a block without a type is; `None` when none does."""
    return next((key for key in block if key in _BY_MEMBER), None)


def read_typeless(found: FoundBlock) -> Iterator[Cut]:
    """Cut a block of the Converse API."""
    member = telling_member(found.block)
    assert member is not None
    value = found.block[member]
    if member == "text" or not isinstance(value, dict):
        yield from _plain_member(found, member, value)
    else:
        yield from _BY_MEMBER[member](found._replace(block=value, pointer=f"{found.pointer}/{member}"))
    yield from other_members(found.block, found.pointer, (member,))


def _plain_member(found: FoundBlock, member: str, value: Any) -> Iterator[Cut]:
    pointer = f"{found.pointer}/{member}"
    if isinstance(value, str):
        for span in cut_message_text(value, found.context, found.holder):
            yield cut_text(pointer, value, span)
    elif value is not None:
        yield from value_cuts(pointer, value, found.holder or Source(SourceType.UNATTRIBUTED), Part.TEXT)


def _call(found: FoundBlock) -> Iterator[Cut]:
    call_id, name = string_in(found.block, "toolUseId"), string_in(found.block, "name")
    found.context.calls.append(Call(call_id, name))
    kinds = {"name": ContentKind.TEXT, "input": ContentKind.JSON}
    yield from member_cuts(found.block, found.pointer, Pending(Need.CALL, call_id), Part.CALL, kinds, _CALL_STRUCTURE)


def _result(found: FoundBlock) -> Iterator[Cut]:
    source = Pending(Need.CALL, string_in(found.block, "toolUseId"), 0, Source(SourceType.TOOL))
    content = found.block.get("content")
    for index, inner in enumerate(content if isinstance(content, list) else ()):
        yield from found.inner(inner, f"{found.pointer}/content/{index}", found.context, source)
    covered = ("content",) if isinstance(content, list) else ()
    yield from other_members(found.block, found.pointer, covered, _CALL_STRUCTURE, source)


def _media(found: FoundBlock) -> Iterator[Cut]:
    source = found.holder or Source(SourceType.FILE, string_in(found.block, "name") or None)
    below = found.block.get("source")
    data = below.get("bytes") if isinstance(below, dict) else None
    if isinstance(below, dict) and isinstance(data, str):
        yield _payload(f"{found.pointer}/source/bytes", data, source, is_image="name" not in found.block)
        yield from other_members(below, f"{found.pointer}/source", ("bytes",))
    elif below is not None:
        yield from value_cuts(f"{found.pointer}/source", below, source, Part.DOCUMENT, ContentKind.DOCUMENT)
    yield from other_members(found.block, found.pointer, ("source",), frozenset({"format", "name"}), source)


def _payload(pointer: str, data: str, source: Source | Pending, *, is_image: bool) -> Cut:
    span = Span(0, len(data), source, Part.IMAGE if is_image else Part.DOCUMENT)
    if is_image:
        return cut_opaque(pointer, data, span, ContentKind.IMAGE, image_facts(data))
    return cut_opaque(pointer, data, span, ContentKind.DOCUMENT)


def _reasoning(found: FoundBlock) -> Iterator[Cut]:
    text = found.block.get("reasoningText")
    if isinstance(text, dict):
        kinds = {"text": ContentKind.THINKING, "signature": ContentKind.OPAQUE}
        yield from member_cuts(text, f"{found.pointer}/reasoningText", _ASSISTANT_THINKING, Part.THINKING, kinds)
    hidden = found.block.get("redactedContent")
    if hidden is not None:
        pointer = f"{found.pointer}/redactedContent"
        yield from value_cuts(pointer, hidden, _ASSISTANT_THINKING, Part.THINKING, ContentKind.OPAQUE)
    covered = ("reasoningText", "redactedContent") if isinstance(text, dict) else ("redactedContent",)
    yield from other_members(found.block, found.pointer, covered)


def _json(found: FoundBlock) -> Iterator[Cut]:
    yield from value_cuts(found.pointer, found.block, found.holder or Source(SourceType.UNATTRIBUTED), Part.RESULT)


def _mark(found: FoundBlock) -> Iterator[Cut]:
    yield from other_members(found.block, found.pointer, ())


_BY_MEMBER = {
    "text": _json,
    "toolUse": _call,
    "toolResult": _result,
    "image": _media,
    "document": _media,
    "video": _media,
    "reasoningContent": _reasoning,
    "json": _json,
    "cachePoint": _mark,
}


def read_image_url(found: FoundBlock) -> Iterator[Cut]:
    """Cut an image of a chat completion: an address, or a payload in an address."""
    source = found.holder or Source(SourceType.FILE)
    below = found.block.get("image_url")
    url = below.get("url") if isinstance(below, dict) else below
    if isinstance(url, str):
        pointer = f"{found.pointer}/image_url/url" if isinstance(below, dict) else f"{found.pointer}/image_url"
        yield _image_at(pointer, url, source)
        if isinstance(below, dict):
            yield from other_members(below, f"{found.pointer}/image_url", ("url",), frozenset({"detail"}))
    elif below is not None:
        yield from value_cuts(f"{found.pointer}/image_url", below, source, Part.IMAGE)
    yield from other_members(found.block, found.pointer, ("image_url",))


def _image_at(pointer: str, url: str, source: Source | Pending) -> Cut:
    span = Span(0, len(url), source, Part.IMAGE)
    if url.startswith("data:"):
        return cut_opaque(pointer, url, span, ContentKind.IMAGE, image_facts(url.partition(",")[2]))
    return cut_text(pointer, url, span, kind=ContentKind.IMAGE, image=UNKNOWN_SIZE)


def tool_call_cuts(calls: list[Any], pointer: str, context: ElementContext) -> Iterator[Cut]:
    """Cut the tool calls of an assistant message of a chat completion."""
    for index, call in enumerate(calls):
        at = f"{pointer}/{index}"
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict):
            yield from value_cuts(at, call, Source(SourceType.UNATTRIBUTED), Part.CALL)
            continue
        call_id = string_in(call, "id")
        context.calls.append(Call(call_id, string_in(function, "name")))
        kinds = {"name": ContentKind.TEXT, "arguments": ContentKind.JSON}
        yield from member_cuts(function, f"{at}/function", Pending(Need.CALL, call_id), Part.CALL, kinds)
        yield from other_members(call, at, ("function",), frozenset({"id", "index"}))
