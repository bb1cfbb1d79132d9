"""Windows that ask: what is wrong is said in them, and nothing is written or saved before it is right."""

from pathlib import Path

import pytest
from textual.color import Color
from textual.widgets import Input, TextArea

from storage.store import Store
from tests.tui.dashboard_rig import press, running, screen_text
from tui.screens.dialog import path_trouble
from tui.screens.export import FORMATS, ExportScreen
from tui.screens.rating import RatingScreen, read_rating
from tui.screens.report import ENDINGS, ReportScreen
from tui.theme import DARK, LEAST_CONTRAST, LIGHT, contrast


@pytest.mark.parametrize("endings", [ENDINGS, FORMATS])
def test_files_go_only_where_they_can(tmp_path: Path, endings: tuple[str, ...]) -> None:
    assert path_trouble(tmp_path / "new.json", endings) is None
    assert path_trouble(tmp_path / "new.JSON", endings) is None
    assert "end in .html, .md" in (path_trouble(tmp_path / "new.txt", ENDINGS) or "")
    assert "no directory" in (path_trouble(tmp_path / "no" / "new.json", endings) or "")
    (tmp_path / "old.json").write_text("")
    assert "there already" in (path_trouble(tmp_path / "old.json", endings) or "")


@pytest.mark.parametrize(
    ("typed", "rating"),
    [("", None), (" 0.8 ", 0.8), ("-1", -1.0), ("0,5", 0.5), ("\N{MINUS SIGN}0.5", -0.5), ("+1", 1.0)],
)
def test_a_rating_is_read_as_people_write_it(typed: str, rating: float | None) -> None:
    assert read_rating(typed) == rating


@pytest.mark.parametrize(("typed", "words"), [("good", "no number"), ("1.5", "out of bounds"), ("nan", "out of bounds")])
def test_what_is_no_rating_is_explained(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_rating(typed)


async def test_a_file_that_cannot_be_written_is_said_in_the_window(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(store) as pilot:
        await press(pilot, "e")
        screen = pilot.app.screen
        assert isinstance(screen, ExportScreen)
        screen.query_one("#path", Input).value = "no/such.json"
        await press(pilot, "enter")
        assert "There is no directory no." in screen_text(pilot)
        await press(pilot, "escape", "i", "e")
        report = pilot.app.screen
        assert isinstance(report, ReportScreen)
        report.query_one("#path", Input).value = "report.doc"
        await press(pilot, "ctrl+s")
        assert "The name must end in .html, .md, .json." in screen_text(pilot)
        assert pilot.app.screen is report


async def test_a_comment_that_is_too_long_is_refused_and_stays(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "k", "k", "n")
        screen = pilot.app.screen
        assert isinstance(screen, RatingScreen)
        screen.query_one(TextArea).text = "x" * 2_001
        await press(pilot, "ctrl+s")
        assert "at most 2000 characters long; this is 2001" in screen_text(pilot)
        screen.query_one(TextArea).text = "short"
        await press(pilot, "ctrl+s")
        assert store.exchanges.page(limit=3)[2].has_note


async def test_the_window_says_what_saves_from_the_field_one_is_in(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "k", "k", "r")
        assert "Enter or ^s saves" in screen_text(pilot)
        await press(pilot, "tab")
        assert "Enter or ^s saves" not in screen_text(pilot)
        assert "A note alone rates 0. " in screen_text(pilot)
        assert "^s saves" in screen_text(pilot)


@pytest.mark.parametrize("theme", [DARK.name, LIGHT.name])
@pytest.mark.parametrize("keys", [("slash",), ("r",), ("n",), ("3", "S"), ("ctrl+p",)], ids="-".join)
async def test_what_an_empty_field_says_can_be_read_and_is_no_value(store: Store, keys: tuple[str, ...], theme: str) -> None:
    async with running(store) as pilot:
        pilot.app.theme = theme
        await press(pilot, "k", "k", *keys)
        (field,) = (one for one in pilot.app.screen.query(Input) if one.region and not one.value)
        assert field.placeholder.startswith(("for example", "source:", "Search"))
        words = [segment.style for segment in field.render_line(0) if len(segment.text.strip()) > 1]
        assert words
        for style in words:
            assert style is not None
            assert style.color is not None
            assert style.bgcolor is not None
            assert contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)) >= LEAST_CONTRAST


async def test_y_copies_the_insight_and_the_source(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "enter", "y")
        assert pilot.app.clipboard in {"Read", "github"}
        await press(pilot, "escape", "i", "y")
        assert len(pilot.app.clipboard.splitlines()) > 1
