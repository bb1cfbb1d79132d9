"""A page of written lines that scrolls: headers, timing, cost, diff, request and response all live in one of these.

It is given a function that writes the page, and runs it anew when the width or the theme changes. It must not know what is
written there.
"""

from collections.abc import Callable

from textual.message import Message

from tui.commands import OpenRow
from tui.pages.sheet import Sheet
from tui.widgets.line_list import Line, LineList

type Writer = Callable[[Sheet], None]


class PageView(LineList):
    """Lines of text; where lines belong to segments there is a cursor, and Enter opens the segment."""

    HAS_LASTING_CURSOR = False

    class SegmentChosen(Message):
        """A segment is to be read."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index
            """Place among the segments of the request."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._write: Writer | None = None
        self._sheet: Sheet | None = None
        self._written_for: tuple[int, bool] | None = None

    def show(self, write: Writer, *, keeps_place: bool = False) -> None:
        """Take another page.

        Args:
            write: Writes it.
            keeps_place: It is the same page with newer figures: the cursor stays.
        """
        self._write = write
        self._written_for = None  # hidden now, it is written when it is shown
        self._rewrite()
        if not keeps_place:
            self.cursor = 0
            self.scroll_to(y=0, animate=False, immediate=True)

    @property
    def plain_text(self) -> str:
        """The whole page as text."""
        lines = self._sheet.lines if self._sheet is not None else []
        return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open only where something can be opened."""
        if action == OpenRow.action():
            return self._has_links
        return super().check_action(action, parameters)

    @property
    def shows_cursor(self) -> bool:
        """Only where a line can be opened; else the page is just read."""
        return self.has_focus and self._has_links

    def action_cursor_down(self) -> None:
        """Go a line down."""
        self._move(1)

    def action_cursor_up(self) -> None:
        """Go a line up."""
        self._move(-1)

    def action_next_page(self) -> None:
        """Go a page down."""
        self._move(max(1, self.size.height - 1))

    def action_previous_page(self) -> None:
        """Go a page up."""
        self._move(-max(1, self.size.height - 1))

    def action_go_to_end(self) -> None:
        """Go to the end."""
        self._move(self.row_count)

    def action_go_to_top(self) -> None:
        """Go to the beginning."""
        self._move(-self.row_count)

    def _move(self, lines: int) -> None:
        """Move the cursor, or where there is none, the page under the eye."""
        if self._has_links:
            self.cursor += lines
            return
        last = max(0, self.row_count - self.size.height)
        top = max(0, min(last, round(self.scroll_offset.y) + lines))
        self.scroll_to(y=top, animate=False, immediate=True)

    @property
    def _has_links(self) -> bool:
        return self._sheet is not None and bool(self._sheet.links)

    def action_open_row(self) -> None:
        """Open the segment of this line."""
        index = self._sheet.links.get(self.cursor) if self._sheet is not None else None
        if index is not None:
            self.post_message(self.SegmentChosen(index))

    def draw_row(self, index: int, width: int) -> Line:  # noqa: ARG002 - it was written for this width
        """Draw a line that was written before."""
        lines = self._sheet.lines if self._sheet is not None else []
        return lines[index] if index < len(lines) else []

    def on_resize(self) -> None:
        """Write the page for the new width."""
        if self._written_for is None or self._written_for[0] != self.line_cells:
            self._rewrite()

    def notify_style_update(self) -> None:
        """Write the page in the new theme's inks."""
        super().notify_style_update()
        if self._written_for is not None and self._written_for[1] != self.inks.is_dark:
            self._rewrite()

    def _rewrite(self) -> None:
        width = self.line_cells
        if self._write is None or width < 4:
            return
        sheet = Sheet(width, self.inks)
        self._write(sheet)
        had_links, self._sheet = self._has_links, sheet
        if had_links != self._has_links:
            self.refresh_bindings()
        self._written_for = (width, self.inks.is_dark)
        self.set_row_count(len(sheet.lines))
        self.redraw()
