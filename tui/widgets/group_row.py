"""The heading of a branch in the request list: what it is, how many requests, tokens and dollars it holds. Pure drawing."""

from typing import Final

from storage.views import ExchangeSummary
from tui import format as fmt
from tui.outline import Group
from tui.theme import Inks
from tui.widgets.exchange_row import GUTTER_CELLS, layout
from tui.widgets.line_list import Line

_ID_FROM: Final = 40
"""Cells of a name from which a session's id has room beside its title."""


def group_line(group: Group, first: ExchangeSummary | None, width: int, inks: Inks) -> Line:
    """Draw a heading, its figures in the columns of the exchanges below it.

    Args:
        group: The branch.
        first: The exchange it is named by; `None` while that is on its way.
        width: Cells to fill.
        inks: The theme's inks.
    """
    chosen = layout(width)
    names = [column.name for column in chosen.columns]
    before = sum(column.width + 1 for column in chosen.columns[: names.index("input")])
    lead = "  " * group.depth + ("▸ " if group.is_folded else "▾ ")
    line = [(lead, inks.accent), *_name_cells(group, first, before + GUTTER_CELLS - len(lead), inks)]
    figures = {"input": fmt.tokens(group.input_tokens), "cost": fmt.usd(group.cost_nano_usd)}
    line += [
        (fmt.fit(figures.get(column.name, ""), column.width, is_right=True) + " ", inks.plain)
        for column in chosen.columns[names.index("input") :]
    ]
    return [*line, *_counts(group, chosen.bar_cells, inks)]


def _counts(group: Group, room: int, inks: Inks) -> Line:
    """Write how many requests there are and how many failed, in as many words as there is room for."""
    exchanges, failed = fmt.whole(group.exchanges), fmt.whole(group.errors)
    words = f"{exchanges} request{'' if group.exchanges == 1 else 's'}"
    ways = ((words, f"  {failed} failed"), (f"{exchanges} req", f"  ✗ {failed}"), (exchanges, f" ✗ {failed}"))
    told = [(count, errors if group.errors else "") for count, errors in ways]
    count, errors = next((way for way in told if len("".join(way)) <= room), told[-1])
    return [(count, inks.muted), (errors, inks.error)]


def _name_cells(group: Group, first: ExchangeSummary | None, room: int, inks: Inks) -> Line:
    """Write the name; that of a session with its id, by which a filter finds it, where both have room."""
    own = group.key[-1]
    name, style = _name(group, first), inks.strong if group.depth == 0 else inks.plain
    if group.depth or own is None or own[:8] in name or room < _ID_FROM:
        return [(fmt.fit(name, room - 1) + " ", style)]
    return [(fmt.fit(name, room - 11) + " ", style), (f" {own[:8]} ", inks.muted)]


def _name(group: Group, first: ExchangeSummary | None) -> str:
    title = fmt.one_line(first.title) if first is not None and first.title else ""
    own = group.key[-1]
    if group.depth == 0:
        return title or ("no session" if own is None else f"session {own[:8]}")
    if own is None:  # no agent's: a title would say once more what the session is called
        return "main"
    if first is not None and first.agent_id == own:
        return f"↳ {first.agent_type or 'agent'} {own[:8]}"
    return title or own[:8]
