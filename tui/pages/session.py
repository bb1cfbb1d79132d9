"""One session written out: totals, the tree of its agents, and the growth of its context as a curve."""

from collections.abc import Sequence

from storage.views import AgentNode, SessionDetail
from tui import format as fmt
from tui.pages.sheet import Sheet
from tui.plots import Frame, filled_curve

_CURVE_LINES = 7


def write_session(sheet: Sheet, session: SessionDetail, limit: int | None) -> None:
    """Write a session.

    Args:
        sheet: Where to.
        session: The session.
        limit: Tokens that its model can hold; `None`: not known.
    """
    summary = session.summary
    sheet.heading(fmt.fit(fmt.one_line(summary.title or "untitled"), max(10, sheet.width - 4)))
    sheet.pair("session", summary.session_id)
    sheet.pair("client", " ".join(part for part in (summary.client_name, summary.client_version) if part) or fmt.UNKNOWN)
    sheet.pair("models", ", ".join(fmt.model_name(model) for model in summary.models) or fmt.UNKNOWN)
    sheet.pair("lasted", f"{fmt.day_and_clock(summary.first_us)} to {fmt.clock(summary.last_us)}")
    cached = fmt.percent(summary.cache_read_tokens, summary.input_tokens)
    sheet.pair("cache", f"{cached} of the input was read from it")
    if summary.compactions:
        sheet.pair("compactions", fmt.whole(summary.compactions), style=sheet.inks.warning)
    if summary.errors:
        sheet.pair("errors", fmt.whole(summary.errors), style=sheet.inks.error)
    _write_growth(sheet, session, limit)
    sheet.heading("Agents", f"{len(session.agents)} in all")
    for depth, agent in agent_tree(session.agents):
        _write_agent(sheet, depth, agent)


def agent_tree(agents: Sequence[AgentNode]) -> list[tuple[int, AgentNode]]:
    """Put agents below those that started them, each with its depth; orphans stand at the top."""
    known = {agent.agent_id for agent in agents}
    children: dict[str | None, list[AgentNode]] = {}
    for agent in sorted(agents, key=lambda agent: agent.first_us):
        parent = agent.parent_agent_id if agent.parent_agent_id in known else None
        children.setdefault(parent, []).append(agent)
    ordered: list[tuple[int, AgentNode]] = []
    roots = children.get(None, [])
    mains = [agent for agent in roots if agent.agent_id is None]
    waiting = [(0, agent) for agent in reversed(mains)]
    rest = [agent for agent in roots if agent.agent_id is not None]
    seen: set[str | None] = set()
    while waiting or rest:
        depth, agent = waiting.pop() if waiting else (1 if mains else 0, rest.pop(0))
        if agent.agent_id in seen:
            continue
        seen.add(agent.agent_id)
        ordered.append((depth, agent))
        if agent.agent_id is not None:
            waiting.extend((depth + 1, child) for child in reversed(children.get(agent.agent_id, [])))
    return ordered


def _write_growth(sheet: Sheet, session: SessionDetail, limit: int | None) -> None:
    values = [tokens for _, tokens in session.context_growth]
    if not values:
        return
    fill = f"now {fmt.tokens(values[-1])}" + (f", {fmt.percent(values[-1], limit)} of {fmt.tokens(limit)}" if limit else "")
    sheet.heading("Context", fill)
    colour = sheet.inks.good.color
    frame = Frame(width=sheet.width - 1, height=_CURVE_LINES, inks=sheet.inks, label=fmt.tokens)
    for line in filled_curve(values, limit, frame, colour.name if colour is not None else "default"):
        sheet.line(*line)


def _write_agent(sheet: Sheet, depth: int, agent: AgentNode) -> None:
    name = "main" if agent.agent_id is None else f"↳ {agent.agent_type or 'agent'}"
    room = max(12, sheet.width - 44)
    sheet.line(
        (" " + fmt.fit("  " * depth + name, room), sheet.inks.plain if agent.agent_id is None else sheet.inks.accent),
        (fmt.fit(f"{agent.requests} req", 9, is_right=True), sheet.inks.muted),
        (fmt.fit(f"{fmt.tokens(agent.input_tokens)} in", 11, is_right=True), sheet.inks.plain),
        (fmt.fit(f"{fmt.tokens(agent.output_tokens)} out", 12, is_right=True), sheet.inks.muted),
        (fmt.fit(fmt.usd(agent.cost_nano_usd), 10, is_right=True), sheet.inks.plain),
    )
