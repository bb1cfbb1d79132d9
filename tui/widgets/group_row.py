"""The heading of a branch in the request list: what it is, how many requests, tokens and dollars it holds. Pure drawing."""

from typing import Final

from storage.views import ExchangeSummary
from tui import format as fmt
from tui.outline import Group
from tui.theme import Inks
from tui.widgets.line_list import Line

_FIGURES: Final = 40


def group_line(group: Group, first: ExchangeSummary | None, width: int, inks: Inks) -> Line:
    """Draw a heading; `first` is the exchange it is named by, `None` while that is on its way."""
    mark = "▸ " if group.is_folded else "▾ "
    indent = "  " * group.depth
    name = fmt.fit(f"{_name(group, first)}", max(0, width - _FIGURES - len(indent) - 2))
    errors = f"{group.errors} failed" if group.errors else ""
    return [
        (indent + mark, inks.accent),
        (name, inks.strong if group.depth == 0 else inks.plain),
        (fmt.fit(f"{group.exchanges} req", 9, is_right=True), inks.muted),
        (fmt.fit(fmt.tokens(group.input_tokens), 9, is_right=True), inks.plain),
        (fmt.fit(fmt.usd(group.cost_nano_usd), 10, is_right=True), inks.plain),
        (fmt.fit(errors, 11, is_right=True), inks.error),
    ]


def _name(group: Group, first: ExchangeSummary | None) -> str:
    title = fmt.one_line(first.title) if first is not None and first.title else ""
    own = group.key[-1]
    if group.depth == 0:
        label = "no session" if own is None else f"session {own[:8]}"
        return f"{label}  {title}"
    if first is not None and first.agent_id is not None and first.agent_id == own:
        return f"↳ {first.agent_type or 'agent'} {own[:8]}"
    if own is None:
        return title or "main"
    return title or own[:8]
