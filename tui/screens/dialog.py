"""What all windows over a screen share: a framed box in the middle that Escape closes."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.command import bindings
from tui.commands import DIALOG_COMMANDS
from tui.widgets.key_line import KeyLine


class Dialog[Result](ModalScreen[Result | None]):
    """A framed box; closing it gives `None`."""

    BINDINGS: ClassVar = bindings(DIALOG_COMMANDS)
    HEADING: ClassVar = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012 - as Textual types it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012 - as Textual types it
    CSS_PATH = "dialog.tcss"

    def compose(self) -> ComposeResult:
        """Lay out the box."""
        with Vertical(id="dialog") as box:
            box.border_title = self.HEADING
            yield from self.compose_box()
        yield KeyLine()

    def compose_box(self) -> Iterator[Widget]:
        """Lay out what is in the box."""
        raise NotImplementedError

    def action_close(self) -> None:
        """Close without a result."""
        self.dismiss(None)


def path_trouble(path: Path, endings: Collection[str]) -> str | None:
    """Say why nothing can be written there, or not in one of these forms; `None` when it can."""
    if path.suffix.lower() not in endings:
        return f"The name must end in {', '.join(endings)}."
    if not path.parent.is_dir():
        return f"There is no directory {path.parent}."
    if path.exists():
        return f"{path.name} is there already; choose another name."
    return None
