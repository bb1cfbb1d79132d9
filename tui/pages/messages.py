"""The request and response tabs: the conversation as it was sent, by message and source, and the answer put back together.

Long pieces are cut here and read whole in their own window. Must not parse anything: it gets segments and blocks.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.style import Style

from proxy_core.attribution.model import ContentKind, Part, Region, Segment
from proxy_core.dialects.base import ParsedResponse
from storage.views import BodyFacts
from tui import format as fmt
from tui.colours import KINDS, kind_colour
from tui.pages.sheet import Sheet, wrap
from tui.theme import ink, readable

_SHOWN_LINES: Final = 10
_SHOWN_CHARS: Final = 6_000
_NOT_KEPT: Final = (
    "It was recorded with --no-bodies, or is older than what is kept. Sizes, sources, tokens and cost are still known."
)


def write_request(sheet: Sheet, segments: Sequence[Segment], body: BodyFacts | None = None) -> None:
    """Write every segment of a request under its message, newest message first, since that is what was asked."""
    if body is not None and not body.is_kept:
        sheet.heading("Texts were not kept")
        sheet.text(_NOT_KEPT, sheet.inks.muted)
    if not segments:
        sheet.heading("No prompt")
        sheet.text("This request carries no conversation, or it has not been analysed yet; see the JSON tab.", sheet.inks.muted)
        return
    numbered = list(enumerate(segments))
    messages = [item for item in numbered if item[1].region is Region.MESSAGES]
    by_message = [(index, list(items)) for index, items in groupby(messages, key=lambda item: item[1].message_index)]
    for message_index, items in reversed(by_message):
        role = items[0][1].role or "message"
        newest = ", the newest" if message_index == by_message[-1][0] else ""
        sheet.heading(role, f"message {message_index}{newest}" if message_index is not None else "")
        _write_segments(sheet, items)
    for region, title in ((Region.SYSTEM, "system"), (Region.TOOLS, "tools"), (Region.SETTINGS, "settings")):
        items = [item for item in numbered if item[1].region is region]
        if items:
            sheet.heading(title, f"{len(items)} segment{'' if len(items) == 1 else 's'}")
            _write_segments(sheet, items)


def write_response(
    sheet: Sheet, response: ParsedResponse | None, body: BodyFacts | None = None, error: str | None = None
) -> None:
    """Write the answer, its blocks joined from the stream; where there is none, why (`error`)."""
    if body is not None and not body.is_kept:
        sheet.heading("The answer was not kept", fmt.size(body.wire_bytes))
        sheet.text(_NOT_KEPT, sheet.inks.muted)
        return
    if response is None:
        sheet.heading("No answer" if error else "No answer yet")
        if error:
            sheet.text(f"✗ {fmt.one_line(error)}", sheet.inks.error)
        else:
            sheet.text("It stands here when it has ended.", sheet.inks.muted)
        return
    end = "" if response.is_complete else "cut off"
    sheet.heading("Answer", " · ".join(part for part in (response.model, response.stop_reason, end) if part))
    if response.error_type or response.error_message:
        sheet.text(f"✗ {response.error_type or 'error'}: {response.error_message or ''}", sheet.inks.error)
    for block in response.blocks:
        _write_block(sheet, block)
    if not response.blocks and not response.error_type:
        sheet.text("no content", sheet.inks.muted)
    if response.counted_tokens is not None:
        sheet.pair("counted", f"{fmt.whole(response.counted_tokens)} tokens")
    for warning in response.warnings:
        sheet.text(f"· {warning}", sheet.inks.warning)


def _write_segments(sheet: Sheet, items: Sequence[tuple[int, Segment]]) -> None:
    """Write segments; one that goes on where the one before ended (a call's name, its input) needs no name of its own."""
    before: Segment | None = None
    for index, segment in items:
        goes_on = before is not None and (before.source, before.part) == (segment.source, segment.part) and _is_call(segment)
        _write_segment(sheet, index, segment, has_name=not goes_on or bool(segment.cache_ttl) or segment.is_uncertain)
        before = segment


def _is_call(segment: Segment) -> bool:
    return segment.part is Part.CALL and segment.pointer.endswith("/input")


def _write_segment(sheet: Sheet, index: int, segment: Segment, *, has_name: bool) -> None:
    start = len(sheet.lines)
    kind = segment.source.source_type
    colour = ink(kind_colour(kind, is_dark=sheet.inks.is_dark))
    name = KINDS[kind].label + (f": {fmt.one_line(segment.source.source_name)}" if segment.source.source_name else "")
    cached = f"  ◆ cached {segment.cache_ttl}" if segment.cache_ttl else ""
    unsure = "  ? unsure" if segment.is_uncertain else ""
    if has_name:
        sheet.line(
            (" ▎", colour),
            (name, readable(kind_colour(kind, is_dark=sheet.inks.is_dark), is_dark=sheet.inks.is_dark)),
            (f"  {segment.part.value}", sheet.inks.muted),
            (cached, sheet.inks.accent),
            (unsure, sheet.inks.warning),
        )
    text = segment.text[:_SHOWN_CHARS]
    if not text:
        text = f"[{segment.content_kind.value}, {fmt.size(segment.content_bytes)}]"
    _write_cut(sheet, text, len(segment.text) - len(text), colour, is_code=segment.content_kind is not ContentKind.TEXT)
    sheet.link(index, start)


def _write_cut(sheet: Sheet, text: str, hidden_chars: int, colour: Style, *, is_code: bool) -> None:
    """Write the beginning of a text, and how much more there is."""
    lines = wrap(text.strip("\n"), max(10, sheet.width - 5))
    for line in lines[:_SHOWN_LINES]:
        sheet.line((" ▎ ", colour), (line, sheet.inks.muted if is_code else sheet.inks.plain))
    if len(lines) > _SHOWN_LINES or hidden_chars > 0:
        more = f"… {len(lines) - _SHOWN_LINES}{'+' if hidden_chars > 0 else ''} more lines, Enter to read"
        sheet.line((" ▎ ", colour), (more, sheet.inks.muted))


def _write_block(sheet: Sheet, block: Mapping[str, Any]) -> None:
    kind = str(block.get("type", "block"))
    sheet.gap()
    if kind == "text":
        sheet.text(str(block.get("text", "")))
    elif kind in {"thinking", "redacted_thinking"}:
        sheet.text("thinking", sheet.inks.accent)
        sheet.text(str(block.get("thinking") or "[not visible on the wire]"), sheet.inks.muted, indent=3)
    elif kind.endswith("tool_use"):
        sheet.text(f"→ {block.get('name', 'tool')}", sheet.inks.accent)
        sheet.text(json.dumps(block.get("input", {}), indent=2, ensure_ascii=False), sheet.inks.plain, indent=3)
    else:
        sheet.text(f"[{kind}]", sheet.inks.accent)
        sheet.text(json.dumps(block, indent=2, ensure_ascii=False, default=str)[:_SHOWN_CHARS], sheet.inks.muted, indent=3)
