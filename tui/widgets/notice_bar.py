"""The one place for notices: a line below the title, gone when there is nothing to say. It never takes the focus."""

from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.notices import Gravity, Notice

_SIGNS: Final = {Gravity.INFO: "i", Gravity.WARNING: "!", Gravity.ERROR: "✗"}
_SIDES: Final = 2
"""Cells left and right of the text."""


class NoticeBar(Static):
    """What is the case, and what to do about it."""

    notice: reactive[Notice | None] = reactive(None)

    def watch_notice(self, notice: Notice | None) -> None:
        """Show another notice, or nothing."""
        self.display = notice is not None
        if notice is None:
            return
        for gravity in Gravity:
            self.set_class(notice.gravity is gravity, f"-{gravity.value}")
        self.update(written(notice, self.app.size.width - _SIDES))

    def on_resize(self) -> None:
        """Break the lines anew."""
        if self.notice is not None:
            self.update(written(self.notice, self.app.size.width - _SIDES))


def written(notice: Notice, width: int) -> Content:
    """Write a notice; what to do, which may be a command to type, on a line of its own where else it would be torn apart."""
    head, beside = f"{_SIGNS[notice.gravity]} {notice.text}", f"  ·  {notice.remedy}"
    below = f"  {notice.remedy}"
    is_torn = cell_len(head + beside) > width >= max(cell_len(head), cell_len(below))
    rest = f"\n{below}\n  {notice.words}" if notice.words else f"\n{below}" if is_torn else beside
    return Content.assemble(head[:2], (notice.text, "bold"), rest)
