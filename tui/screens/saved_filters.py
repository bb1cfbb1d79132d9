"""Filters under a name: save the one in force, use, rename or delete one. A small window, by keyboard alone.

Refusals come from `storage.filters.saved` in words and are shown as they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from storage.filters.saved import SavedFilter, SavedFilterError, SavedFilters
from tui.command import bindings
from tui.commands import SAVED_FILTER_COMMANDS, DeleteFilter, KeepFilter, RenameFilter
from tui.screens.dialog import Dialog
from tui.widgets.line_list import LineList
from tui.widgets.table import Table, TableColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedChoice:
    """What came of the window."""

    used: SavedFilter | None = None
    """The filter to use; `None`: that in force stays."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new names, in the order they were given."""


class SavedFiltersRead(Message):
    """What is saved by now, and what was done."""

    def __init__(self, saved: tuple[SavedFilter, ...], done: str | None = None, at: str | None = None) -> None:
        super().__init__()
        self.saved = saved
        self.done = done
        """For people; `None`: nothing but reading."""
        self.at = at
        """Name to put the cursor on."""


class ChangeRefused(Message):
    """What was asked for cannot be done."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class SavedFiltersScreen(Dialog[SavedChoice]):
    """The saved filters, and a name to type."""

    HEADING = " Saved filters "
    BINDINGS: ClassVar = bindings(SAVED_FILTER_COMMANDS)
    CSS = """
    SavedFiltersScreen Table { height: auto; max-height: 14; background: $surface; }
    SavedFiltersScreen Table.-below { margin-top: 1; }
    SavedFiltersScreen #hint { margin-top: 1; }
    SavedFiltersScreen #hint.-alone { margin-top: 0; }
    SavedFiltersScreen .field-name { margin-top: 0; }
    """

    def __init__(self, filters: SavedFilters, line: str, *, is_saving: bool) -> None:
        super().__init__()
        self._filters = filters
        self._line = line
        """The filter in force; empty: none."""
        self._is_saving = is_saving
        """It was opened to save, and closes when that is done."""
        self._renaming: str | None = None
        self._doomed: str | None = None
        self._renamed: tuple[tuple[str, str], ...] = ()

    def compose_box(self) -> Iterator[Widget]:
        """Lay out the name, the table and what is said about them."""
        yield Label("", id="asked", classes="field-name", markup=False)
        yield Input(id="name", compact=True, placeholder="for example costly")
        yield Static("", id="wrong", classes="wrong", markup=False)
        yield Table[SavedFilter](COLUMNS, lambda saved: saved.name, sorted_by="name", id="saved")
        yield Static("", id="hint", classes="note", markup=False)

    @property
    def table(self) -> Table[SavedFilter]:
        """The saved filters."""
        return self.query_one("#saved", Table)

    def on_mount(self) -> None:
        """Read them, and begin with the name where one is wanted."""
        if self._is_saving:
            self.action_keep_filter()
        else:
            self._leave_name()
        self._change(lambda: None)

    @work(thread=True, group="saved-filters", exit_on_error=False)
    def _change(self, change: Callable[[], str | None], at: str | None = None) -> None:
        try:
            done = change()
        except SavedFilterError as error:
            self.post_message(ChangeRefused(str(error)))
        else:
            self.post_message(SavedFiltersRead(self._filters.all(), done, at))

    def on_change_refused(self, event: ChangeRefused) -> None:
        """Say why not; nothing has changed."""
        reason = event.reason
        self._say(f"{reason[:1].upper()}{reason[1:]}.")

    def on_saved_filters_read(self, event: SavedFiltersRead) -> None:
        """Show what is saved."""
        if event.done is not None:
            self.app.notify(event.done, timeout=2)
            if self._is_saving:
                self.action_close()
                return
            self._leave_name()
        self.table.show(event.saved)
        place = next((i for i, saved in enumerate(self.table.sorted_rows) if saved.name == event.at), None)
        if place is not None:
            self.table.cursor = place
        self._hint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to save only a filter that is in force, and nothing to do with saved ones where there are none."""
        if action == KeepFilter.action():
            return bool(self._line)
        if action in {RenameFilter.action(), DeleteFilter.action()}:
            return any(table.row_count for table in self.query(Table))
        return super().check_action(action, parameters)

    def _hint(self) -> None:
        self.refresh_bindings()
        self.table.display = self.table.row_count > 0
        hint = self.query_one("#hint", Static)
        is_asking = self.query_one("#name").display
        self.table.set_class(is_asking, "-below")
        hint.set_class(not is_asking and not self.table.display, "-alone")
        if is_asking:
            hint.update(f"Enter {'renames' if self._renaming else 'saves'} it, Esc does not.")
            return
        save = "s saves the filter in force under a name." if self._line else "A filter in force can be saved: / types one."
        use = "Enter uses one, as @name in the filter line does." if self.table.row_count else "None is saved yet."
        hint.update(f"{use} {save}")

    def _say(self, words: str) -> None:
        """Say what stands in the way, or to press once more; nothing takes no room."""
        wrong = self.query_one("#wrong", Static)
        wrong.update(words)
        wrong.display = bool(words)

    # The name

    def action_keep_filter(self) -> None:
        """Ask for a name for the filter in force."""
        self._ask(f"Name for  {self._line}", "")

    def action_rename_filter(self) -> None:
        """Ask for another name for the selected filter."""
        saved = self.table.selected
        if saved is not None:
            self._ask(f"New name for  @{saved.name}", saved.name)
            self._renaming = saved.name
            self._hint()

    def _ask(self, words: str, name: str) -> None:
        self._renaming = self._doomed = None
        self.query_one("#asked", Label).update(words)
        self._say("")
        field = self.query_one("#name", Input)
        field.value = name
        self.query_one("#asked").display = field.display = True
        field.focus()
        self._hint()

    def _leave_name(self) -> None:
        self._renaming = None
        self._say("")
        self.query_one("#asked").display = self.query_one("#name").display = False
        self.table.focus()
        self._hint()

    @on(Input.Changed)
    def _forgive(self) -> None:
        """Take back what was said about a name that stands there no more."""
        self._say("")

    @on(Input.Submitted)
    def _take_name(self, event: Input.Submitted) -> None:
        event.stop()
        name, renaming = event.value.strip().removeprefix("@"), self._renaming
        if renaming is None:
            self._change(lambda: f"Saved as @{self._filters.save(name, self._line).name}", name.lower())
        else:
            self._change(lambda: self._rename(renaming, name), name.lower())

    def _rename(self, old: str, new: str) -> str:
        saved = self._filters.rename(old, new)
        self._renamed = (*self._renamed, (old, saved.name))
        return f"Renamed to @{saved.name}"

    # The list

    @on(LineList.Selected, "#saved")
    def _use(self) -> None:
        self.dismiss(SavedChoice(used=self.table.selected, renamed=self._renamed))

    @on(LineList.Highlighted, "#saved")
    def _spare(self) -> None:
        if self._doomed is not None:
            self._doomed = None
            self._say("")

    def action_delete_filter(self) -> None:
        """Delete the selected filter, when asked for twice."""
        saved = self.table.selected
        if saved is None:
            return
        if self._doomed != saved.name:
            self._doomed = saved.name
            self._say(f"x once more deletes @{saved.name}.")
            return
        self._doomed = None
        self._change(lambda: self._remove(saved.name))

    def _remove(self, name: str) -> str:
        self._filters.remove(name)
        return f"Deleted @{name}"

    def action_close(self) -> None:
        """Leave the name for the list, or close."""
        if self.query_one("#name").display and not self._is_saving:
            self._leave_name()
        else:
            self.dismiss(SavedChoice(renamed=self._renamed))


COLUMNS: Final[tuple[TableColumn[SavedFilter], ...]] = (
    TableColumn(
        name="name",
        heading="name",
        width=20,
        draw=lambda row, inks, _: (f"@{row.name}", inks.accent),
        sort_key=lambda row: row.name,
        is_right=False,
        is_ascending_first=True,
    ),
    TableColumn(
        name="filter",
        heading="filter",
        width=24,
        draw=lambda row, inks, _: (row.text, inks.plain),
        is_right=False,
        is_flexible=True,
    ),
)
