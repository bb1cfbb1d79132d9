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
    """Lines of text with a cursor; Enter opens the segment that a line belongs to."""

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
            return self._sheet is not None and bool(self._sheet.links)
        return super().check_action(action, parameters)

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
        if self._written_for is None or self._written_for[0] != self.size.width:
            self._rewrite()

    def notify_style_update(self) -> None:
        """Write the page in the new theme's inks."""
        super().notify_style_update()
        if self._written_for is not None and self._written_for[1] != self.inks.is_dark:
            self._rewrite()

    def _rewrite(self) -> None:
        width = self.size.width
        if self._write is None or width < 4:
            return
        sheet = Sheet(width, self.inks)
        self._write(sheet)
        self._sheet = sheet
        self._written_for = (width, self.inks.is_dark)
        self.set_row_count(len(sheet.lines))
        self.redraw()
