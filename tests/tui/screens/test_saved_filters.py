"""Filters under a name, by keyboard: saved, used, renamed, deleted, completed, found in the palette."""

from textual.command import CommandPalette
from textual.widgets import Input, Static

from proxy_core.attribution.model import SourceType
from storage.store import Store
from tests.tui.dashboard_rig import live_screen, press, running, screen_text, settle
from tui.screens.saved_filters import SavedFiltersScreen
from tui.widgets.filter_line import FilterInput, FilterLine


def notices(pilot) -> str:
    return " ".join(notification.message for notification in pilot.app._notifications)


async def test_the_filter_in_force_is_saved_with_its_kinds_and_used_by_name(store: Store) -> None:
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "x", "3")
        wanted = screen.selection().wanted
        await press(pilot, "S")
        assert isinstance(pilot.app.screen, SavedFiltersScreen)
        assert "(error:yes) kind:mcp" in screen_text(pilot)
        await press(pilot, *"Broken", "enter")
        assert pilot.app.screen is screen
        assert store.filters.texts() == {"broken": "(error:yes) kind:mcp"}
        assert "Saved as @broken" in notices(pilot)
        await press(pilot, "0", "F", "enter")
        assert screen.filter_text == "@broken"
        assert not screen.kinds
        assert screen.selection().wanted.root == wanted.root
        assert 0 < screen.requests.row_count < store.exchanges.count()
        assert "@broken" in screen_text(pilot)


async def test_without_a_filter_there_is_nothing_to_save(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "S")
        assert pilot.app.screen is live_screen(pilot)
        assert "No filter is in force" in notices(pilot)
        await press(pilot, "F")
        assert "None is saved yet. A filter in force can be saved" in screen_text(pilot)
        assert screen_text(pilot).split("\n")[-1].split() == ["Esc", "Close"], "nothing to save, rename or delete"
        await press(pilot, "s", "r", "x", "enter", "escape")
        assert live_screen(pilot).filter_text == ""


async def test_the_window_offers_what_can_be_done_with_saved_filters_and_the_one_in_force(store: Store) -> None:
    store.filters.save("one", "error:yes")
    async with running(store) as pilot:
        await press(pilot, "F")
        assert screen_text(pilot).split("\n")[-1].split("  ")[:3] == [" ⏎ Open", "r Rename", "x Delete"]
        await press(pilot, "escape", "3", "F")
        assert "s Save" in screen_text(pilot).split("\n")[-1]
        await press(pilot, "x", "x")
        assert screen_text(pilot).split("\n")[-1].split("  ")[0] == " s Save"
        assert "x Delete" not in screen_text(pilot).split("\n")[-1]


