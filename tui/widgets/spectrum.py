"""The spectrum bar: what a request is made of, as one stacked bar in the colours of the kinds of source.

Pure drawing, shared by the request list, the breakdown and the sessions. Where there is no colour, the kinds' letters
make up the bar. Must not sort or add up anything: the view comes largest kind first.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from rich.style import Style

from proxy_core.attribution.model import SourceType
from storage.views import Spectrum
from tui.colours import KINDS, kind_colour
from tui.format import divide_cells
from tui.theme import ink, inks
from tui.widgets.line_list import Line

_CELL: Final = "▆"

NO_KINDS: Final[frozenset[SourceType]] = frozenset()


def spectrum_bar(
    spectrum: Spectrum,
    width: int,
    *,
    is_dark: bool,
    highlighted: AbstractSet[SourceType] = NO_KINDS,
    has_colour: bool = True,
) -> Line:
    """Draw a stacked bar.

    Args:
        spectrum: Tokens by kind.
        width: Cells to fill.
        is_dark: Which palette.
        highlighted: Kinds put forward; the others are dimmed. Empty: all alike.
        has_colour: False draws letters instead of coloured cells.
    """
    ordered = in_legend_order(spectrum)
    cells = divide_cells([tokens for _, tokens in ordered], width)
    runs = [
        ((_CELL if has_colour else KINDS[kind].letter) * count, _style(kind, is_dark, highlighted, has_colour))
        for (kind, _), count in zip(ordered, cells, strict=True)
        if count
    ]
    return runs or [(" " * width, Style.null())]


def in_legend_order(spectrum: Spectrum) -> Spectrum:
    """Put kinds into the legend's order, so that a colour keeps its place from one row to the next."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    return tuple(sorted(((kind, count) for kind, count in spectrum if count > 0), key=lambda item: order[item[0]]))


def _style(kind: SourceType, is_dark: bool, highlighted: AbstractSet[SourceType], has_colour: bool) -> Style:
    own = inks(is_dark=is_dark)
    is_back = bool(highlighted) and kind not in highlighted
    if not has_colour:
        return own.faint if is_back else own.plain
    return own.dimmed if is_back else ink(kind_colour(kind, is_dark=is_dark))
