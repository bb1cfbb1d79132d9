"""A definition that grew by more than a fifth is told; smaller growth and shrinking are not."""

from typing import Any

import pytest

from proxy_core.attribution.model import Part, RequestClass, SourceType
from storage.insights.drift import drifted_sources, size_histories
from tests.storage.insights.turn_factory import Conversation, mcp, piece

A_DAY = 24 * 60.0


@pytest.mark.parametrize(
    ("before", "after", "is_told"), [(400, 500, True), (400, 480, False), (100, 140, False), (500, 300, False)]
)
def test_growth_is_told_from_a_fifth_on(before: int, after: int, is_told: bool) -> None:
    talk = Conversation()
    talk.add(mcp("notion", tokens=before))
    talk.add(mcp("notion", tokens=after), minutes=A_DAY)
    findings = drifted_sources(talk.turns)
    assert bool(findings) is is_told
    if is_told:
        assert "grew 25%: 400 tokens" in findings[0].summary
        assert findings[0].tokens == 100


def test_history_has_a_point_for_each_day_and_client_version() -> None:
    talk = Conversation()
    for tokens in (100, 110, 300):
        talk.add(piece(SourceType.MEMORY, "CLAUDE.md", Part.BODY, tokens, "rules"))
    talk.client_version = "2.2.0"
    talk.add(piece(SourceType.MEMORY, "CLAUDE.md", Part.BODY, 90, "rules"))
    (history,) = size_histories(talk.turns)
    assert [(p.client_version, p.tokens, p.requests) for p in history.points] == [("2.1.330", 110, 3), ("2.2.0", 90, 1)]


def test_results_do_not_define_a_source() -> None:
    talk = Conversation()
    talk.add(mcp("notion", Part.RESULT))
    assert size_histories(talk.turns) == []


def test_a_source_that_was_empty_at_first_has_no_growth() -> None:
    talk = Conversation()
    talk.add(mcp("notion", tokens=0))
    talk.add(mcp("notion", tokens=900), minutes=A_DAY)
    assert drifted_sources(talk.turns) == []


@pytest.mark.parametrize(
    "other",
    [
        {"model": "claude-haiku-4-5"},
        {"client_name": "opencode"},
        {"request_class": RequestClass.SUBAGENT},
        {"agent_type": "plan"},
    ],
)
def test_only_requests_of_one_kind_are_compared(other: dict[str, Any]) -> None:
    talk = Conversation()
    talk.add(mcp("notion", tokens=100))
    talk.add(mcp("notion", tokens=900), minutes=A_DAY, **other)
    talk.add(mcp("notion", tokens=100), minutes=A_DAY)
    assert drifted_sources(talk.turns) == []
    (history,) = size_histories(talk.turns)
    assert history.requests == 2


def test_a_tool_that_was_deferred_and_is_loaded_did_not_grow() -> None:
    talk = Conversation()
    talk.add(mcp("notion", Part.NAMES, tokens=10))
    talk.add(mcp("notion", Part.NAMES, tokens=10), mcp("notion", tokens=900), minutes=A_DAY)
    assert drifted_sources(talk.turns) == []