async def test_a_bad_name_is_explained_and_can_be_mended(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "x", "S", *"a b", "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, SavedFiltersScreen)
        assert "A name is 1 to 40 letters" in screen_text(pilot)
        assert store.filters.texts() == {}
        await press(pilot, "backspace", "backspace")
        assert "A name is 1 to 40 letters" not in screen_text(pilot), "another name stands there"
        assert "Enter saves it, Esc does not." in screen_text(pilot)
        await press(pilot, "enter")
        assert store.filters.texts() == {"a": "error:yes"}


async def test_escape_leaves_the_name_and_then_the_window(store: Store) -> None:
    store.filters.save("one", "error:yes")
    async with running(store) as pilot:
        await press(pilot, "x", "F", "s")
        dialog = pilot.app.screen
        assert isinstance(dialog, SavedFiltersScreen)
        assert isinstance(dialog.focused, Input)
        await press(pilot, "escape")
        assert dialog.focused is dialog.table
        assert "Enter uses one" in screen_text(pilot)
        await press(pilot, "r")
        assert "Enter renames it" in screen_text(pilot)
        await press(pilot, "escape")
        await press(pilot, "escape")
        assert live_screen(pilot).filter_text == "error:yes"
        await press(pilot, "S", "escape")
        assert store.filters.texts() == {"one": "error:yes"}
        assert live_screen(pilot).filter_text == "error:yes"


async def test_a_filter_saved_from_the_list_stays_in_sight(store: Store) -> None:
    store.filters.save("zero", "class:title")
    async with running(store) as pilot:
        await press(pilot, "x", "F", "s", *"failed", "enter")
        dialog = pilot.app.screen
        assert isinstance(dialog, SavedFiltersScreen)
        assert [row.name for row in dialog.table.sorted_rows] == ["failed", "zero"]
        assert dialog.table.selected is not None
        assert dialog.table.selected.name == "failed"


async def test_renaming_reaches_the_filter_in_force(store: Store) -> None:
    store.filters.save("failed", "error:yes")
    store.filters.save("other", "class:title")
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "slash", *"@fai", "tab", "enter")
        assert screen.filter_text.strip() == "@failed"
        shown = screen.requests.row_count
        await press(pilot, "F", "r", *["backspace"] * 6, *"other", "enter")
        assert "There is a saved filter @other already" in screen_text(pilot)
        await press(pilot, *["backspace"] * 5, *"broken", "enter", "escape")
        assert screen.filter_text.strip() == "@broken"
        assert screen.requests.row_count == shown
        assert store.filters.texts() == {"broken": "error:yes", "other": "class:title"}


async def test_deleting_takes_two_presses_and_turns_the_filter_off(store: Store) -> None:
    store.filters.save("failed", "error:yes")
    store.filters.save("rest", "-@failed")
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "F", "j", "enter")
        assert screen.filter_text == "@rest"
        await press(pilot, "F", "x", "j")
        assert str(pilot.app.screen.query_one("#wrong", Static).render()) == ""
        await press(pilot, "k", "x")
        assert "x once more deletes @failed." in screen_text(pilot)
        await press(pilot, "x")
        assert "is used by @rest" in screen_text(pilot)
        await press(pilot, "j", "x", "x")
        assert store.filters.texts() == {"failed": "error:yes"}
        await press(pilot, "escape")
        assert screen.filter_text == ""
        assert "There is no saved filter `@rest`" in notices(pilot)
        assert screen.requests.row_count == store.exchanges.count()


async def test_what_another_program_saves_is_completed_with_its_meaning(store: Store) -> None:
    async with running(store) as pilot:
        store.filters.save("mine", "class:main kind:mcp")
        await press(pilot, "slash", "at")
        assert "@mine" in screen_text(pilot)
        assert "class:main kind:mcp" in screen_text(pilot)
        await press(pilot, *"nobody")
        assert "There is no saved filter `@nobody`" in screen_text(pilot)


async def test_names_of_the_database_are_completed(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "slash", *"source:gith", "tab")
        assert live_screen(pilot).query_one(FilterInput).value == "source:github "
        await pilot.pause(0.2)
        await settle(pilot)
        assert live_screen(pilot).filter_text == "source:github"


async def test_a_filter_in_force_follows_what_its_name_says(store: Store) -> None:
    store.filters.save("mine", "error:yes")
    async with running(store) as pilot:
        screen = live_screen(pilot)
        screen.use_saved("mine")
        await settle(pilot)
        store.filters.save("mine", "class:title")
        screen.read_saved()
        await settle(pilot)
        assert screen.requests.row_count == 2
        assert screen.query_one(FilterLine).display


async def test_the_palette_offers_saved_filters(store: Store) -> None:
    store.filters.save("failed", "error:yes")
    async with running(store) as pilot:
        screen = live_screen(pilot)
        await press(pilot, "colon")
        assert isinstance(pilot.app.screen, CommandPalette)
        await press(pilot, *"@fail")
        await pilot.pause(0.3)
        await press(pilot, "down", "enter")
        await settle(pilot)
        assert screen.filter_text == "@failed"
        await press(pilot, "4")
        assert screen.kinds == {SourceType.SKILL}
