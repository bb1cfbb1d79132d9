"""A body as a foldable JSON tree; what is no JSON is shown as text. Must not read or decode bodies."""

import json
from typing import Any, ClassVar, Final

from tui import format as fmt
from tui.command import bindings
from tui.commands import FOLD_COMMANDS
from tui.json_tree import JsonRow, Path, branches, first_unfolded, flatten, pointer, value_at
from tui.widgets.line_list import Line, LineList

_TITLE: Final = 1


class JsonView(LineList):
    """One or two documents, request above response, each foldable."""

    HEADER_LINES = 1
    BINDINGS: ClassVar = bindings(FOLD_COMMANDS)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._document: Any = None
        self._unfolded: set[Path] = set()
        self._rows: list[JsonRow] = []

    def show(self, document: Any) -> None:
        """Take another document."""
        self._document = document
        self._unfolded = first_unfolded(document)
        self._rebuild()
        self.cursor = 0

    @property
    def selected_text(self) -> str:
        """The value under the cursor, as JSON."""
        if self.cursor >= len(self._rows):
            return ""
        value = value_at(self._document, self._rows[self.cursor].path)
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

    def action_toggle_fold(self) -> None:
        """Fold or unfold the branch under the cursor."""
        if self.cursor < len(self._rows) and self._rows[self.cursor].is_branch:
            self._unfolded ^= {self._rows[self.cursor].path}
            self._rebuild()

    def action_fold_all(self) -> None:
        """Fold everything below the root, or unfold everything."""
        is_open = len(self._unfolded) > 1
        self._unfolded = {()} if is_open else branches(self._document)
        self._rebuild()

    def action_open_row(self) -> None:
        """Fold or unfold."""
        self.action_toggle_fold()

    def watch_cursor(self, old: int, new: int) -> None:
        """Show the pointer of the new place."""
        super().watch_cursor(old, new)
        self.refresh()

    def draw_header(self, width: int) -> Line:
        """Draw the JSON pointer of the place under the cursor."""
        path = self._rows[self.cursor].path if self.cursor < len(self._rows) else ()
        return [(" " + fmt.fit_path(pointer(path) or "/", width - 2), self.inks.muted)]

    def draw_row(self, index: int, width: int) -> Line:
        """Draw one line of the tree."""
        row = self._rows[index]
        inks = self.inks
        mark = ("▾ " if row.is_unfolded else "▸ ") if row.is_branch else "  "
        value_ink = {
            "string": inks.good,
            "number": inks.accent,
            "literal": inks.warning,
            "object": inks.muted,
            "array": inks.muted,
        }[row.kind]
        label = f"{row.label}: " if row.label else ""
        used = 1 + 2 * row.depth + 2 + len(label)
        return [
            (" " + "  " * row.depth + mark, inks.muted),
            (label, inks.plain),
            (fmt.fit(fmt.one_line(row.text), max(4, width - used)).rstrip(), value_ink),
        ]

    def _rebuild(self) -> None:
        self._rows = flatten(self._document, self._unfolded)
        self.set_row_count(len(self._rows))
        self.redraw()
