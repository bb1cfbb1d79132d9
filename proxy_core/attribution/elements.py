"""Cutting whole elements: one tool, one system block, one message. What was cut before is taken from the memo."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from proxy_core.attribution.blocks import block_cuts, text_cuts
from proxy_core.attribution.cuts import UNATTRIBUTED, Cut, CutElement, Need, Pending, Span, cut_text
from proxy_core.attribution.foreign_blocks import tool_call_cuts
from proxy_core.attribution.members import cache_ttl, other_members
from proxy_core.attribution.memo import Memo
from proxy_core.attribution.model import Part, Region, Source, SourceType
from proxy_core.attribution.normalising import normal_hash
from proxy_core.attribution.piece_context import ElementContext
from proxy_core.attribution.ruleset import Ruleset
from proxy_core.attribution.texts import cut_prompt
from proxy_core.attribution.tool_definitions import definition_cuts
from proxy_core.attribution.values import value_cuts
from proxy_core.dialects.prompts import Element

_MESSAGE_STRUCTURE = frozenset({"role", "output_config", "clear_at", "id", "tool_call_id"})
_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}

MEMO = Memo(max_entries=20_000, max_bytes=64_000_000)
"""Cut elements of recent requests; a conversation sends nearly all of them again."""


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts the elements of one request."""

    ruleset: Ruleset
    can_fold: bool
    """Reminders may stand at the end of tool results."""

    def tool(self, element: Element) -> CutElement:
        """Cut one entry of `tools`."""
        return self._remembered(Region.TOOLS, element)

    def system(self, element: Element) -> CutElement:
        """Cut one block of `system`, or the whole of it when it is a string."""
        return self._remembered(Region.SYSTEM, element)

    def message(self, element: Element) -> CutElement:
        """Cut one message."""
        return self._remembered(Region.MESSAGES, element)

    def _remembered(self, region: Region, element: Element) -> CutElement:
        digest = blake2b(element.raw, digest_size=16).digest()
        key = (digest, region, self.ruleset.key, self.can_fold)
        found = MEMO.get(key)
        if found is None:
            found = self._cut(region, element.value())
            MEMO.put(key, found, found.weight_bytes + 500)
        return found

    def _cut(self, region: Region, value: Any) -> CutElement:
        context = ElementContext(self.ruleset, can_fold=self.can_fold)
        if region is Region.TOOLS:
            cuts = tuple(definition_cuts(value, context))
        elif region is Region.SYSTEM:
            cuts = tuple(_system_cuts(value, context))
        else:
            cuts = tuple(_message_cuts(value, context))
        finished = _finished(cuts, context, normal_hash(value, region))
        if region is Region.TOOLS and isinstance(value, dict):
            _note_tool(finished, value)
        return finished


def _note_tool(element: CutElement, tool: dict[str, Any]) -> None:
    name, kind = tool.get("name"), tool.get("type")
    element.tool_name = name if isinstance(name, str) else None
    element.tool_type = kind if isinstance(kind, str) else "custom"
    element.is_deferred = tool.get("defer_loading") is True


def _finished(cuts: tuple[Cut, ...], context: ElementContext, normal: bytes) -> CutElement:
    return CutElement(
        cuts=cuts,
        role=context.role,
        calls=tuple(context.calls),
        launched=tuple(context.launched),
        servers=frozenset(context.servers),
        loaded=frozenset(context.loaded),
        mentioned=context.mentioned,
        typed=context.typed,
        addresses=tuple(context.addresses),
        normal_hash=normal,
        weight_bytes=sum(2 * len(cut.text) + 400 for cut in cuts),
        has_pending=any(not isinstance(cut.source, Source) for cut in cuts),
    )


def _system_cuts(value: Any, context: ElementContext) -> Iterator[Cut]:
    if isinstance(value, str):
        yield from _prompt_cuts("", value, context)
    elif isinstance(value, dict) and isinstance(value.get("text"), str):
        cuts = list(_prompt_cuts("/text", value["text"], context))
        yield from _marked(cuts, value, "/text")
        yield from other_members(value, "", ("text",))
    else:
        yield from value_cuts("", value, UNATTRIBUTED, Part.INSTRUCTIONS)


def _prompt_cuts(pointer: str, text: str, context: ElementContext) -> Iterator[Cut]:
    for span in cut_prompt(text, context) if text else ():
        yield cut_text(pointer, text, span)


def _marked(cuts: list[Cut], holder: dict[str, Any], pointer: str) -> list[Cut]:
    ttl = cache_ttl(holder)
    if ttl is None:
        return cuts
    cuts = cuts or [cut_text(pointer, "", Span(0, 0, Source(SourceType.FRAMEWORK, "system prompt"), Part.INSTRUCTIONS))]
    return [*cuts[:-1], cuts[-1]._replace(cache_ttl=ttl)]


def _message_cuts(value: Any, context: ElementContext) -> Iterator[Cut]:
    if not isinstance(value, dict):
        yield from value_cuts("", value, UNATTRIBUTED, Part.TEXT)
        return
    role = value.get("role")
    context.role = _ROLES.get(role) if isinstance(role, str) else None
    yield from _content_cuts(value.get("content"), context, _result_holder(value))
    covered = {"content"}
    if isinstance(value.get("tool_calls"), list):
        covered.add("tool_calls")
        yield from tool_call_cuts(value["tool_calls"], "/tool_calls", context)
    yield from other_members(value, "", covered, _MESSAGE_STRUCTURE)


def _result_holder(message: dict[str, Any]) -> Pending | None:
    """Say whose a message is that is a tool's answer as a whole."""
    call_id = message.get("tool_call_id")
    if message.get("role") != "tool" or not isinstance(call_id, str):
        return None
    return Pending(Need.CALL, call_id, 0, Source(SourceType.TOOL))


def _content_cuts(content: Any, context: ElementContext, holder: Pending | None) -> Iterator[Cut]:
    if isinstance(content, str):
        yield from text_cuts("/content", content, context, holder)
    elif isinstance(content, list):
        for index, block in enumerate(content):
            yield from block_cuts(block, f"/content/{index}", context, holder)
    elif isinstance(content, dict):
        yield from block_cuts(content, "/content", context, holder)
    elif content is not None:
        yield from value_cuts("/content", content, UNATTRIBUTED, Part.TEXT)
