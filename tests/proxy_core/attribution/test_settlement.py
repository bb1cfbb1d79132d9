import math

import pytest

from proxy_core.attribution.anchors import Anchor
from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.layout import Item, Layout
from proxy_core.attribution.model import Grade, Part, Source, SourceType
from proxy_core.attribution.settlement import SettledItem, as_estimate, settle

TEXT = Source(SourceType.USER)
TOOL_PROMPT = Source(SourceType.OVERHEAD, "tool prompt")


def text(tokens: float) -> Item:
    return Item(TEXT, Part.TEXT, 0, Piece(tokens, 0.25, is_text=True))


def overhead(tokens: float, deviation: float) -> Item:
    return Item(TOOL_PROMPT, Part.OVERHEAD, None, Piece(tokens, deviation**2))


def settled(*items: Item, total: int, limit: float = math.inf, error: float = 0.004) -> list[SettledItem]:
    layout = Layout(items=items, message_ends={}, marks=(), message_starts={})
    return settle(layout, [Anchor(len(items), total)], error, hidden_limit=limit)


def sizes(found: list[SettledItem]) -> list[int]:
    return [item.tokens for item in found]


def test_a_surprising_surplus_is_something_hidden() -> None:
    found = settled(text(1000), text(500), total=2000)

    assert found[0].item.source.source_name == "not visible"
    assert found[0].grade is Grade.OPAQUE
    assert sizes(found)[1:] == [1000, 500]


def test_beyond_the_limit_the_tokenizer_is_to_blame() -> None:
    assert sizes(settled(text(1000), text(500), total=2000, limit=0)) == [1333, 667]


def test_more_than_the_text_again_is_no_tokenizers() -> None:
    assert sizes(settled(text(1000), text(500), total=9000, limit=0))[1:] == [1000, 500]


def test_a_surprising_shortfall_is_shared_by_the_texts_not_taken_from_an_overhead() -> None:
    tool_prompt, first, second = sizes(settled(overhead(300, 60), text(10_000), text(5_000), total=12_300))

    assert tool_prompt > 290
    assert first == pytest.approx(2 * second, abs=2)


def test_what_was_never_there_is_not_the_texts() -> None:
    hidden, first = sizes(settled(overhead(1700, 510), text(60), total=70))

    assert hidden < 30
    assert first > 40


def test_a_lone_unsure_text_is_exact() -> None:
    found = settled(
        Item(TEXT, Part.TEXT, 0, Piece(100, 40.0, is_text=True)),
        Item(TOOL_PROMPT, Part.OVERHEAD, None, Piece(3, 0.25)),
        total=105,
    )

    assert found[0].grade is Grade.EXACT
    assert found[1].grade is Grade.BOUNDED
    assert found[0].variance < 1


def test_rough_and_opaque_are_said_so() -> None:
    rough = Item(TEXT, Part.TEXT, 0, Piece(100, 100.0), is_rough=True)
    opaque = Item(TEXT, Part.DOCUMENT, 1, Piece(100, 10_000.0), is_opaque=True)

    assert [item.grade for item in settled(rough, opaque, text(10), total=250)] == [
        Grade.ESTIMATED,
        Grade.OPAQUE,
        Grade.BOUNDED,
    ]


def test_behind_the_last_anchor_estimates_stay() -> None:
    layout = Layout(
        items=(text(10), text(20.4), Item(TEXT, Part.DOCUMENT, 1, Piece(5, 9.0), is_opaque=True)),
        message_ends={},
        marks=(),
        message_starts={},
    )
    found = settle(layout, [Anchor(1, 12)], 0.004, hidden_limit=math.inf)

    assert [(item.tokens, item.grade) for item in found] == [(12, Grade.EXACT), (20, Grade.ESTIMATED), (5, Grade.OPAQUE)]
    assert [as_estimate(item).grade for item in found] == [Grade.ESTIMATED, Grade.ESTIMATED, Grade.OPAQUE]


def test_a_bill_for_what_weighs_nothing_is_hidden() -> None:
    nothing = Item(TEXT, Part.TEXT, 0, Piece(0.0, 0.0))

    assert sizes(settled(nothing, nothing, total=20)) == [20, 0, 0]
    assert sizes(settled(nothing, total=0)) == [0]
