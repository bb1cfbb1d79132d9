"""When content entered, how long it was carried, and what each part of that cost."""

from proxy_core.attribution.model import Part, SourceType, Zone
from storage.insights.carry import carry_costs, told_apart
from tests.storage.insights.turn_factory import RATES_NANO, Conversation, piece


def test_entry_and_carrying_are_told_apart() -> None:
    talk = Conversation()
    talk.add(piece(SourceType.USER, None, Part.TEXT, 10, "question"))
    talk.add(piece(SourceType.TOOL, "Read", Part.RESULT, 1000, "file", zone=Zone.CACHE_WRITE_5M))
    for _ in range(3):
        talk.add(piece(SourceType.TOOL, "Read", Part.RESULT, 1000, "file", zone=Zone.CACHE_READ))
    item = carry_costs(talk.turns)[0]
    assert (item.entered_turn, item.turns_carried, item.tokens_each) == (1, 4, 1000)
    assert item.entry.cost_nano_usd == 1000 * RATES_NANO[Zone.CACHE_WRITE_5M]
    assert item.carried.tokens == 3000
    assert item.carried.cost_nano_usd == 3000 * RATES_NANO[Zone.CACHE_READ]


def test_copies_in_one_request_are_one_content() -> None:
    talk = Conversation()
    talk.add(*[piece(SourceType.TOOL, "Read", Part.RESULT, 10, "file")] * 2)
    (item,) = carry_costs(talk.turns)
    assert (item.turns_carried, item.entry.tokens) == (1, 20)


def test_conversations_do_not_share_what_they_carry() -> None:
    one, two = Conversation(), Conversation(first_id=10)
    for talk in (one, two):
        talk.add(piece(SourceType.MEMORY, "CLAUDE.md", Part.BODY, 50, "rules"))
    assert [item.turns_carried for item in carry_costs(one.turns + two.turns)] == [1, 1]


def test_only_results_that_are_found_again_are_looked_up() -> None:
    talk = Conversation()
    talk.add(
        piece(SourceType.TOOL, "Read", Part.RESULT, 10, "file"), piece(SourceType.MEMORY, "CLAUDE.md", Part.BODY, 50, "rules")
    )
    items = carry_costs(talk.turns)
    assert list(told_apart(items, talk.turns)) == items, "no call is in the request"
    assert list(told_apart(items, [])) == items
