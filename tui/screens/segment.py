"""One segment, read whole: highlighted text, where it stands, its hash, when it came first and how often it was carried."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from proxy_core.attribution.model import ContentKind, Segment
from proxy_core.attribution.tokens.rendering import COUNTED_KINDS
from storage.insights.carry import CarriedContent
from tui import format as fmt
from tui.colours import KINDS, kind_colour
from tui.command import CommandGroup, bindings
from tui.live_commands import CopyText
from tui.pages.source_text import write_source
from tui.screens.dialog import Dialog
from tui.widgets.page_view import PageView


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReading:
    """A segment and its history."""

    segment: Segment
    figures: str
    """Tokens and cost, for people."""
    first_id: int | None
    """The first exchange that carried the same content; `None`: not known."""
    carried: int | None
    """How many exchanges carried it; `None`: not known."""


class SegmentScreen(Dialog[None]):
    """The text of a segment."""

    BINDINGS: ClassVar = bindings(CommandGroup("Segment", (CopyText,)))

    def __init__(self, reading: SegmentReading) -> None:
        super().__init__()
        self._reading = reading

    @property
    def segment(self) -> Segment:
        """The segment that is shown."""
        return self._reading.segment

    def show_carry(self, carry: CarriedContent) -> None:
        """Add what carrying it has cost, which takes longer to be found."""
        self.query_one("#facts", Static).update(facts(self._reading, carry))

    def compose_box(self) -> Iterator[Widget]:
        """Lay out facts and text."""
        yield Static(facts(self._reading), id="facts")
        yield PageView(id="segment-text")

    def on_mount(self) -> None:
        """Name the source in the frame and write the text."""
        segment = self._reading.segment
        kind = segment.source.source_type
        name = KINDS[kind].label + (f": {fmt.one_line(segment.source.source_name)}" if segment.source.source_name else "")
        box = self.query_one("#dialog")
        box.border_title = f" {fmt.fit(name, min(70, len(name)))} · {segment.part.value} "
        box.styles.border = ("round", kind_colour(kind, is_dark=self.app.current_theme.dark))
        text, language = display_text(segment)
        page = self.query_one(PageView)
        page.show(lambda sheet: write_source(sheet, text, language))
        page.focus()

    def action_copy_text(self) -> None:
        """Copy the text."""
        self.app.copy_to_clipboard(self._reading.segment.text)
        self.notify("Copied the segment's text", timeout=1.5)


def facts(reading: SegmentReading, carry: CarriedContent | None = None) -> Content:
    """Write where a segment stands, what became of it and what carrying it has cost."""
    segment = reading.segment
    first = f"first seen in #{reading.first_id}" if reading.first_id is not None else ""
    carried = f"carried by {fmt.whole(reading.carried)} requests" if reading.carried is not None else ""
    place = f"at {segment.pointer}, characters {fmt.whole(segment.start)} to {fmt.whole(segment.end)}"
    lines = [
        " · ".join(part for part in (reading.figures, fmt.size(segment.content_bytes), segment.role or "") if part),
        place,
        " · ".join(part for part in (first, carried) if part),
        f"hash {segment.content_hash}",
    ]
    if carry is not None:
        lines.append(carry_text(carry))
    if segment.is_uncertain:
        lines.append("? the source is the likeliest, not certain: its marker could have been forged")
    return Content("\n".join(lines))


def carry_text(carry: CarriedContent) -> str:
    """Write since when a conversation carries a content, and what that cost so far."""
    later = carry.turns_carried - 1
    if not later:
        return f"new in this request: {fmt.usd(carry.entry.cost_nano_usd)} to enter"
    more = f"{fmt.whole(later)} more request{'' if later == 1 else 's'}"
    entry, cost = fmt.usd(carry.entry.cost_nano_usd), fmt.usd(carry.carried.cost_nano_usd)
    return f"in this conversation since #{carry.entered_id}: {entry} to enter, {cost} to carry through {more}"


def display_text(segment: Segment) -> tuple[str, str | None]:
    """Return what is shown of a segment, and the language it is highlighted as."""
    if not segment.text:
        is_unkept = segment.content_kind in COUNTED_KINDS and segment.end > segment.start
        why = "its text was not kept" if is_unkept else "no text on the wire"
        return f"[{segment.content_kind.value}: {fmt.size(segment.content_bytes)}, {why}]", None
    stripped = segment.text.strip()
    is_marked = segment.content_kind in {ContentKind.JSON, ContentKind.TOOL_DEFINITION}
    if is_marked or (stripped.startswith(("{", "[")) and stripped.endswith(("}", "]"))):
        try:
            return json.dumps(json.loads(segment.text), indent=2, ensure_ascii=False), "json"
        except (ValueError, RecursionError):
            return segment.text, None
    return segment.text, "markdown"
