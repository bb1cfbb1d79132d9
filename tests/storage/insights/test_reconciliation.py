"""Figures of others are compared with ours where they speak of the same thing; differences are explained, not hidden."""

import pytest

from proxy_core.attribution.model import Part, SourceType
from proxy_core.exchange import Headers
from storage.insights.reconciliation import CountedPrompt, compare_client_report, compare_counts, compare_rate_limits
from tests.storage.insights.turn_factory import Conversation, piece

NANO_PER_TOKEN = 5_000


def text(tokens: int) -> object:
    return piece(SourceType.USER, None, Part.TEXT, tokens, "go")


def counted(tokens: int, chain_hash: str = "c1") -> CountedPrompt:
    return CountedPrompt(exchange_id="f" * 32, chain_hash=chain_hash, prefix_hash="p", model="claude-opus-4-8", tokens=tokens)


def talk(*, priced: bool = True) -> Conversation:
    made = Conversation(is_priced=priced)
    made.add(text(1000), chain_hashes=("c0", "c1"), prefix_hash="p", requested_model="claude-opus-4-8")  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(("tokens", "is_agreed"), [(1000, True), (1010, True), (1011, False), (900, False)])
def test_a_count_of_the_same_prompt_is_compared(tokens: int, is_agreed: bool) -> None:
    (comparison,) = compare_counts(talk().turns, [counted(tokens)])
    assert (comparison.is_agreed, comparison.difference) == (is_agreed, tokens - 1000)
    assert comparison.explanation


def test_a_count_of_another_prompt_is_not() -> None:
    assert compare_counts(talk().turns, [counted(1000, "other")]) == []


@pytest.mark.parametrize(
    ("session", "cost_usd", "priced", "explanation"),
    [
        ("s1", 0.005, True, "they agree"),
        ("s1", 0.006, True, "did not come through Assay"),
        ("s1", 0.004, True, "leaves requests out"),
        ("s9", 0.004, True, "no request of this session"),
        ("s1", 0.004, False, "1 requests have no known price"),
    ],
)
def test_the_clients_own_cost_is_compared(session: str, cost_usd: float, priced: bool, explanation: str) -> None:
    comparison = compare_client_report(talk(priced=priced).turns, {"session_id": session, "total_cost_usd": cost_usd})
    assert comparison is not None
    assert explanation in comparison.explanation
    assert comparison.is_agreed is (explanation == "they agree")


@pytest.mark.parametrize("report", [{}, {"total_cost_usd": None}, {"total_cost_usd": "1"}])
def test_a_report_without_a_cost_says_nothing(report: dict[str, object]) -> None:
    assert compare_client_report(talk().turns, report) is None


def limits(remaining: object, limit: str = "2000000") -> Headers:
    return (
        ("anthropic-ratelimit-input-tokens-limit", limit),
        ("Anthropic-RateLimit-Input-Tokens-Remaining", str(remaining)),
    )


def test_an_allowance_that_falls_faster_than_our_traffic_tells_of_others() -> None:
    made = Conversation()
    first, second = made.add(text(10)), made.add(text(1000))  # type: ignore[arg-type]
    (comparison,) = compare_rate_limits([(first, limits(9000)), (second, limits(5000))])
    assert (comparison.ours, comparison.theirs) == (1000, 4000)
    assert "others use the same key" in comparison.explanation


@pytest.mark.parametrize("after", [limits(8000), limits(9999), limits("?"), limits(5000, "1"), ()])
def test_a_fall_that_our_traffic_explains_or_that_is_unknown_is_nothing(after: Headers) -> None:
    made = Conversation()
    first, second = made.add(text(10)), made.add(text(1000))  # type: ignore[arg-type]
    assert compare_rate_limits([(first, limits(9000)), (second, after)]) == []
