"""Budgets are read strictly, measured by source, and an unknown cost never passes."""

import pytest

from proxy_core.attribution.model import Part, Source, SourceType
from storage.insights.gates import GateError, check_gates, parse_cost_gate, parse_tokens_gate, source_matches
from tests.storage.insights.turn_factory import Conversation, mcp, piece


def talk() -> Conversation:
    made = Conversation()
    made.add(mcp("github", tokens=300), mcp("notion", tokens=100), piece(SourceType.USER, None, Part.TEXT, 10, "go"))
    made.add(mcp("github", tokens=500), piece(SourceType.USER, None, Part.TEXT, 20, "on"))
    return made


@pytest.mark.parametrize(
    ("text", "pattern", "tokens"), [("20000", None, 20000), ("1.5k", None, 1500), ("source:mcp:*=2M", "mcp:*", 2_000_000)]
)
def test_token_limits_are_read(text: str, pattern: str | None, tokens: int) -> None:
    gate = parse_tokens_gate(text)
    assert (gate.pattern, gate.max_tokens) == (pattern, tokens)


def test_cost_limits_are_read() -> None:
    assert parse_cost_gate("1.50").max_cost_nano_usd == 1_500_000_000
    assert parse_cost_gate("memory:*=$0.01").pattern == "memory:*"


@pytest.mark.parametrize("text", ["", "many", "mcp:*=", "-5", "nonsense:*=5"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(GateError):
        parse_tokens_gate(text)


@pytest.mark.parametrize("text", ["", "free", "nan", "inf", "-1"])
def test_nonsense_dollars_are_refused(text: str) -> None:
    with pytest.raises(GateError):
        parse_cost_gate(text)


def test_everything_is_measured_by_its_largest_request() -> None:
    (result,) = check_gates(talk().turns, [parse_tokens_gate("519")])
    assert (result.name, result.measured_tokens, result.is_passed) == ("all", 520, False)


def test_a_pattern_measures_each_source_alone() -> None:
    results = check_gates(talk().turns, [parse_tokens_gate("mcp:*=400")])
    assert {result.name: result.is_passed for result in results} == {"McpServer:github": False, "McpServer:notion": True}


def test_cost_is_summed_over_the_range() -> None:
    (result,) = check_gates(talk().turns, [parse_cost_gate("mcp:github=0.0039")])
    assert result.measured_cost_nano_usd == 800 * 5_000
    assert not result.is_passed
    assert check_gates(talk().turns, [parse_cost_gate("mcp:github=0.004")])[0].is_passed


def test_an_unknown_cost_does_not_pass() -> None:
    made = Conversation(is_priced=False)
    made.add(mcp("github"))
    assert not check_gates(made.turns, [parse_cost_gate("100")])[0].is_passed


def test_a_source_that_was_not_seen_passes_with_nothing() -> None:
    (result,) = check_gates(talk().turns, [parse_tokens_gate("skill:nope=5")])
    assert (result.name, result.measured_tokens, result.is_passed) == ("skill:nope", 0, True)


def test_patterns_name_kind_and_name() -> None:
    source = Source(SourceType.MCP_SERVER, "github")
    assert source_matches(source, "mcp")
    assert source_matches(source, "McpServer:git*")
    assert source_matches(source, "*:github")
    assert not source_matches(source, "mcp:notion")
    assert not source_matches(source, "memory")
    assert source_matches(Source(SourceType.USER), "user")
