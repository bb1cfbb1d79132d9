"""Plots: what they show is what the figures say."""

import pytest

from tui.plots import Frame, Series, column_spans, filled_curve, label_step, nice_ceiling, stacked_columns
from tui.theme import inks


def _text(lines: list[object]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]  # type: ignore[attr-defined]


def _frame(width: int = 30, height: int = 9, **more: bool) -> Frame:
    return Frame(width=width, height=height, inks=inks(is_dark=True), **more)


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (7, 8), (10, 10), (11, 12), (270_000, 300_000), (999, 1_000)])
def test_axes_end_at_figures_that_read_well(value: int, top: int) -> None:
    assert nice_ceiling(value) == top


def test_a_column_is_as_high_as_its_sum() -> None:
    series = [Series("a", "#ff0000", "A", (4, 0)), Series("b", "#00ff00", "B", (4, 8))]
    lines = stacked_columns(series, ["x", "y"], _frame())
    cells = [line[2] for line in lines[:-1]]
    assert [text.strip() for text, _ in cells] == ["█" * 9] * 8
    assert [style.color.name for _, style in cells if style.color] == ["#00ff00"] * 4 + ["#ff0000"] * 4
    assert _text(lines)[-1].split() == ["x", "y"]


def test_a_border_inside_a_cell_shows_both_colours() -> None:
    series = [Series("a", "#ff0000", "A", (1,)), Series("b", "#00ff00", "B", (1,))]
    cell = stacked_columns(series, ["x"], _frame(height=2))[0][2]
    assert cell[0][0] == "▄"
    assert cell[1].color is not None
    assert cell[1].color.name == "#ff0000"
    assert cell[1].bgcolor is not None
    assert cell[1].bgcolor.name == "#00ff00"


def test_next_to_nothing_is_still_something() -> None:
    lines = _text(stacked_columns([Series("a", "#ff0000", "A", (1, 1_000_000))], ["x", "y"], _frame()))
    assert "▁" in lines[-2]


def test_without_colour_letters_stand_for_series() -> None:
    lines = _text(stacked_columns([Series("a", "#ff0000", "A", (8,))], ["x"], _frame(has_colour=False)))
    assert "AAA" in lines[0]
    assert "█" not in "".join(lines)


def test_no_room_or_nothing_to_plot_draws_nothing() -> None:
    assert stacked_columns([], [], _frame()) == []
    assert stacked_columns([Series("a", "#ff0000", "A", (8,))], ["x"], _frame(height=1)) == []
    assert filled_curve([], None, _frame(), "#ffffff") == []
    assert filled_curve([1], None, _frame(height=1), "#ffffff") == []


def test_a_curve_rises_to_its_last_value() -> None:
    lines = _text(filled_curve([0, 50, 100], None, _frame(height=4), "#ffffff"))
    assert lines[0].rstrip().endswith("⣿")
    assert "⣿" not in lines[0][9:15]
    assert lines[-1].count("⣿") > lines[0].count("⣿")


def test_a_near_limit_is_drawn_and_a_far_one_is_not() -> None:
    assert any("╌" in line for line in _text(filled_curve([50, 60], 100, _frame(height=4), "#ffffff")))
    assert not any("╌" in line for line in _text(filled_curve([1, 2], 1_000, _frame(height=4), "#ffffff")))


def test_columns_share_the_room() -> None:
    assert column_spans(30, 10)[:2] == [(0, 2), (3, 2)]
    assert column_spans(30, 30)[-1] == (29, 1)
    assert column_spans(300, 2) == [(0, 24), (30, 24)]
    assert column_spans(190, 7) == [(0, 23), (27, 23), (54, 23), (81, 23), (108, 23), (135, 23), (162, 23)]
    assert label_step(120, 25) == 2


@pytest.mark.parametrize(("room", "columns"), [(190, 168), (110, 84), (71, 25), (71, 40), (70, 56)])
def test_columns_too_many_for_gaps_fill_the_room(room: int, columns: int) -> None:
    spans = column_spans(room, columns)
    assert [start + cells for start, cells in spans] == [start for start, _ in spans[1:]] + [room]
    assert max(cells for _, cells in spans) - min(cells for _, cells in spans) <= 1


@pytest.mark.parametrize("width", [12, 40, 80, 200])
def test_nothing_is_wider_than_it_may_be(width: int) -> None:
    series = [Series("a", "#ff0000", "A", tuple(range(50)))]
    for line in _text(stacked_columns(series, ["12:00"] * 50, _frame(width=max(width, 60)))):
        assert len(line) <= max(width, 60)
