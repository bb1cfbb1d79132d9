"""The one place for notices: a line below the title, gone when there is nothing to say. It never takes the focus."""

from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.notices import Gravity, Notice


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
        sign = {Gravity.INFO: "i", Gravity.WARNING: "!", Gravity.ERROR: "✗"}[notice.gravity]
        rest = f"\n  {notice.remedy}\n  {notice.words}" if notice.words else f"  ·  {notice.remedy}"
        self.update(Content.assemble(f"{sign} ", (notice.text, "bold"), rest))
