"""The application: screens, states of the running side, theme, palette, help."""

import asyncio

import pytest
from textual.command import CommandPalette
from textual.widget import AwaitMount

from screenshots.fixture import NOW_US
from storage.store import Store
from tests.tui.dashboard_rig import FakeLive, live_screen, press, running, screen_text, settle
from tui.app import AssayApp
from tui.screens.help import HelpScreen
from tui.screens.sources import SourcesScreen
from tui.theme import DARK, LIGHT
from tui.widgets.notice_bar import NoticeBar


@pytest.mark.parametrize(("key", "mode"), [("l", "live"), ("s", "sources"), ("a", "sessions"), ("c", "charts")])
async def test_letters_go_to_the_screens(store: Store, key: str, mode: str) -> None:
    async with running(store) as pilot:
        await press(pilot, key)
        assert pilot.app.current_mode == mode


async def test_screens_are_built_behind_the_one_in_front_and_read_when_they_are_shown(store: Store) -> None:
    async with running(store) as pilot:
        assert isinstance(pilot.app, AssayApp)
        await pilot.app.build_screens()
        await settle(pilot)
        assert pilot.app.current_mode == "live"
        (screen,) = pilot.app.get_screen_stack("sources")
        assert isinstance(screen, SourcesScreen)
        assert screen.table.row_count == 0
        await press(pilot, "s")
        assert screen.table.row_count > 0
        assert pilot.app.screen is screen


async def test_screens_built_behind_are_styled_as_if_they_had_been_gone_to(store: Store) -> None:
    async with running(store) as pilot:
        assert isinstance(pilot.app, AssayApp)
        await pilot.app.build_screens()
        for mode in pilot.app.MODES:
            pilot.app.show_mode(mode)
            await settle(pilot)
            built = [(str(node), node.styles.css) for node in pilot.app.screen.walk_children(with_self=True)]
            pilot.app.refresh_css(animate=False)
            assert built == [(str(node), node.styles.css) for node in pilot.app.screen.walk_children(with_self=True)]


async def test_no_screen_is_built_any_more_when_it_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(store) as pilot:
        app = pilot.app
        assert isinstance(app, AssayApp)
        build, begun = app._init_mode, list[str]()

        def end_and_build(mode: str) -> AwaitMount:
            begun.append(mode)
            app.exit()
            return build(mode)

        monkeypatch.setattr(app, "_init_mode", end_and_build)
        await app.build_screens()
        assert len(begun) == 1


async def test_a_theme_switched_elsewhere_reaches_every_screen(store: Store) -> None:
    async with running(store) as pilot:
        assert isinstance(pilot.app, AssayApp)
        await pilot.app.build_screens()
        await press(pilot, "s", "T", "l")
        grounds = {mode: pilot.app.get_screen_stack(mode)[0].styles.background.hex for mode in ("live", "sources")}
        await press(pilot, "a")
        assert {*grounds.values(), pilot.app.screen.styles.background.hex} == {LIGHT.background.upper()}  # type: ignore[union-attr]


async def test_it_leaves_in_peace_while_screens_are_being_built(store: Store) -> None:
    for turns in range(0, 40, 5):
        app = AssayApp(store, clock_us=lambda: NOW_US)
        async with app.run_test(size=(120, 40)) as pilot:
            building = asyncio.create_task(app.build_screens())
            for _ in range(turns):
                await asyncio.sleep(0)
            app.exit()
            await pilot.pause()
            building.cancel()
        assert app.return_code == 0


async def test_a_click_on_the_title_goes_there(store: Store) -> None:
    async with running(store) as pilot:
        await pilot.click("TitleBar", offset=(20, 0))
        await settle(pilot)
        assert pilot.app.current_mode == "sources"


async def test_first_start_names_the_lines_to_paste(empty_store: Store) -> None:
    async with running(empty_store, FakeLive()) as pilot:
        text = screen_text(pilot)
        assert "assay run -- claude" in text
        assert 'eval "$(assay env)"' in text
        assert "export HTTPS_PROXY=http://127.0.0.1:8080" in text
        assert "export NODE_EXTRA_CA_CERTS=/home/dev/ca.pem" in text
        assert "Esc Back" not in screen_text(pilot), "there is nowhere to go back to"


