"""Write the report of a period to a file: where to, and in which form."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from tui.ranges import Period
from tui.screens.dialog import Dialog, path_trouble

ENDINGS = (".html", ".md", ".json")


class ReportScreen(Dialog[Path]):
    """The file's name."""

    HEADING = " Report "
    BINDINGS: ClassVar = [Binding("ctrl+s", "save", "Write", key_display="^s", priority=True)]

    def __init__(self, period: Period, now_us: int) -> None:
        super().__init__()
        self._period = period
        self._now = datetime.fromtimestamp(now_us / 1_000_000, UTC).astimezone()

    def compose_box(self) -> Iterator[Widget]:
        """Lay out the file's name."""
        yield Label(
            f"Report of the {self._period.name}. File: .html, .md or .json",
            classes="field-name",
        )
        yield Input(value=f"assay-report-{self._now:%Y%m%d-%H%M%S}.html", id="path", compact=True)
        yield Static("", id="wrong", classes="wrong")
        yield Static("It holds names and sizes, no contents.   Enter or ^s writes", classes="note")

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Give the path back, or say what is wrong with it."""
        path = Path(self.query_one("#path", Input).value.strip()).expanduser()
        trouble = path_trouble(path, ENDINGS)
        if trouble is None:
            self.dismiss(path)
        else:
            self.query_one("#wrong", Static).update(trouble)
