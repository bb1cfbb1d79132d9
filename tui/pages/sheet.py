"""A page under construction: headings, pairs and wrapped text become lines of a given width, in the theme's inks.

All detail tabs are written with it, so that they look alike. Must not know what it is that is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len, chop_cells
from rich.style import Style

from tui import format as fmt
from tui.theme import Inks
from tui.widgets.line_list import Line

_TAB: Final = "    "


@dataclass(slots=True)
class Sheet:
    """Lines, and which segment each one leads to."""

    width: int
    inks: Inks
    lines: list[Line] = field(default_factory=list)
    links: dict[int, int] = field(default_factory=dict)
    """Line -> index of the segment that Enter opens there."""

    def heading(self, text: str, note: str = "") -> None:
        """Write a title, with a gap above it unless it is the first."""
        if self.lines:
            self.gap()
        self.lines.append(
            [(" " + fmt.fit(text, min(self.width - 1, cell_len(text))), self.inks.strong), ("  " + note, self.inks.muted)]
        )

    def gap(self) -> None:
        """Leave a line empty."""
        self.lines.append([])

    def pair(self, name: str, value: str, *, name_cells: int = 18, style: Style | None = None) -> None:
        """Write a name and its value, the value wrapped beside it."""
        room = max(10, self.width - name_cells - 3)
        for number, part in enumerate(wrap(value, room) or [""]):
            label = fmt.fit(name, name_cells) if number == 0 else " " * name_cells
            self.lines.append([(" " + label + " ", self.inks.muted), (part, style or self.inks.plain)])

    def text(self, text: str, style: Style | None = None, *, indent: int = 1) -> None:
        """Write wrapped text."""
        for part in wrap(text, max(10, self.width - indent - 1)):
            self.lines.append([(" " * indent + part, style or self.inks.plain)])

    def remark(self, text: str) -> None:
        """Write a note with a dot before it, wrapped beside the dot."""
        for number, part in enumerate(wrap(text, max(10, self.width - 4))):
            self.lines.append([(" · " if number == 0 else "   ", self.inks.warning), (part, self.inks.warning)])

    def line(self, *runs: tuple[str, Style]) -> None:
        """Write one line as it is."""
        self.lines.append(list(runs))

    def link(self, segment_index: int, since: int) -> None:
        """Let the lines from `since` on lead to a segment."""
        for number in range(since, len(self.lines)):
            self.links[number] = segment_index


def wrap(text: str, width: int) -> list[str]:
    """Cut a text into lines of at most `width` cells, at spaces where there are any."""
    return [line for paragraph in text.splitlines() for line in _wrap_paragraph(visible(paragraph), width)]


def visible(text: str) -> str:
    """Replace what a terminal would obey instead of showing."""
    if text.isprintable():
        return text
    return "".join(_TAB if c == "\t" else c if c.isprintable() else "·" for c in text)


def _wrap_paragraph(text: str, width: int) -> Iterator[str]:
    while cell_len(text) > width:
        head = chop_cells(text[: width * 2], width)[0]
        space = head.rfind(" ", width // 2)
        cut = space + 1 if space > 0 else len(head)
        yield text[:cut].rstrip()
        text = text[cut:]
    yield text
