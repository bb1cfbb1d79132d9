"""A list that draws only the lines in sight, each once: what every long list of the dashboard stands on.

A `DataTable` repaints all its cells at every change; this one costs the same for ten rows and for a million. It knows
positions, a cursor and a cache of drawn lines. It must not know what a row means: subclasses draw it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, var
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from tui.command import bindings
from tui.commands import LIST_COMMANDS, OpenRow
from tui.theme import Inks, inks
from tui.widgets.drawn import Drawn

type Line = Sequence[tuple[str, Style]]
"""Runs of text and their style, left to right."""

_CACHED_STRIPS: Final = 600


class LineList(ScrollView, Drawn, can_focus=True):  # the first one gives its style
    """A virtual list with a cursor. Subclasses give `draw_row` and, where they want one, `draw_header`."""

    BINDINGS: ClassVar = bindings(LIST_COMMANDS)
    HEADER_LINES: ClassVar = 0
    HAS_LASTING_CURSOR: ClassVar = True
    """The cursor is seen without the focus, too."""

    DEFAULT_CSS = """
    LineList { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; background: $background; }
    """

    cursor: var[int] = var(0)
    """Position of the selected row, 0-based."""

    class Highlighted(Message):
        """The cursor stands on another row."""

        def __init__(self, line_list: "LineList", index: int) -> None:
            super().__init__()
            self.line_list = line_list
            self.index = index

        @property
        def control(self) -> "LineList":
            """The list it happened in."""
            return self.line_list

        def can_replace(self, message: Message) -> bool:
            """Only the last place of a cursor on its way matters."""
            return isinstance(message, LineList.Highlighted) and message.line_list is self.line_list

    class Selected(Message):
        """A row was chosen by Enter or a double click."""

        def __init__(self, line_list: "LineList", index: int) -> None:
            super().__init__()
            self.line_list = line_list
            self.index = index

        @property
        def control(self) -> "LineList":
            """The list it happened in."""
            return self.line_list

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._row_count = 0
        self._own_ground: Style | None = None
        self._is_held = False
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_CACHED_STRIPS)
        self._standing: list[tuple[object, ...] | None] = []
        """What each line of the screen was drawn for the last time."""

    # What subclasses give

    def draw_row(self, index: int, width: int) -> Line:
        """Return one row's text; called only for rows in sight that are not in the cache."""
        raise NotImplementedError

    def draw_header(self, width: int) -> Line:  # noqa: ARG002 - for those that have one
        """Return the heading that stays above the rows."""
        return ()

    def row_identity(self, index: int) -> object:
        """Return all that the row's looks depend on, under which it is kept; by default its position: then `redraw` tells."""
        return index

    # Rows

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return self._row_count

    @property
    def inks(self) -> Inks:
        """The text styles of the theme in use."""
        return inks(is_dark=self.app.current_theme.dark)

    def set_row_count(self, count: int) -> None:
        """Tell how many rows there are; the cursor is kept inside."""
        was_empty, self._row_count = not self._row_count, count
        if was_empty != (not count):
            self.refresh_bindings()
        self._reach(Size(0, count + self.HEADER_LINES))
        if self.cursor >= count:
            self.cursor = max(0, count - 1)

    def _reach(self, size: Size) -> None:
        """Scroll over so much; only for a list as high as its rows is the screen laid out anew: rows come in often."""
        height = self.styles.height
        if not self.container_size or height is None or height.is_auto:
            self.virtual_size = size
        elif size != self.virtual_size:
            self.set_reactive(LineList.virtual_size, size)
            self._move_bar(ScrollBar.window_virtual_size, size.height)
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
            self.refresh_changed()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what is another line now; Textual would draw the whole scrollbar anew each time, whose lines are dear."""
        self._move_bar(ScrollBar.position, self.vertical_scrollbar.validate_position(new_value))
        if round(old_value) != round(new_value):
            self.refresh_changed()

    def _move_bar[T](self, what: Reactive[T], value: T) -> None:
        """Set something of the scrollbar, which is drawn anew only when its thumb moves."""
        bar, stood = self.vertical_scrollbar, _thumb(self.vertical_scrollbar)
        bar.set_reactive(what, value)
        if not self._is_held and _thumb(bar) != stood:
            bar.refresh()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Look only once, at the end, for what several changes leave to be drawn anew: new rows and going there cancel out."""
        bar, stood = self.vertical_scrollbar, _thumb(self.vertical_scrollbar)
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self.refresh_changed()
            if _thumb(bar) != stood:
                bar.refresh()

    @property
    def line_cells(self) -> int:
        """Cells of a line: what the scrollbar, which always has its place, leaves. Textual's `size` counts that in."""
        return max(0, self.size.width - self.styles.scrollbar_size_vertical)

    def redraw(self) -> None:
        """Forget every drawn line and draw those in sight again."""
        self._strips.clear()
        self.refresh()

    def refresh_changed(self) -> None:
        """Draw anew only those lines that are to show something else than what stands there."""
        if self._is_held:
            return
        places = range(self.HEADER_LINES, min(len(self._standing), self.size.height))
        changed = [y for y, key in zip(places, self._row_keys(places), strict=True) if self._standing[y] != key]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    @property
    def visible_rows(self) -> range:
        """Positions of the rows in sight."""
        first = round(self.scroll_offset.y)
        return range(first, min(self._row_count, first + max(1, self.size.height - self.HEADER_LINES)))

    # Cursor

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, self._row_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Bring the row into sight and say so."""
        if old != new:
            self.bring_into_sight(new)
            self.refresh_changed()
            if self._row_count:
                self.post_message(self.Highlighted(self, new))

    def bring_into_sight(self, index: int) -> None:
        """Scroll by as little as shows the row."""
        height = max(1, self.size.height - self.HEADER_LINES)
        first = round(self.scroll_offset.y)
        if index < first:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= first + height:
            self.scroll_to(y=index - height + 1, animate=False, immediate=True)

    def action_cursor_down(self) -> None:
        """Move the cursor one row down."""
        self.cursor += 1

    def action_cursor_up(self) -> None:
        """Move the cursor one row up."""
        self.cursor -= 1

    def action_next_page(self) -> None:
        """Move the cursor one page down."""
        self.cursor += max(1, self.size.height - self.HEADER_LINES - 1)

    def action_previous_page(self) -> None:
        """Move the cursor one page up."""
        self.cursor -= max(1, self.size.height - self.HEADER_LINES - 1)

    def action_go_to_top(self) -> None:
        """Move the cursor to the first row."""
        self.cursor = 0

    def action_go_to_end(self) -> None:
        """Move the cursor to the last row."""
        self.cursor = self._row_count - 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to open a row only where there is one."""
        if action == OpenRow.action():
            return bool(self._row_count)
        return super().check_action(action, parameters)

    def action_open_row(self) -> None:
        """Choose the row under the cursor."""
        if self._row_count:
            self.post_message(self.Selected(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a second click chooses the row."""
        index = event.y - self.HEADER_LINES + round(self.scroll_offset.y)
        if event.y < self.HEADER_LINES:
            self.on_header_click(event.x)
        elif 0 <= index < self._row_count:
            self.cursor = index
            if event.chain == 2:
                self.action_open_row()

    def on_header_click(self, x: int) -> None:
        """Take a click on the heading; nothing unless a subclass sorts by it."""

    # Drawing

    @property
    def shows_cursor(self) -> bool:
        """Whether the selected row is to be seen."""
        return self.has_focus or self.HAS_LASTING_CURSOR

    def on_resize(self) -> None:
        """Keep the cursor in sight when the window changes; how far one can scroll is known only after the next refresh."""
        if self._row_count:
            self.call_after_refresh(self._keep_in_sight)

    def _keep_in_sight(self) -> None:
        if self._row_count:
            self.bring_into_sight(self.cursor)

    def notify_style_update(self) -> None:
        """Find out the ground anew; Textual says this whenever the focus or the screen changes, and lines stay as they are."""
        super().notify_style_update()
        self._own_ground = None

    def drawn_lines(self, places: range) -> list[Strip]:
        """Return these lines, drawn once for all that looks the same."""
        rows = range(max(places.start, self.HEADER_LINES), places.stop)
        self._standing += [None] * (rows.stop - len(self._standing))
        lines = [self._header() for _ in range(places.start, min(places.stop, self.HEADER_LINES))]
        for y, key in zip(rows, self._row_keys(rows), strict=True):
            self._standing[y] = key
            lines.append(Strip.blank(self.line_cells, self._ground()) if key is None else self._row(key, y))
        return lines

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        return self.drawn_lines(range(y, y + 1))[0]

    def _row_keys(self, places: range) -> list[tuple[object, ...] | None]:
        """Return all that the looks of these lines depend on; `None` below the last row."""
        above, width, ground = self._rows_above, self.line_cells, self._ground()
        cursor = self.cursor if self.shows_cursor else None
        has_focus, count, identity = self.has_focus, self._row_count, self.row_identity
        return [
            (identity(index), width, ground, index == cursor, index == cursor and has_focus) if index < count else None
            for index in range(places.start + above, places.stop + above)
        ]

    @property
    def _rows_above(self) -> int:
        """What a line of the screen is less than the position of its row."""
        return round(self.scroll_y) - self.HEADER_LINES

    def _header(self) -> Strip:
        line, width, ground = self.draw_header(self.line_cells), self.line_cells, self._ground()
        return self._kept((tuple(line), width, ground), lambda: self._strip(line, width, ground))

    def _row(self, key: tuple[object, ...], y: int) -> Strip:
        return self._kept(key, lambda: self._draw_row(y + self._rows_above))

    def _draw_row(self, index: int) -> Strip:
        ground, width = self._ground(), self.line_cells
        if index == self.cursor and self.shows_cursor:
            ground = self.inks.cursor if self.has_focus else self.inks.blurred_cursor
        return self._strip(self.draw_row(index, width), width, ground)

    def _kept(self, key: tuple[object, ...], draw: Callable[[], Strip]) -> Strip:
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = draw()
        return strip

    def _ground(self) -> Style:
        """Return the widget's own ground; working it out from the styles costs more than drawing a line."""
        if self._own_ground is None:
            self._own_ground = Style(bgcolor=self.rich_style.bgcolor)
        return self._own_ground

    @staticmethod
    def _strip(line: Line, width: int, ground: Style) -> Strip:
        strip = Strip([Segment(text, style) for text, style in line if text])
        return strip.adjust_cell_length(width).apply_style(ground)


def _thumb(bar: ScrollBar) -> tuple[int, int]:
    """Return where a scrollbar's thumb begins and how long it is, in eighths of a cell, as it is drawn."""
    cells, lines, window = bar.size.height, max(1, bar.window_virtual_size), bar.window_size
    long = max(1.0, window * cells / lines)
    return int((cells - long) * bar.position / max(1, lines - window) * 8), int(long * 8)
