import pytest

from proxy_core.attribution.anchors import Anchor
from proxy_core.attribution.calibration import Piece
from proxy_core.attribution.carry import CarriedAnswer, Carry, CarryBook, measure_carry, with_carried
from proxy_core.attribution.layout import Item, Layout
from proxy_core.attribution.model import Part, Source, SourceType
from tests.hidden_bills import our_context

USER = Source(SourceType.USER)


def item(tokens: float, *, part: Part = Part.TEXT, is_rough: bool = False) -> Item:
    return Item(USER, part, 0, Piece(tokens, 1.0), is_rough=is_rough)


def layout(*items: Item) -> Layout:
    return Layout(items=items, message_ends={}, marks=(), message_starts={})


def test_a_model_learns_its_carry() -> None:
    context = our_context()
    book = CarryBook(context, "m")
    for _ in range(6):
        book.learn(-20.0, 9.0)

    assert CarryBook(context, "m").carry.tokens == pytest.approx(-20, abs=1)
    assert CarryBook(context, "m").carry.variance < 10
    assert CarryBook(context, "other").carry == Carry()


def test_an_answer_is_scaled_to_its_output() -> None:
    answer = CarriedAnswer(message_index=1, output_tokens=120, start=1, end=4)
    scaled = with_carried(layout(item(50), item(20), item(30, part=Part.THINKING), item(60), item(9)), [answer], Carry(-10, 4))

    assert [entry.piece.estimate for entry in scaled.items] == pytest.approx([50, 20, 30, 60, 9])
    doubled = with_carried(layout(item(50), item(20), item(30, part=Part.THINKING), item(20)), [answer], Carry(-10, 4))
    assert [entry.piece.estimate for entry in doubled.items] == pytest.approx([50, 40, 30, 40])


@pytest.mark.parametrize("output", [0, 5])
def test_an_answer_too_small_to_hold_its_parts_is_left_alone(output: int) -> None:
    before = layout(item(30, part=Part.THINKING), item(0))

    assert with_carried(before, [CarriedAnswer(1, output, 0, 2)], Carry()) == before


def test_the_carry_is_what_the_bill_grew_by_beyond_the_known() -> None:
    items = layout(item(100), item(40), item(60), item(10))
    newest = CarriedAnswer(message_index=1, output_tokens=50, start=1, end=2)
    anchors = [Anchor(1, 100), Anchor(4, 230)]

    measured = measure_carry(items, [newest], anchors, 0.01)

    assert measured is not None
    assert measured[0] == pytest.approx(230 - 100 - 70 - 50)
    assert measured[1] == pytest.approx(9 + 0.7**2)
    assert measure_carry(items, [newest], [Anchor(1, 100), Anchor(4, 900)], 0.01) is None
    assert measure_carry(items, [], anchors, 0.01) is None
    assert measure_carry(items, [newest], anchors[:1], 0.01) is None
    assert measure_carry(items, [newest], [Anchor(2, 100), Anchor(4, 230)], 0.01) is None
    assert measure_carry(items, [newest, CarriedAnswer(3, 50, 2, 3)], anchors, 0.01) is None
    assert (
        measure_carry(layout(item(100), item(40), item(60, is_rough=True)), [newest], [Anchor(1, 100), Anchor(3, 230)], 0.01)
        is None
    )
