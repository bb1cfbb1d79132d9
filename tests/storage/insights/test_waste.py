"""What was carried and never used is found, named and summed; what was used, or cannot be judged, is not."""

from dataclasses import replace

import pytest

from proxy_core.attribution.model import Part, SourceType
from storage.insights.findings import FindingKind
from storage.insights.waste import unused_sources, unused_sources_by_session
from tests.storage.insights.turn_factory import Conversation, mcp, piece


def test_a_server_that_is_never_called_is_found_with_all_its_parts() -> None:
    talk = Conversation()
    for _ in range(2):
        talk.add(mcp("idle", tokens=100), mcp("idle", Part.INSTRUCTIONS, tokens=20), mcp("busy"), mcp("busy", Part.CALL, 5))
    (finding,) = unused_sources(talk.turns)
    assert finding.kind is FindingKind.UNUSED
    assert finding.source is not None
    assert finding.source.source_name == "idle"
    assert (finding.tokens, finding.cost_nano_usd, finding.exchanges) == (240, 240 * 5_000, 2)
    assert finding.share == 240 / 450
    assert "idle" in finding.action
    assert finding.exchange_ids == tuple(turn.exchange_id for turn in talk.turns)


def test_a_call_in_the_newest_answer_counts_as_use() -> None:
    talk = Conversation()
    talk.add(mcp("github"), piece(SourceType.TOOL, "Bash", Part.DEFINITION, 50, "bash"), called=("mcp__github__search", "Bash"))
    assert unused_sources(talk.turns) == []


def test_a_skill_whose_body_was_loaded_was_used() -> None:
    talk = Conversation()
    talk.add(
        piece(SourceType.SKILL, "release", Part.LISTING, 30, "listing"),
        piece(SourceType.SKILL, "release", Part.BODY, 300, "body"),
        piece(SourceType.SKILL, "unused", Part.LISTING, 40, "other"),
    )
    assert [f.source.source_name for f in unused_sources(talk.turns) if f.source] == ["unused"]


def test_memory_files_are_never_called_unused() -> None:
    talk = Conversation()
    talk.add(piece(SourceType.MEMORY, "CLAUDE.md", Part.BODY, 500, "rules"))
    assert unused_sources(talk.turns) == []


def test_what_costs_nothing_is_no_waste() -> None:
    talk = Conversation()
    talk.add(mcp("deferred", tokens=0))
    assert unused_sources(talk.turns) == []


def test_a_session_is_judged_by_itself() -> None:
    one, two = Conversation("s1"), Conversation("s2", first_id=10)
    one.add(mcp("github"), mcp("github", Part.RESULT, 10))
    two.add(mcp("github"))
    turns = one.turns + two.turns
    assert unused_sources(turns) == []
    assert [(f.session_id, f.tokens) for f in unused_sources_by_session(turns)] == [("s2", 100)]


def test_without_a_price_the_cost_is_unknown() -> None:
    talk = Conversation(is_priced=False)
    talk.add(mcp("idle"))
    assert unused_sources(talk.turns)[0].cost_nano_usd is None


def test_the_tool_that_calls_a_skill_or_an_agent_was_used_with_it() -> None:
    talk = Conversation()
    talk.add(
        *[piece(SourceType.TOOL, name, Part.DEFINITION, 50, name) for name in ("Skill", "Agent", "SlashCommand")],
        piece(SourceType.SKILL, "release", Part.CALL, 5, "call"),
        piece(SourceType.AGENT, "reviewer", Part.CALL, 5, "call"),
    )
    assert [finding.source.source_name for finding in unused_sources(talk.turns) if finding.source] == ["SlashCommand"]


def test_a_listed_skill_that_was_called_as_a_command_was_used() -> None:
    talk = Conversation()
    talk.add(
        piece(SourceType.SKILL, "review", Part.LISTING, 30, "listing"),
        piece(SourceType.COMMAND, "review", Part.BODY, 30, "Review it."),
    )
    assert unused_sources(talk.turns) == []


def test_a_tool_of_any_name_that_calls_for_others_was_used() -> None:
    talk = Conversation()
    turn = talk.add(
        piece(SourceType.TOOL, "task", Part.DEFINITION, 50, "definition"),
        piece(SourceType.AGENT, "explore", Part.CALL, 5, "task"),
    )
    definition, call = turn.attribution.segments
    named = replace(turn.attribution, segments=(definition, replace(call, pointer="/messages/1/content/0/name")))
    assert unused_sources([replace(turn, attribution=named)]) == []


@pytest.mark.parametrize("name", ["mcp__big__corp__search", "find"])
def test_a_server_is_found_behind_the_name_of_its_tool(name: str) -> None:
    talk = Conversation()
    server = "big__corp" if name.startswith("mcp__") else "finder"
    talk.add(mcp(server, text=f'{{"name": "{name}", "description": "Finds."}}'), called=(name,))
    assert unused_sources(talk.turns) == []


@pytest.mark.parametrize(("tokens", "is_told"), [(99, False), (100, True)])
def test_names_alone_are_told_only_when_there_are_many(tokens: int, is_told: bool) -> None:
    talk = Conversation()
    talk.add(mcp("deferred", Part.NAMES, tokens=tokens))
    assert bool(unused_sources(talk.turns)) is is_told
