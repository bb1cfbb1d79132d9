"""A table that sorts: columns declared once, rows drawn on demand. Sources and sessions are shown in these."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.style import Style
from textual.message import Message

from tui import format as fmt
from tui.theme import Inks
from tui.widgets.line_list import Line, LineList

_MOST_FLEXIBLE: Final = 64
"""Cells that the flexible column takes at most; what is left then parts the others: figures far off are hard to follow."""

type Cells = tuple[str, Style]
"""Text and style of one cell; the text is cut to the column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn[Row]:
    """One column."""

    name: str
    heading: str
    width: int
    """Cells; of the flexible column the least."""
    draw: Callable[[Row, Inks, int], Cells]
    """Writes a row's cell, given the width there is."""
    sort_key: Callable[[Row], float | str | None] | None = None
    """What it is sorted by; `None` values come last. `None` itself: it cannot be sorted by."""
    is_right: bool = True
    is_flexible: bool = False
    """It takes what room is left."""
    rank: int = 0
    """Columns of a higher rank are left out first."""
    is_ascending_first: bool = False
    """Texts are sorted upwards at first, figures downwards."""


class Table[Row](LineList):
    """Rows of one type in columns."""

    HEADER_LINES = 1

    class SortChanged(Message):
        """The heading of a column was clicked, or another column chosen."""

    def __init__(
        self,
        columns: Sequence[TableColumn[Row]],
        identity: Callable[[Row], Hashable],
        *,
        sorted_by: str,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._identity = identity
        self._all: list[Row] = []
        self.sorted_by = sorted_by
        self.is_descending = not self._column(sorted_by).is_ascending_first
        self._places: list[tuple[int, int, str]] = []

    def show(self, rows: Sequence[Row]) -> None:
        """Take other rows; the cursor stays on the same one."""
        at = self._identity(self._all[self.cursor]) if self.cursor < len(self._all) else None
        self._all = self._sorted(rows)
        self.set_row_count(len(self._all))
        found = next((i for i, row in enumerate(self._all) if self._identity(row) == at), 0)
        self.cursor = found
        self.redraw()

    @property
    def selected(self) -> Row | None:
        """The row under the cursor; `None` in an empty table."""
        return self._all[self.cursor] if self.cursor < len(self._all) else None

    @property
    def sorted_rows(self) -> Sequence[Row]:
        """The rows as they are shown."""
        return self._all

    def sort_by(self, name: str) -> None:
        """Sort by a column; by the same one once more, the other way round."""
        if name == self.sorted_by:
            self.is_descending = not self.is_descending
        else:
            self.sorted_by = name
            self.is_descending = not self._column(name).is_ascending_first
        self.show(self._all)
        self.cursor = 0

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self._step(1)

    def action_sort_previous(self) -> None:
        """Sort by the column before."""
        self._step(-1)

    def action_reverse_sort(self) -> None:
        """Sort the other way round."""
        self.sort_by(self.sorted_by)

    def on_header_click(self, x: int) -> None:
        """Sort by the column that was clicked."""
        for start, end, name in self._places:
            if start <= x < end and self._column(name).sort_key is not None:
                self.sort_by(name)

    def draw_header(self, width: int) -> Line:
        """Draw the headings, the one that is sorted by marked."""
        line: list[tuple[str, Style]] = [(" ", self.inks.muted)]
        self._places = []
        at = 1
        for column, cells in self._fitted(width):
            is_sorted = column.name == self.sorted_by
            mark = ("↓" if self.is_descending else "↑") if is_sorted else ""
            text = mark + column.heading if column.is_right else column.heading + mark
            line.append(
                (fmt.fit(text, cells, is_right=column.is_right) + " ", self.inks.accent if is_sorted else self.inks.muted)
            )
            self._places.append((at, at + cells + 1, column.name))
            at += cells + 1
        return line

    def draw_row(self, index: int, width: int) -> Line:
        """Draw one row."""
        row = self._all[index]
        line: list[tuple[str, Style]] = [(" ", Style.null())]
        for column, cells in self._fitted(width):
            text, style = column.draw(row, self.inks, cells)
            line.append((fmt.fit(text, cells, is_right=column.is_right) + " ", style))
        return line

    def _column(self, name: str) -> TableColumn[Row]:
        return next(column for column in self._columns if column.name == name)

    def _step(self, step: int) -> None:
        """Sort by the next column that is shown: by another, nobody would see what changed."""
        names = [column.name for column in self._columns if column.sort_key is not None]
        shown = {column.name for column, _ in self._fitted(self.line_cells)}
        at = names.index(self.sorted_by)
        following = (names[(at + step * distance) % len(names)] for distance in range(1, len(names) + 1))
        self.sort_by(next((name for name in following if name in shown), self.sorted_by))

    def _sorted(self, rows: Sequence[Row]) -> list[Row]:
        key = self._column(self.sorted_by).sort_key
        assert key is not None, "only columns with a key are sorted by"
        known = [(value, row) for row in rows if (value := key(row)) is not None]
        unknown = [row for row in rows if key(row) is None]
        known.sort(key=lambda item: item[0], reverse=self.is_descending)
        return [row for _, row in known] + unknown

    def _rank(self, column: TableColumn[Row]) -> int:
        """Return how soon a column is left out; without the one that is sorted by, nobody would know what the order means."""
        return 0 if column.name == self.sorted_by else column.rank

    def _fitted(self, width: int) -> list[tuple[TableColumn[Row], int]]:
        """Choose the columns that fit, that which is sorted by always, and give the flexible one the rest."""
        shown = list(self._columns)
        while sum(column.width + 1 for column in shown) > width - 1 and (dropped := max(map(self._rank, shown))) > 0:
            shown = [column for column in shown if self._rank(column) != dropped]
        rest = max(0, width - 1 - sum(column.width + 1 for column in shown))
        flexible = next((column.width for column in shown if column.is_flexible), _MOST_FLEXIBLE)
        given = min(rest, max(0, _MOST_FLEXIBLE - flexible))
        airy = sum(1 for column in shown if not column.is_flexible and column.width > 1)
        air = (rest - given) // airy if airy else 0
        return [(c, c.width + (given if c.is_flexible else air if c.width > 1 else 0)) for c in shown]
