"""The dashboard's application: it wires one store and, where there is one, one running proxy to the screens.

It is painted before the store is there, and loads a screen when it is first shown: a person waits for neither. It must not read
rows, draw, or decide what a screen shows.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.css.query import NoMatches
from textual.events import Key
from textual.screen import Screen

from tui.command import bindings, palette_commands
from tui.commands import GLOBAL_COMMANDS, PauseCapture
from tui.listener import Listener
from tui.live import LiveSource
from tui.messages import CountersRead, FilterRequested
from tui.screens.dashboard import DashboardScreen
from tui.screens.live import LiveScreen
from tui.theme import DARK, LIGHT
from tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from storage.store import Store
    from tui.notices import Notice


def _sources() -> Screen[None]:
    from tui.screens.sources import SourcesScreen

    return SourcesScreen()


def _sessions() -> Screen[None]:
    from tui.screens.sessions import SessionsScreen

    return SessionsScreen()


def _charts() -> Screen[None]:
    from tui.screens.charts import ChartsScreen

    return ChartsScreen()


def _insights() -> Screen[None]:
    from tui.screens.insights import InsightsScreen

    return InsightsScreen()


class AssayApp(App[None]):
    """The dashboard over a store; live when a proxy runs beside it."""

    TITLE = "assay"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar = bindings(GLOBAL_COMMANDS)
    MODES: ClassVar = {
        "live": LiveScreen,
        "sources": _sources,
        "sessions": _sessions,
        "charts": _charts,
        "insights": _insights,
    }
    DEFAULT_MODE = "live"

    def __init__(
        self,
        store: "Store | None",
        live: LiveSource | None = None,
        *,
        clock_us: Callable[[], int] | None = None,
        when_painted: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._store = store
        self._when_painted = when_painted
        self._mode_wanted: str | None = None
        self.live = live
        """The running proxy; `None` when only a database is looked at."""
        self.now_us = clock_us or (lambda: time.time_ns() // 1000)
        """The present, microseconds since the epoch, UTC."""
        self.waiting: Notice | None = None
        """What there is to say before the store is there."""
        self._listener = Listener(self, live)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    @property
    def store(self) -> "Store":
        """Everything the screens show is read from here."""
        assert self._store is not None, "nothing reads before it was opened"
        return self._store

    @property
    def has_store(self) -> bool:
        """There is something to read from; before that, the screen stands empty."""
        return self._store is not None

    def open_store(self, store: "Store") -> None:
        """Begin to read, and go where a key was pressed for meanwhile."""
        self._store = store
        for screen in self.screen_stack:
            if isinstance(screen, DashboardScreen):
                screen.begin_reading()
                screen.show_standing(self.last_counters)
        if self._mode_wanted is not None:
            self.show_mode(self._mode_wanted)

    def say_waiting(self, notice: "Notice | None") -> None:
        """Say what the store is waited for."""
        self.waiting = notice
        for screen in self.screen_stack:
            if isinstance(screen, DashboardScreen):
                screen.show_standing(self.last_counters)

    def show_mode(self, mode: str) -> None:
        """Go to a screen, at once or when there is something to read from."""
        if not self.has_store:
            self._mode_wanted = mode
        elif not self._exit:
            self.switch_mode(mode)

    @property
    def address(self) -> str:
        """Where the proxy listens, or the database that is viewed."""
        if self.live is not None:
            return (self.live.proxy_url or "starting").removeprefix("http://")
        if not self.has_store:
            return "starting"
        path = self.store.database.path
        return path.name if path is not None else self.store.database.name

    def clear_selection(self) -> None:
        """Clear the selection of the screen in front, if there is one yet.

        Textual runs tasks eagerly: the first screen's input is mounted, and asks for this, before its screen is in front.
        """
        if self.screen_stack:
            super().clear_selection()

    def on_mount(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def on_ready(self) -> None:
        """Go on with what had to wait until the first screen was painted."""
        self._when_painted()

    def load_screens(self) -> None:
        """Load the screens that are not shown yet; for a thread, after what a person waits for."""
        import tui.screens.charts
        import tui.screens.help
        import tui.screens.insights
        import tui.screens.sessions
        import tui.screens.sources  # noqa: F401 - that they are loaded is all

    async def build_screens(self) -> None:
        """Build the screens that are not shown yet, behind the one in front: the first way there is as short as the others."""
        for mode in self.MODES:
            if mode in self._screen_stacks or self._exit:  # while all are taken down, none may be added
                continue
            await self._init_mode(mode)
            for screen in self.get_screen_stack(mode):
                # Styled as it was mounted: all styles need not be read and applied once more when it is gone to.
                screen._css_update_count = self._css_update_count  # noqa: SLF001 - Textual asks no other way

    def _handle_exception(self, error: Exception) -> None:
        """Leave without a word of a screen that was still being built, or told something, while it was taken down."""
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def delay_update(self, delay: float = 0.0) -> None:
        """Show a screen as soon as it is gone to; Textual would show nothing of it for 50 ms."""

    def on_unmount(self) -> None:
        """Stop listening."""
        self._listener.stop()

    @property
    def last_counters(self) -> CountersRead | None:
        """The newest figures of the running side; `None` without one."""
        return self._listener.last_counters

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer the commands of the screen in front, and those that apply everywhere."""
        groups = screen.COMMAND_GROUPS if isinstance(screen, DashboardScreen) else ()
        for command in palette_commands([*groups, GLOBAL_COMMANDS]):
            name = f"action_{command.action()}"
            places = [place for place in (screen.focused, screen, self) if place is not None]
            place = next((place for place in places if hasattr(place, name)), None)
            if place is not None and all(place.check_action(command.action(), ()) for place in places):
                yield SystemCommand(f"{command.title()}  ({command.sign()})", command.help(), getattr(place, name))

    def on_title_bar_place_clicked(self, event: TitleBar.PlaceClicked) -> None:
        """Go to the screen that was clicked."""
        self.show_mode(event.mode)

    async def on_filter_requested(self, event: FilterRequested) -> None:
        """Show requests on the live screen."""
        await self.switch_mode("live")
        if isinstance(self.screen, LiveScreen):
            self.screen.filter_text = event.text

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that makes no sense without a proxy."""
        if action == PauseCapture.action() and self.live is None:
            return False
        return super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        """Say why a key does nothing that is not offered here, but known from elsewhere."""
        if event.key == PauseCapture.KEY and self.live is None and not self.screen.is_modal:
            self.notify("Nothing is captured here to pause", severity="warning")

    def action_show_live(self) -> None:
        """Show the requests."""
        self.show_mode("live")

    def action_show_sources(self) -> None:
        """Show the sources."""
        self.show_mode("sources")

    def action_show_sessions(self) -> None:
        """Show the sessions."""
        self.show_mode("sessions")

    def action_show_charts(self) -> None:
        """Show the charts."""
        self.show_mode("charts")

    def action_show_insights(self) -> None:
        """Show the insights."""
        self.show_mode("insights")

    def action_pause_capture(self) -> None:
        """Pause or resume capturing."""
        assert self.live is not None, "not offered where nothing is captured"
        if self.live.counters().is_paused:
            self.live.resume()
        else:
            self.live.pause()
        self._listener.count()

    def action_switch_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_open_palette(self) -> None:
        """Open the command palette."""
        self.action_command_palette()

    def action_show_help(self) -> None:
        """Show every key."""
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())
