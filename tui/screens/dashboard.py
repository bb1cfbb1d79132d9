"""What the four screens share: title, notices, keys, the store, and how a failed read is told.

Must not know what any of them shows.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tui.command import CommandGroup
from tui.live import LiveSource
from tui.messages import CountersRead
from tui.notices import Gravity, Notice, running_notice
from tui.widgets.key_line import KeyLine
from tui.widgets.notice_bar import NoticeBar
from tui.widgets.title_bar import Standing, TitleBar

if TYPE_CHECKING:
    from storage.store import Store
    from tui.app import AssayApp


class DashboardScreen(Screen[None]):
    """A screen with a title line, a place for notices, and the keys that apply."""

    MODE: ClassVar[str]
    """Name of the screen's mode."""
    COMMAND_GROUPS: ClassVar[tuple[CommandGroup, ...]] = ()
    """Its own commands, for palette and help."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]  # noqa: RUF012 - as Textual types it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012 - as Textual types it

    SCOPED_CSS = False  # the palette, which lies above a screen, is styled here, too
    CSS = """
    DashboardScreen { layers: base; background: $background; }
    NoticeBar { height: auto; max-height: 4; padding: 0 1; display: none; }
    NoticeBar.-info { background: $panel; color: $secondary; }
    NoticeBar.-warning { background: $warning 20%; color: $warning; }
    NoticeBar.-error { background: $error 20%; color: $error; }
    CommandPalette > Vertical { margin-top: 2; width: 92; max-width: 100%; background: $surface; }
    CommandPalette SearchIcon { display: none; }
    CommandPalette #--input { border: round $primary; padding: 0 1; }
    CommandPalette #--input.--list-visible { border: round $primary; }
    CommandPalette CommandInput { border: none; height: 1; }
    CommandPalette .input--placeholder { color: $secondary; }
    CommandPalette CommandList { border: none; max-height: 70vh; background: $surface; scrollbar-size-vertical: 1; }
    """

    def compose(self) -> ComposeResult:
        """Lay out title, notices, content and keys."""
        yield TitleBar(self.MODE)
        yield NoticeBar()
        yield from self.compose_content()
        yield KeyLine()

    def compose_content(self) -> Iterator[Widget]:
        """Lay out what is between title and keys."""
        raise NotImplementedError

    @property
    def assay(self) -> "AssayApp":
        """The application."""
        return cast("AssayApp", self.app)

    @property
    def store(self) -> "Store":
        """Where everything is read from."""
        return self.assay.store

    @property
    def live(self) -> LiveSource | None:
        """The running proxy, if there is one."""
        return self.assay.live

    def other_notice(self) -> Notice | None:
        """Return what the screen itself has to say when the running side is well."""
        return None

    def on_mount(self) -> None:
        """Show how things stand."""
        self.show_standing(self.assay.last_counters)

    def begin_reading(self) -> None:
        """Read for the first time; called once the screen and the store are both there."""

    def _screen_resized(self, size: Size) -> None:
        """Paint the whole screen when it is gone to: Textual would paint what changed meanwhile, over the other one."""
        self._set_dirty()
        self._dirty_widgets.add(self)
        super()._screen_resized(size)

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Show how things stand by now, without styling and painting once more what was just painted."""
        self.show_standing(self.assay.last_counters)
        if event.refresh_styles and self.stack_updates and self.is_current:
            event.prevent_default()
            self.stack_updates += 1
            self.assay._refresh_notifications()  # noqa: SLF001 - as Textual does here
            self._update_auto_focus()

    def on_counters_read(self, event: CountersRead) -> None:
        """Show the running side's figures."""
        self.show_standing(event)

    def show_standing(self, read: CountersRead | None) -> None:
        """Show title and notice for the newest figures."""
        failure = read.failure if read is not None else None
        counters = read.counters if read is not None else None
        self.query_one(TitleBar).standing = Standing(
            counters, self.assay.address, failure=failure, is_starting=not self.assay.has_store
        )
        notice = running_notice(counters, failure) if counters is not None else None
        waiting = None if self.assay.has_store else self.assay.waiting
        self.query_one(NoticeBar).notice = notice or waiting or self.other_notice()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say what could not be read; the screen keeps what it shows."""
        if event.state is WorkerState.ERROR:
            reason = str(event.worker.error or "unknown reason").splitlines()[0]
            self.query_one(NoticeBar).notice = Notice(
                Gravity.ERROR, f"The database could not be read: {reason}", "shown is what was read before"
            )
