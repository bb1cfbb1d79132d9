"""Write requests to a file: what, in which form, where to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, RadioSet, Static

from storage.filters.tree import Filter
from storage.views import ExchangeSummary
from tui import format as fmt
from tui.screens.dialog import Dialog, path_trouble
from tui.widgets.choice import Choice

FORMATS = {".json": "json", ".jsonl": "jsonl", ".har": "har", ".csv": "csv"}
"""Form by the ending of the file's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChoice:
    """What is to be written."""

    path: Path
    format_name: str
    exchange_id: str | None
    """One exchange; `None`: all that pass the filter."""
    wanted: Filter


class ExportScreen(Dialog[ExportChoice]):
    """Scope and file."""

    HEADING = " Export "
    BINDINGS: ClassVar = [Binding("ctrl+s", "save", "Write", key_display="^s", priority=True)]

    def __init__(self, selected: ExchangeSummary | None, wanted: Filter, now_us: int) -> None:
        super().__init__()
        self._selected = selected
        self._wanted = wanted
        self._now = datetime.fromtimestamp(now_us / 1_000_000, UTC).astimezone()

    def compose_box(self) -> Iterator[Widget]:
        """Lay out the choice and the file's name."""
        what = f"everything that passes  {self._wanted.text}" if not self._wanted.is_empty else "all requests"
        is_one = self._wanted.is_empty and self._selected is not None
        buttons = [Choice(Content(what), is_chosen=not is_one, id="all")]
        if self._selected is not None:
            title = fmt.one_line(self._selected.title or self._selected.path)
            buttons.insert(0, Choice(Content(f"request #{self._selected.id}  {title}"), is_chosen=is_one, id="one"))
        yield Label("What", classes="field-name")
        yield RadioSet(*buttons, id="scope", compact=True)
        yield Label("File: .json, .jsonl, .har or .csv; relative to the current directory", classes="field-name")
        name = f"assay-{self._now:%Y%m%d-%H%M%S}.json"
        yield Input(value=name, id="path", compact=True)
        yield Static("", id="wrong", classes="wrong")
        yield Static("It holds prompts and answers, but no keys.   Enter or ^s writes", classes="note")

    def on_mount(self) -> None:
        """Begin with the file's name: what is to be written is mostly right."""
        self.query_one("#path").focus()

    @on(Input.Submitted)
    def _submit(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Give the choice back, or say what is wrong with it."""
        path = Path(self.query_one("#path", Input).value.strip()).expanduser()
        trouble = path_trouble(path, FORMATS)
        if trouble is not None:
            self.query_one("#wrong", Static).update(trouble)
            return
        pressed = self.query_one(RadioSet).pressed_button
        is_one = pressed is not None and pressed.id == "one" and self._selected is not None
        exchange_id = self._selected.exchange_id if is_one and self._selected is not None else None
        self.dismiss(
            ExportChoice(path=path, format_name=FORMATS[path.suffix.lower()], exchange_id=exchange_id, wanted=self._wanted)
        )
