"""The breakdown of one request: its sources with tokens, share, cost, cache zone and grade, each foldable into its segments.

Draws a `Composition`; posts `SegmentChosen`. It must not read segments or bodies itself.
"""

import re
from collections.abc import Set as AbstractSet
from typing import ClassVar, Final

from rich.style import Style
from textual.message import Message

from proxy_core.attribution.model import ContentKind, Grade, Source, SourceType, Zone
from tui import format as fmt
from tui.colours import KINDS, UNNAMED, kind_colour, zone_colour
from tui.command import bindings
from tui.commands import FOLD_COMMANDS
from tui.composition import Composition, SegmentShare, Share, SourceShare, is_guess
from tui.theme import Inks, ink, readable
from tui.widgets.line_list import Line, LineList
from tui.widgets.spectrum import NO_KINDS

ZONE_NAMES: Final = {
    Zone.CACHE_READ: "read",
    Zone.CACHE_WRITE_1H: "wr 1h",
    Zone.CACHE_WRITE_5M: "wr 5m",
    Zone.FRESH: "fresh",
    Zone.OUTPUT: "output",
}
GRADE_NAMES: Final = {Grade.EXACT: "exact", Grade.BOUNDED: "bounded", Grade.ESTIMATED: "estimate", Grade.OPAQUE: "opaque"}

_TOKENS, _SHARE, _COST, _ZONE, _GRADE = 8, 6, 9, 7, 9
_TOOL_NAME: Final = re.compile(r'"name"\s*:\s*"([^"]+)"')
_GRADED: Final = 90
"""Width from which there is room for the grade in words; the `~` says it everywhere."""
_WIDE: Final = 100
"""Width from which no column is tight."""
_LEAST_NAMES: Final = ((_WIDE, 32), (_GRADED, 28), (86, 32), (0, 26))
"""Cells that a name has before there is a bar, from which width on."""
_LEAST_BAR: Final = 5
_MOST_BAR: Final = 24
_MOST_NAME: Final = 72
"""Cells of a name beyond which more room makes the bar longer instead: a figure is not looked for that far away."""
_LEAD: Final = 4
"""Fold mark and swatch."""

type _Row = tuple[SourceShare, SegmentShare | None]
"""A source, or one segment of it."""


