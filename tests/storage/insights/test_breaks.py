"""Broken caches are collected by cause and source, and ranked by what they cost."""

from proxy_core.attribution.cache_breaks import BreakCause
from proxy_core.attribution.model import Part, SourceType, Zone
from storage.insights.breaks import break_stories
from tests.storage.insights.turn_factory import RATES_NANO, Conversation, Piece, piece

EXTRA_NANO = RATES_NANO[Zone.CACHE_WRITE_5M]


def turn_of(text: str, zone: Zone) -> tuple[Piece, Piece]:
    memory = piece(SourceType.MEMORY, "CLAUDE.md", Part.BODY, 900, text, zone=zone)
    return memory, piece(SourceType.USER, None, Part.TEXT, 100, "go", zone=zone, cache_ttl="5m")


def test_edits_of_one_file_are_one_story() -> None:
    talk = Conversation()
    for text in ("one", "two", "three"):
        talk.add(*turn_of(text, Zone.CACHE_WRITE_5M))
    (story,) = break_stories(talk.turns)
    assert (story.cause, story.breaks, story.rewritten_tokens) == (BreakCause.EDITED, 2, 2000)
    assert story.extra_cost_nano_usd == 2000 * EXTRA_NANO
    assert story.summary == "Memory CLAUDE.md edited mid-conversation"
    assert story.exchange_ids == tuple(turn.exchange_id for turn in talk.turns[1:])
    assert "between sessions" in story.action


def test_a_long_pause_is_told_apart_and_has_no_source() -> None:
    talk = Conversation()
    talk.add(*turn_of("one", Zone.CACHE_WRITE_5M))
    talk.add(*turn_of("one", Zone.CACHE_WRITE_5M), minutes=6)
    (story,) = break_stories(talk.turns)
    assert (story.cause, story.source) == (BreakCause.TTL_EXPIRED, None)
    assert story.summary == "The cache's time to live ran out"


def test_warm_conversations_have_no_story() -> None:
    talk = Conversation()
    talk.add(*turn_of("one", Zone.CACHE_WRITE_5M))
    talk.add(*turn_of("one", Zone.CACHE_READ))
    assert break_stories(talk.turns) == []


def test_an_unpriced_break_makes_the_story_unpriced() -> None:
    talk = Conversation(is_priced=False)
    for text in ("one", "two"):
        talk.add(*turn_of(text, Zone.CACHE_WRITE_5M))
    assert break_stories(talk.turns)[0].extra_cost_nano_usd is None


def test_a_compaction_is_called_what_it_is() -> None:
    talk = Conversation()
    talk.add(*turn_of("one", Zone.CACHE_WRITE_5M))
    summary = piece(SourceType.SUMMARY, None, Part.TEXT, 900, "What happened so far.", zone=Zone.CACHE_WRITE_5M)
    talk.add(summary, *turn_of("one", Zone.CACHE_WRITE_5M))
    (story,) = break_stories(talk.turns)
    assert story.summary == "The conversation was compacted"
    assert "piece of work is done" in story.action


def test_behind_a_gateway_the_billing_line_has_a_remedy() -> None:
    talk = Conversation()
    for number in range(2):
        line = piece(SourceType.FRAMEWORK, "billing line", Part.INSTRUCTIONS, 9, f"line {number}", zone=Zone.CACHE_WRITE_5M)
        talk.add(line, *turn_of("one", Zone.CACHE_WRITE_5M))
    (story,) = break_stories(talk.turns)
    assert "CLAUDE_CODE_ATTRIBUTION_HEADER" in story.action
