"""Choices are told apart without colour."""

from textual.containers import Vertical
from textual.widgets import RadioSet

from tests.tui.widgets.stage import staged
from tui.widgets.choice import Choice


def _choices() -> Vertical:
    return Vertical(RadioSet(Choice("one", is_chosen=True, id="one"), Choice("two", id="two"), compact=True))


async def test_the_mark_says_which_is_chosen() -> None:
    async with staged(_choices) as (stage, pilot):
        one, two = stage.query_one("#one", Choice), stage.query_one("#two", Choice)
        assert (str(one.render()), str(two.render())) == ("(•) one ", "( ) two ")
        stage.query_one(RadioSet).focus()
        await pilot.press("down", "enter")
        assert (str(one.render()), str(two.render())) == ("( ) one ", "(•) two ")
        pressed = stage.query_one(RadioSet).pressed_button
        assert pressed is two
