"""Definitions that were carried in requests and never used.

Use is what the wire shows: a call, a result, a body that was loaded, a prompt or resource asked for. What memory files
do to an answer cannot be seen there, so they are never called unused.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from proxy_core.attribution.model import LedgerLine, Part, Source, SourceType
from storage.insights.findings import EVIDENCE_LIMIT, Finding, FindingKind
from storage.insights.turns import AnalysedTurn, amount_of, by_session

CARRIED_PARTS = frozenset({Part.DEFINITION, Part.LISTING, Part.INSTRUCTIONS, Part.NAMES})
"""Parts that offer something to the model without its having asked."""

USED_PARTS = frozenset({Part.CALL, Part.RESULT, Part.BODY, Part.PROMPT, Part.RESOURCE})
"""Parts that appear only once something was used."""

JUDGED_TYPES = frozenset({SourceType.MCP_SERVER, SourceType.SKILL, SourceType.AGENT, SourceType.COMMAND, SourceType.TOOL})
"""Kinds of source whose use shows on the wire."""

_CARRIERS = {
    SourceType.SKILL: ("Skill",),
    SourceType.AGENT: ("Agent", "Task"),
    SourceType.COMMAND: ("SlashCommand",),
}
"""Tools whose calls are attributed to what they call (Claude Code 1.0 to 2.1); needed only where texts are not kept."""

_TWINS = {SourceType.SKILL: SourceType.COMMAND, SourceType.COMMAND: SourceType.SKILL}
"""A skill can be called as a command, and commands are listed among the skills: one name, one thing."""

SMALLEST_NAMES_TOKENS = 100
"""Names alone, as deferred tools leave them, are worth a word from so many tokens a request on."""

_ACTIONS = {
    SourceType.MCP_SERVER: "Disable the MCP server {name}, or let its tools be deferred (ENABLE_TOOL_SEARCH).",
    SourceType.SKILL: "Remove the skill {name}, switch it off in the client's settings, or shorten its description.",
    SourceType.AGENT: "Remove the agent {name}, switch it off in the client's settings, or shorten its description.",
    SourceType.COMMAND: "Remove the command {name}, or shorten its description.",
    SourceType.TOOL: "Deny the tool {name} in the client's settings if you never want it.",
}


def unused_sources(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find what was carried and never used over all `turns` (one finding a source)."""
    return _unused(turns, session_id=None)


def unused_sources_by_session(turns: Sequence[AnalysedTurn]) -> list[Finding]:
    """Find what was carried and never used within each session, used elsewhere or not."""
    sessions = by_session(turns)
    return [finding for session_id, own in sessions.items() if session_id is not None for finding in _unused(own, session_id)]


def _unused(turns: Sequence[AnalysedTurn], session_id: str | None) -> list[Finding]:
    used = _used_sources(turns)
    carried = _carried_lines(turns)
    total = sum(line.tokens for turn in turns for line in turn.input_lines)
    return [
        _finding(source, rows, total, session_id)
        for source, rows in carried.items()
        if source not in used and _is_worth_a_word(rows)
    ]


def _is_worth_a_word(rows: list[tuple[AnalysedTurn, LedgerLine]]) -> bool:
    tokens = sum(line.tokens for _, line in rows)
    if any(line.part is not Part.NAMES for _, line in rows):
        return tokens > 0
    return tokens >= SMALLEST_NAMES_TOKENS * len({turn.id for turn, _ in rows})


def _used_sources(turns: Iterable[AnalysedTurn]) -> set[Source]:
    """Collect every source that was called, in a request or in an answer."""
    used: set[Source] = set()
    for turn in turns:
        for segment in turn.attribution.segments:
            if segment.part in USED_PARTS:
                used.add(segment.source)
            if segment.part is Part.CALL and segment.pointer.endswith("/name"):
                used.add(Source(SourceType.TOOL, segment.text))
        used.update(source for name in turn.called_tools for source in _sources_of_tool(name, turn))
    kinds = {source.source_type for source in used}
    used.update(Source(SourceType.TOOL, name) for kind in kinds for name in _CARRIERS.get(kind, ()))
    return used | {Source(_TWINS[s.source_type], s.source_name) for s in used if s.source_type in _TWINS}


def _sources_of_tool(name: str, turn: AnalysedTurn) -> Iterator[Source]:
    """Yield what may stand behind the name of a tool: rather one too many than calling unused what was used."""
    yield Source(SourceType.TOOL, name)
    parts = name.removeprefix("mcp__").split("__") if name.startswith("mcp__") else []
    for length in range(1, len(parts)):
        yield Source(SourceType.MCP_SERVER, "__".join(parts[:length]))
    opening = f'"name":"{name}"'
    for segment in turn.attribution.segments:
        if segment.part is Part.DEFINITION and opening in segment.text.replace('"name": "', '"name":"'):
            yield segment.source


def _carried_lines(turns: Iterable[AnalysedTurn]) -> dict[Source, list[tuple[AnalysedTurn, LedgerLine]]]:
    carried: dict[Source, list[tuple[AnalysedTurn, LedgerLine]]] = defaultdict(list)
    for turn in turns:
        for line in turn.input_lines:
            if line.part in CARRIED_PARTS and line.source.source_type in JUDGED_TYPES and line.source.source_name:
                carried[line.source].append((turn, line))
    return carried


def _finding(source: Source, rows: list[tuple[AnalysedTurn, LedgerLine]], total: int, session_id: str | None) -> Finding:
    exchange_ids = list(dict.fromkeys(turn.exchange_id for turn, _ in rows))
    amount = amount_of(line for _, line in rows)
    parts = ", ".join(sorted({line.part.value for _, line in rows}))
    return Finding(
        kind=FindingKind.UNUSED,
        source=source,
        summary=f"{source.source_type} {source.source_name}: {parts} carried in {len(exchange_ids)} requests, never used",
        action=_ACTIONS[source.source_type].format(name=source.source_name),
        tokens=amount.tokens,
        cost_nano_usd=amount.cost_nano_usd,
        share=amount.tokens / total if total else None,
        exchanges=len(exchange_ids),
        session_id=session_id,
        exchange_ids=tuple(exchange_ids[:EVIDENCE_LIMIT]),
    )