async def test_first_start_fits_a_small_screen(empty_store: Store) -> None:
    async with running(empty_store, FakeLive(), size=(80, 24)) as pilot:
        assert "assay doctor" in screen_text(pilot)


async def test_an_empty_database_without_a_proxy_says_how_to_start_one(empty_store: Store) -> None:
    async with running(empty_store) as pilot:
        text = screen_text(pilot)
        assert "holds no requests yet" in text
        assert "viewing" in text


async def test_p_pauses_and_resumes(empty_store: Store) -> None:
    live = FakeLive()
    async with running(empty_store, live) as pilot:
        await press(pilot, "p")
        assert live.figures.is_paused
        assert "Capture is paused" in screen_text(pilot)
        assert "‖ paused" in screen_text(pilot)
        await press(pilot, "p")
        assert not live.figures.is_paused
        assert "Capture is paused" not in screen_text(pilot)


async def test_p_without_a_proxy_says_why_it_does_nothing_and_is_offered_nowhere(store: Store) -> None:
    async with running(store) as pilot:
        assert "Pause" not in screen_text(pilot)
        assert "Pause capture  (p)" not in [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        await press(pilot, "slash", "p", "question_mark")
        assert not pilot.app._notifications, "typed into a field it is a letter"
        await press(pilot, "escape", "question_mark", "p")
        assert not pilot.app._notifications, "the help is in front"
        await press(pilot, "escape", "p")
        assert [told.message for told in pilot.app._notifications] == ["Nothing is captured here to pause"]


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (FakeLive(failure="address already in use"), "The proxy has stopped: clients that go through it"),
        (FakeLive(dropped=7), "The queue was full: 7 requests"),
        (FakeLive(writer_errors=1, last_error="database or disk is full"), "The disk is full"),
        (FakeLive(writer_errors=1, last_error="database is locked"), "Not everything could be stored: database is locked"),
        (FakeLive(analysis_errors=2), "2 requests could not be read"),
        (FakeLive(is_paused=True), "Capture is paused"),
    ],
)
async def test_each_trouble_has_its_words_and_does_not_take_the_focus(store: Store, live: FakeLive, words: str) -> None:
    async with running(store, live) as pilot:
        assert words in screen_text(pilot)
        assert live_screen(pilot).focused is live_screen(pilot).requests


async def test_trouble_is_told_on_every_screen(store: Store) -> None:
    async with running(store, FakeLive(dropped=7)) as pilot:
        for key in ("s", "a", "c"):
            await press(pilot, key)
            assert pilot.app.screen.query_one(NoticeBar).notice is not None


async def test_the_theme_is_switched_and_everything_redrawn(store: Store) -> None:
    async with running(store) as pilot:
        assert pilot.app.theme == DARK.name
        await press(pilot, "T")
        assert pilot.app.theme == LIGHT.name
        await press(pilot, "T")
        assert pilot.app.theme == DARK.name


async def test_help_lists_keys_and_fields(store: Store) -> None:
    async with running(store, size=(200, 50)) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "Pause capture" in screen_text(pilot)
        await press(pilot, "escape")
        assert pilot.app.current_mode == "live"


async def test_the_palette_offers_the_commands_of_the_screen(store: Store) -> None:
    async with running(store) as pilot:
        titles = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert any(title.startswith("Rate request") for title in titles)
        assert any(title.startswith("Show charts") for title in titles)
        await press(pilot, "ctrl+p")
        assert isinstance(pilot.app.screen, CommandPalette)


async def test_what_another_process_records_appears_when_viewing(store: Store) -> None:
    from tests.tui.screens.test_live import _arrive

    async with running(store) as pilot:
        before = live_screen(pilot).requests.row_count
        _arrive(store)
        await pilot.pause(1.2)
        await settle(pilot)
        assert live_screen(pilot).requests.row_count == before + 1


async def test_the_subscription_ends_with_the_app(store: Store) -> None:
    live = FakeLive()
    async with running(store, live):
        assert len(live.callbacks) == 1
    assert not live.callbacks


async def test_without_colour_letters_make_up_the_bars(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(store) as pilot:
        text = screen_text(pilot)
        assert "▆▆" not in text
        assert "MMM" in text
        await press(pilot, "c")
        assert "█" not in screen_text(pilot).split("Context window")[0]
