"""Leaving a source out saves exactly what its lines were billed, and the rewrites that it caused."""

from proxy_core.attribution.model import Part, Source, SourceType, Zone
from storage.insights.what_if import DEFERRED_NAME_TOKENS, deferred, without
from tests.storage.insights.turn_factory import RATES_NANO, Conversation, mcp, piece

READ, WRITE = RATES_NANO[Zone.CACHE_READ], RATES_NANO[Zone.CACHE_WRITE_5M]


def is_context7(source: Source) -> bool:
    return source == Source(SourceType.MCP_SERVER, "context7")


def user(zone: Zone) -> object:
    return piece(SourceType.USER, None, Part.TEXT, 1000, "go", zone=zone, cache_ttl="5m")


def test_each_line_goes_at_the_price_of_its_zone() -> None:
    talk = Conversation()
    talk.add(mcp("context7", zone=Zone.CACHE_WRITE_5M), user(Zone.CACHE_WRITE_5M))  # type: ignore[arg-type]
    talk.add(mcp("context7", zone=Zone.CACHE_READ), user(Zone.CACHE_READ))  # type: ignore[arg-type]
    result = without(talk.turns, is_context7)
    assert (result.tokens_saved, result.requests_changed, result.breaks_avoided) == (200, 2, 0)
    assert result.cost_saved_nano_usd == 100 * (WRITE + READ)
    assert result.before.tokens == 2200
    assert not result.is_estimate


def test_the_rewrite_it_caused_would_have_been_a_read() -> None:
    talk = Conversation()
    talk.add(user(Zone.CACHE_WRITE_5M))  # type: ignore[arg-type]
    talk.add(mcp("context7", zone=Zone.CACHE_WRITE_5M), user(Zone.CACHE_WRITE_5M))  # type: ignore[arg-type]
    result = without(talk.turns, is_context7)
    assert result.breaks_avoided == 1
    assert result.cost_saved_nano_usd == 100 * WRITE + 1000 * WRITE


def test_a_break_by_its_removal_is_its_own_too() -> None:
    talk = Conversation()
    talk.add(mcp("context7", zone=Zone.CACHE_WRITE_5M), user(Zone.CACHE_WRITE_5M))  # type: ignore[arg-type]
    talk.add(user(Zone.CACHE_WRITE_5M))  # type: ignore[arg-type]
    assert without(talk.turns, is_context7).breaks_avoided == 1


def test_breaks_of_others_stay() -> None:
    talk = Conversation()
    talk.add(mcp("context7", zone=Zone.CACHE_WRITE_5M), user(Zone.CACHE_WRITE_5M))  # type: ignore[arg-type]
    talk.add(
        mcp("context7", zone=Zone.CACHE_WRITE_5M),
        mcp("github", zone=Zone.CACHE_WRITE_5M),
        user(Zone.CACHE_WRITE_5M),  # type: ignore[arg-type]
    )
    talk.add(
        mcp("context7", zone=Zone.CACHE_WRITE_5M),
        mcp("github", zone=Zone.CACHE_WRITE_5M),
        user(Zone.CACHE_WRITE_5M),  # type: ignore[arg-type]
        minutes=9,
    )
    assert without(talk.turns, is_context7).breaks_avoided == 0


def test_deferring_keeps_the_names() -> None:
    talk = Conversation()
    talk.add(mcp("context7", text="a"), mcp("context7", text="b"), mcp("context7", Part.RESULT, 70))
    result = deferred(talk.turns, is_context7)
    assert result.tokens_saved == 200 - 2 * DEFERRED_NAME_TOKENS
    assert result.cost_saved_nano_usd == (200 - 2 * DEFERRED_NAME_TOKENS) * RATES_NANO[Zone.FRESH]
    assert result.is_estimate


def test_without_a_price_tokens_are_saved_and_dollars_unknown() -> None:
    talk = Conversation(is_priced=False)
    talk.add(mcp("context7"))
    result = without(talk.turns, is_context7)
    assert (result.tokens_saved, result.cost_saved_nano_usd) == (100, None)


def test_a_source_that_was_not_there_saves_nothing() -> None:
    talk = Conversation()
    talk.add(mcp("github"))
    result = without(talk.turns, is_context7)
    assert (result.tokens_saved, result.cost_saved_nano_usd, result.requests_changed) == (0, 0, 0)
