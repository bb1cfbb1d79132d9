"""Plots of block characters: stacked columns at an eighth of a cell, and a filled curve against a limit.

Where there is no colour, a letter stands for each series. Must not know what is plotted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Final

from rich.style import Style

from tui.format import short_figure
from tui.theme import Inks
from tui.widgets.line_list import Line

_LABEL_CELLS: Final = 8
_MARGIN_CELLS: Final = 1
"""Left free at the right edge."""
_MOST_COLUMN_CELLS: Final = 24
_MOST_PITCH_CELLS: Final = 30
"""Few columns stand no further apart: they are to be compared."""
_GAPS_FROM: Final = 3
"""Cells a column from which there is room for gaps; narrower ones touch, and fill the room all the same."""
_LOWER_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_FAR: Final = 4
"""A limit so many times above the curve is left out: it would flatten it."""
_STEPS: Final = 8
"""Heights that a cell can show."""
_BRAILLE_BASE: Final = 0x2800
_BRAILLE_ROWS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Dots of a braille cell from top to bottom: left, right."""


@dataclass(frozen=True, slots=True)
class Series:
    """One layer of a stack."""

    name: str
    colour: str
    """`#rrggbb`."""
    letter: str
    """Stands for it where there is no colour."""
    values: tuple[int, ...]
    """One a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How a plot is drawn."""

    width: int
    """Cells, axis labels included."""
    height: int
    """Lines, the axis below included."""
    inks: Inks
    has_colour: bool = True
    label: Callable[[int], str] = str
    """Writes a value of the upright axis."""


def stacked_columns(series: Sequence[Series], times: Sequence[str], frame: Frame) -> list[Line]:
    """Draw columns stacked from the first series upwards.

    Args:
        series: Layers, all of the same number of columns.
        times: What stands below each column; shown where there is room.
        frame: Size, inks and axis.
    """
    columns = len(times)
    rows = frame.height - 1
    if columns == 0 or rows < 1:
        return []
    top = nice_ceiling(max((sum(one.values[i] for one in series) for i in range(columns)), default=0))
    spans = column_spans(_room(frame.width), columns)
    stacks = [_pixels(series, index, top, rows * _STEPS) for index in range(columns)]
    lines: list[Line] = []
    for row in range(rows):
        line = _axis_label(row, rows, top, frame)
        at = 0
        for stack, (start, cells) in zip(stacks, spans, strict=True):
            floor = (rows - 1 - row) * _STEPS
            if start > at:
                line.append((" " * (start - at), Style.null()))
            line.append(_cell(series, stack[floor : floor + _STEPS], cells, frame))
            at = start + cells
        lines.append(line)
    lines.append(_time_axis(times, [start for start, _ in spans], frame))
    return lines


def filled_curve(values: Sequence[int], limit: int | None, frame: Frame, colour: str) -> list[Line]:
    """Draw a curve in braille, filled to the ground, with a dotted line at a limit that is near enough to be seen."""
    rows = frame.height
    room = _room(frame.width)
    if not values or rows < 2 or room < 4:
        return []
    limit = limit if limit is not None and limit <= _FAR * max(values) else None
    top = nice_ceiling(max(*values, limit or 0))
    dots = room * 2
    heights = [round(_sample(values, x, dots) / top * rows * 4) for x in range(dots)]
    limit_row = rows - 1 - min(rows - 1, int(limit / top * rows - 1e-9)) if limit else None
    lines: list[Line] = []
    for row in range(rows):
        line = _axis_label(row, rows, top, frame)
        floor = (rows - 1 - row) * 4
        text = "".join(_braille(heights[2 * x], heights[2 * x + 1], floor) for x in range(room))
        line.extend(
            _with_limit(text, Style(color=colour), frame.inks.warning) if row == limit_row else [(text, Style(color=colour))]
        )
        lines.append(line)
    return lines


def nice_ceiling(value: int) -> int:
    """Round up to a figure that reads well on an axis; at least 1."""
    if value <= 1:
        return 1
    power = int(10 ** (len(str(value)) - 1))
    for factor in (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10):
        if value <= factor * power:
            return int(factor * power)
    return 10 * power


