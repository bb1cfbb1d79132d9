"""The heading of a branch in the request list: what it is, how many requests, tokens and dollars it holds. Pure drawing."""

from storage.views import ExchangeSummary
from tui import format as fmt
from tui.outline import Group
from tui.theme import Inks
from tui.widgets.exchange_row import GUTTER_CELLS, layout
from tui.widgets.line_list import Line


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
    line = [
        (lead, inks.accent),
        (
            fmt.fit(_name(group, first), before + GUTTER_CELLS - len(lead) - 1) + " ",
            inks.strong if group.depth == 0 else inks.plain,
        ),
    ]
    figures = {"input": fmt.tokens(group.input_tokens), "cost": fmt.usd(group.cost_nano_usd)}
    line += [
        (fmt.fit(figures.get(column.name, ""), column.width, is_right=True) + " ", inks.plain)
        for column in chosen.columns[names.index("input") :]
    ]
    count = f"{group.exchanges} request{'' if group.exchanges == 1 else 's'}"
    errors = f"  {group.errors} failed" if group.errors else ""
    return [*line, (count, inks.muted), (errors, inks.error)]


def _name(group: Group, first: ExchangeSummary | None) -> str:
    title = fmt.one_line(first.title) if first is not None and first.title else ""
    own = group.key[-1]
    if group.depth == 0:
        label = "no session" if own is None else f"session {own[:8]}"
        return f"{label}  {title}"
    if first is not None and first.agent_id is not None and first.agent_id == own:
        return f"↳ {first.agent_type or 'agent'} {own[:8]}"
    return title or (own[:8] if own is not None else "main")
