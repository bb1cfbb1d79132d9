"""What all screens do when they are gone to: painted whole, once, at once."""

from collections.abc import Callable

import pytest
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.widget import Widget
from textual.widgets._toast import Toast

from screenshots.fixture import NOW_US
from storage.store import Store
from tests.tui.dashboard_rig import press, running, screen_text, settle
from tui.app import AssayApp
from tui.screens.dashboard import DashboardScreen


def _noted(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, note: Callable[..., object]) -> list[object]:
    """Return what will be noted of each call of a method."""
    noted: list[object] = []
    method = getattr(kind, name)

    def noting(self: object, *args: object, **named: object) -> object:
        noted.append(note(self, *args))
        return method(self, *args, **named)

    monkeypatch.setattr(kind, name, noting)
    return noted


async def test_a_screen_that_was_left_is_painted_whole_at_once_and_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(store) as pilot:
        assert isinstance(pilot.app, AssayApp)
        await pilot.app.build_screens()
        await press(pilot, "s", "l", "a")
        painted = _noted(monkeypatch, AssayApp, "_display", lambda _app, _screen, what: type(what))
        styled = _noted(monkeypatch, AssayApp, "update_styles", lambda _app, node, *_: node)
        for mode in ("sources", "live"):
            pilot.app.switch_mode(mode)
            assert painted == [LayoutUpdate]
            await settle(pilot)
            assert set(painted[1:]) <= {ChopsUpdate, type(None)}
            assert not any(isinstance(node, DashboardScreen) for node in styled)
            painted.clear()


async def test_it_shows_what_happened_while_another_was_in_front(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s", "l")
        sources = pilot.app.get_screen_stack("sources")[0]
        sources.query_one("#totals", Widget).display = False
        await press(pilot, "s")
        assert " in · " not in screen_text(pilot)
        await pilot.resize_terminal(90, 25)
        await press(pilot, "l")
        assert pilot.app.screen.has_class("-narrow", "-low")


async def test_a_notification_goes_along(store: Store) -> None:
    app = AssayApp(store, clock_us=lambda: NOW_US)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, "s", "l")
        app.notify("heard everywhere", timeout=60)
        await press(pilot, "s")
        assert any("heard everywhere" in str(toast.render()) for toast in app.screen.query(Toast))


async def test_what_a_dialog_covered_is_painted_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(store) as pilot:
        await press(pilot, "s", "l", "question_mark")
        painted = _noted(monkeypatch, AssayApp, "_display", lambda _app, screen, what: (screen, type(what)))
        await press(pilot, "escape")
        assert (pilot.app.screen, LayoutUpdate) in painted