def column_spans(room: int, columns: int) -> list[tuple[int, int]]:
    """Return first cell and cells of each column, spread over the room: all as wide and with gaps where there is enough."""
    pitch = _pitch(room, columns)
    starts = [int(index * pitch) for index in range(columns + 1)]
    if pitch < _GAPS_FROM:
        return [(start, end - start) for start, end in pairwise(starts)]
    cells = min(_MOST_COLUMN_CELLS, int(pitch) - max(1, int(pitch) // 6))
    return [(start, cells) for start in starts[:columns]]


def label_step(width: int, columns: int, label_cells: int = 6) -> int:
    """Return how many columns apart labels must stand so that they do not touch."""
    return max(1, ceil((label_cells + 2) / _pitch(_room(width), columns)))


def most_columns(width: int) -> int:
    """Return how many columns a plot of this width can show."""
    return max(1, _room(width))


def _room(width: int) -> int:
    """Return the cells that a plot has between its axis and the right edge."""
    return width - _LABEL_CELLS - 1 - _MARGIN_CELLS


def _pitch(room: int, columns: int) -> float:
    """Return how far columns stand apart."""
    return min(_MOST_PITCH_CELLS, max(1, room / columns))


def _pixels(series: Sequence[Series], index: int, top: int, height: int) -> list[int | None]:
    """Return, from the ground up, which series each eighth of a cell shows; a column with anything in it shows something."""
    stack: list[int | None] = []
    total = 0
    for number, one in enumerate(series):
        total += one.values[index]
        reach = min(height, round(total * height / top))
        stack.extend([number] * (reach - len(stack)))
    if total > 0 and not stack:
        stack.append(max(range(len(series)), key=lambda number: series[number].values[index]))
    return stack + [None] * (height - len(stack))


def _cell(series: Sequence[Series], pixels: Sequence[int | None], cells: int, frame: Frame) -> tuple[str, Style]:
    """Draw one cell of a column: the two layers that fill most of it, or one above the empty ground."""
    counts: dict[int | None, int] = {}
    for pixel in pixels:
        counts[pixel] = counts.get(pixel, 0) + 1
    largest = sorted(counts, key=lambda number: -counts[number])[:2]
    below, *above = sorted(largest, key=pixels.index)
    if below is None:
        return " " * cells, Style.null()
    if not frame.has_colour:
        return (series[below].letter if counts[below] >= _STEPS // 2 else "▁") * cells, frame.inks.plain
    if not above:
        return "█" * cells, Style(color=series[below].colour)
    filled = max(1, min(_STEPS - 1, round(_STEPS * counts[below] / (counts[below] + counts[above[0]]))))
    ground = series[above[0]].colour if above[0] is not None else None
    return _LOWER_BLOCKS[filled] * cells, Style(color=series[below].colour, bgcolor=ground)


def _axis_label(row: int, rows: int, top: int, frame: Frame) -> list[tuple[str, Style]]:
    """Write the value at a line's upper edge on some lines, and the axis on all."""
    steps = 4 if rows >= 12 else 2
    shown = {round(rows * step / steps): top - top * step // steps for step in range(steps)}
    text = short_figure(frame.label(shown[row])) if row in shown else ""
    return [(f"{text:>{_LABEL_CELLS - 1}} ", frame.inks.muted), ("┤" if row in shown else "│", frame.inks.faint)]


def _time_axis(times: Sequence[str], starts: Sequence[int], frame: Frame) -> Line:
    line = " " * (_LABEL_CELLS + 1)
    for index, text in enumerate(times):
        at = _LABEL_CELLS + 1 + starts[index]
        is_last = at + len(text) > frame.width - _MARGIN_CELLS
        if text and at >= len(line) + (2 if index else 0) and not is_last:
            line += " " * (at - len(line)) + text
    return [(line[: frame.width], frame.inks.muted)]


def _sample(values: Sequence[int], x: int, dots: int) -> int:
    return values[min(len(values) - 1, x * len(values) // dots)]


def _braille(left: int, right: int, floor: int) -> str:
    code = _BRAILLE_BASE
    for dot in range(4):
        level = floor + 3 - dot
        code |= _BRAILLE_ROWS[dot][0] if left > level else 0
        code |= _BRAILLE_ROWS[dot][1] if right > level else 0
    return " " if code == _BRAILLE_BASE else chr(code)


def _with_limit(text: str, own: Style, limit: Style) -> Line:
    return [(character if character != " " else "╌", own if character != " " else limit) for character in text]
