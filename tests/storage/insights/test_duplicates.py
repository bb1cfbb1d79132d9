"""The same instructions twice in one request are found once, and only the later copies are counted."""

from dataclasses import replace

from proxy_core.attribution.model import Part, SourceType
from storage.insights.duplicates import duplicated_instructions
from tests.storage.insights.turn_factory import Conversation, Piece, piece

RULES = "Always write tests before code. " * 10


def memory(name: str, text: str = RULES, tokens: int = 80) -> Piece:
    return piece(SourceType.MEMORY, name, Part.BODY, tokens, text)


def test_a_memory_file_repeated_is_found_with_the_cost_of_the_copies() -> None:
    talk = Conversation()
    talk.add(memory("CLAUDE.md"), memory("CLAUDE.md"), memory("CLAUDE.md"))
    talk.add(memory("CLAUDE.md"), memory("CLAUDE.md"))
    (finding,) = duplicated_instructions(talk.turns)
    assert finding.tokens == 80 * 3
    assert finding.exchanges == 2
    assert "twice in Memory CLAUDE.md" in finding.summary


def test_two_sources_with_the_same_text_are_both_named() -> None:
    talk = Conversation()
    talk.add(memory("CLAUDE.md"), memory("docs/rules.md"))
    (finding,) = duplicated_instructions(talk.turns)
    assert "Memory CLAUDE.md and Memory docs/rules.md" in finding.summary


def test_short_texts_results_and_answers_may_repeat() -> None:
    talk = Conversation()
    talk.add(
        *[memory("CLAUDE.md", "short")] * 2,
        *[piece(SourceType.TOOL, "Read", Part.RESULT, 80, RULES)] * 2,
        *[piece(SourceType.ASSISTANT, None, Part.TEXT, 80, RULES + "!")] * 2,
    )
    assert duplicated_instructions(talk.turns) == []


def test_carrying_a_text_from_turn_to_turn_is_no_duplicate() -> None:
    talk = Conversation()
    talk.add(memory("CLAUDE.md"))
    talk.add(memory("CLAUDE.md"))
    assert duplicated_instructions(talk.turns) == []


def test_a_shared_paragraph_is_found_and_counted_by_its_share() -> None:
    talk = Conversation()
    own = "This file is about something else entirely. " * 10
    talk.add(memory("CLAUDE.md"), memory("docs/rules.md", f"{own}\n\n{RULES}", tokens=200))
    (finding,) = duplicated_instructions(talk.turns)
    assert 60 <= finding.tokens <= 100


def test_without_texts_whole_contents_are_compared() -> None:
    talk = Conversation()
    turn = talk.add(memory("CLAUDE.md"), memory("CLAUDE.md"), memory("x", "short"), memory("y", "short"))
    bare = replace(turn.attribution, segments=tuple(replace(s, text="") for s in turn.attribution.segments))
    (finding,) = duplicated_instructions([replace(turn, attribution=bare)])
    assert finding.tokens == 80


def test_nobody_is_asked_to_remove_what_the_client_repeats() -> None:
    talk = Conversation()
    talk.add(*[piece(SourceType.FRAMEWORK, "rules", Part.CONTEXT, 80, RULES)] * 2)
    (finding,) = duplicated_instructions(talk.turns)
    assert "nothing you could remove" in finding.action