class Breakdown(LineList):
    """Sources of one request, largest first."""

    HEADER_LINES = 1
    BINDINGS: ClassVar = bindings(FOLD_COMMANDS)

    class SegmentChosen(Message):
        """A segment is to be read."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index
            """Place among the segments of the request."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._composition: Composition | None = None
        self._unfolded: set[Source] = set()
        self._highlighted: AbstractSet[SourceType] = NO_KINDS
        self._rows: list[_Row] = []

    def show(self, composition: Composition | None, highlighted: AbstractSet[SourceType] = NO_KINDS) -> None:
        """Take another request; what was unfolded stays so, and a cursor that was moved stays on its source."""
        at = self._rows[self.cursor][0].source if 0 < self.cursor < len(self._rows) else None
        self._composition = composition
        self._highlighted = highlighted
        self._rebuild()
        self.cursor = next((i for i, (row, _) in enumerate(self._rows) if row.source == at), 0)

    @property
    def selected(self) -> tuple[Source, SegmentShare | None] | None:
        """The source under the cursor, and the segment where the cursor is on one."""
        if self.cursor >= len(self._rows):
            return None
        row, segment = self._rows[self.cursor]
        return row.source, segment

    # Commands

    def action_toggle_fold(self) -> None:
        """Fold or unfold the source under the cursor."""
        if self.cursor < len(self._rows):
            source = self._rows[self.cursor][0].source
            self._unfolded ^= {source}
            self._rebuild()
            self.cursor = next(i for i, (row, segment) in enumerate(self._rows) if row.source == source and segment is None)

    def action_fold_all(self) -> None:
        """Fold all sources, or unfold all when all are folded."""
        sources = {row.source for row, _ in self._rows}
        self._unfolded = set() if self._unfolded & sources else sources
        self._rebuild()

    def action_open_row(self) -> None:
        """Unfold a source; read a segment."""
        selected = self.selected
        if selected is None:
            return
        _, segment = selected
        if segment is None:
            self.action_toggle_fold()
        elif segment.index is not None:
            self.post_message(self.SegmentChosen(segment.index))

    # Drawing

    def draw_header(self, width: int) -> Line:
        """Draw the column headings."""
        muted = self.inks.muted
        name, bar = self._flexible(width)
        head = " " * _LEAD + fmt.fit("kind", _kind_cells(width)) + fmt.fit("source", name)
        figures = [("tokens", _TOKENS), ("share", _SHARE), ("cost", _COST)]
        line = head + "".join(fmt.fit(text, cells, is_right=True) for text, cells in figures)
        line += "  " + fmt.fit("zone", _ZONE) + fmt.fit("grade", _grade_cells(width))
        return [(fmt.fit(line, width - bar), muted)]

    def draw_row(self, index: int, width: int) -> Line:
        """Draw a source or a segment."""
        row, segment = self._rows[index]
        if segment is None:
            return self._source_line(row, width)
        return self._segment_line(row, segment, width)

    def _rebuild(self) -> None:
        composition = self._composition
        self._rows = []
        if composition is not None:
            for row in (*composition.sources, *composition.outputs):
                self._rows.append((row, None))
                if row.source in self._unfolded:
                    self._rows.extend((row, segment) for segment in row.segments)
        self.set_row_count(len(self._rows))
        self.redraw()

    def _flexible(self, width: int) -> tuple[int, int]:
        """Return the cells of the name and of the bar."""
        fixed = _LEAD + _kind_cells(width) + _TOKENS + _SHARE + _COST + 2 + _ZONE + _grade_cells(width)
        room = max(8, width - fixed)
        least = next(cells for beginning, cells in _LEAST_NAMES if width >= beginning)
        bar = min(max(_MOST_BAR, room - _MOST_NAME), room - least)
        return (room - bar, bar) if bar >= _LEAST_BAR else (room, 0)

    def _source_line(self, row: SourceShare, width: int) -> Line:
        kind = row.source.source_type
        name_cells, bar_cells = self._flexible(width)
        is_dimmed = bool(self._highlighted) and kind not in self._highlighted
        colour = self.inks.dimmed if is_dimmed else ink(kind_colour(kind, is_dark=self.inks.is_dark))
        plain = self.inks.muted if is_dimmed else self.inks.plain
        mark = "▾" if row.source in self._unfolded else "▸"
        cells: list[tuple[str, Style]] = [
            (f"{mark} ", self.inks.muted),
            ("■ ", colour),
            (fmt.fit(KINDS[kind].label, _kind_cells(width)), self.inks.muted if is_dimmed else label_ink(kind, self.inks)),
            (fmt.fit_path(fmt.one_line(row.source.source_name or _unnamed(row)), name_cells - 1) + " ", plain),
        ]
        cells += self._figures(row.share, width, is_strong=not is_dimmed)
        return [*cells, *self._bar(row.share, colour, bar_cells)]

    def _segment_line(self, row: SourceShare, segment: SegmentShare, width: int) -> Line:
        name_cells, bar_cells = self._flexible(width)
        colour = ink(kind_colour(row.source.source_type, is_dark=self.inks.is_dark))
        cells: list[tuple[str, Style]] = [
            ("  │ ", colour),
            (fmt.fit(segment.part.value, _kind_cells(width) - 1) + " ", self.inks.muted),
            (fmt.fit(segment_label(segment), name_cells - 1) + " ", self.inks.plain),
        ]
        cells += self._figures(segment.share, width, is_strong=False)
        return [*cells, *self._bar(segment.share, self.inks.faint, bar_cells)]

    def _figures(self, share: Share, width: int, *, is_strong: bool) -> Line:
        total = self._composition.input_tokens if self._composition is not None else 0
        zone, more = share.zones[0][0], len(share.zones) > 1
        is_output = zone is Zone.OUTPUT
        ink_of_figures = self.inks.strong if is_strong else self.inks.muted
        guess = is_guess(share.grade)
        cells = [
            (fmt.fit(fmt.tokens(share.tokens, is_estimate=guess), _TOKENS, is_right=True), ink_of_figures),
            (fmt.fit("" if is_output else fmt.percent(share.tokens, total), _SHARE, is_right=True), self.inks.muted),
            (fmt.fit(fmt.usd(share.cost_nano_usd), _COST, is_right=True), self.inks.plain if is_strong else self.inks.muted),
            (
                "  " + fmt.fit(ZONE_NAMES[zone] + ("+" if more else ""), _ZONE),
                readable(zone_colour(zone, is_dark=self.inks.is_dark), is_dark=self.inks.is_dark),
            ),
        ]
        return [*cells, (fmt.fit(GRADE_NAMES[share.grade], _grade_cells(width)), self.inks.muted)]

    def _bar(self, share: Share, colour: Style, cells: int) -> Line:
        total = self._composition.input_tokens if self._composition is not None else 0
        if not cells or not total or share.zones[0][0] is Zone.OUTPUT:
            return []
        drawn = fmt.bar(share.tokens / total, cells)
        return [(drawn, colour)]


def label_ink(kind: SourceType, inks: Inks) -> Style:
    """Return the ink for a kind's name: its colour, as far as that can be read."""
    return readable(kind_colour(kind, is_dark=inks.is_dark), is_dark=inks.is_dark)


def segment_label(share: SegmentShare) -> str:
    """Say in one line what a segment is: a tool by its name, anything else by how it begins."""
    segment = share.segment
    if segment is None:
        return "no text on the wire"
    if segment.content_kind is ContentKind.TOOL_DEFINITION:
        named = _TOOL_NAME.search(segment.text)
        if named is not None:
            return _own_name(named[1], segment.source)
    return _own_name(fmt.one_line(segment.text[:200]), segment.source) or segment.pointer


def _own_name(text: str, source: Source) -> str:
    """Leave out of a tool's name the server it stands below."""
    return text.removeprefix(f"mcp__{source.source_name}__") if source.source_type is SourceType.MCP_SERVER else text


def _kind_cells(width: int) -> int:
    """Return the cells of the first column; parts of segments (`instructions`) need more than kinds."""
    return 15 if width >= _WIDE else 13


def _grade_cells(width: int) -> int:
    """Return the cells of the grade; 0 where it has no room."""
    return _GRADE if width >= _GRADED else 0


def _unnamed(row: SourceShare) -> str:
    """Say what a source without a name is."""
    if row.share.zones[0][0] is Zone.OUTPUT:
        return "the answer"
    return UNNAMED.get(row.source.source_type, "")
