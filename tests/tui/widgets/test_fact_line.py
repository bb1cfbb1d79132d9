"""A line of facts: what does not fit is left out whole."""

import pytest

from tests.tui.widgets.stage import lines_of, staged
from tui.theme import inks
from tui.widgets.fact_line import FactLine, facts_line

_FACTS = "last 7 days · $1.01 · 981k in · 7.7k out · 123 requests"


def _text(width: int, facts: str = _FACTS) -> str:
    return "".join(text for text, _ in facts_line(facts, width, inks(is_dark=True)))


def test_everything_is_shown_where_there_is_room() -> None:
    assert _text(80) == f" {_FACTS}"


@pytest.mark.parametrize("width", range(20, 60))
def test_facts_are_whole_or_not_there(width: int) -> None:
    shown = _text(width)
    assert len(shown) < width
    assert set(shown.strip().split(" · ")) <= set(_FACTS.split(" · "))


def test_the_first_fact_is_cut_rather_than_left_out() -> None:
    assert _text(9) == " last 7…"


def test_what_is_not_known_is_no_fact() -> None:
    assert _text(80, "so far · – · 0 in · – cached") == " so far · 0 in"
    assert _text(80, "–") == " "


async def test_the_line_follows_text_and_theme() -> None:
    async with staged(FactLine) as (stage, pilot):
        line = stage.query_one(FactLine)
        line.update("a · b")
        assert lines_of(line) == [" a · b"]
        before = line.render_line(0)
        await pilot.press("ctrl+t")
        assert line.render_line(0) != before
