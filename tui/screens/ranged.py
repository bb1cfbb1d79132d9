"""What the screens over a stretch of time share: which time it is, when they read, and the commands of their table.

Must not know what any of them reads or shows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from textual import work
from textual.message import Message
from textual.reactive import var

from tui import reading
from tui.commands import ON_CONTENT
from tui.ranges import PERIODS, Period, next_period, reaching
from tui.screens.dashboard import DashboardScreen
from tui.widgets.table import Table


class PeriodFound(Message):
    """The time that has something to show."""

    def __init__(self, period: Period) -> None:
        super().__init__()
        self.period = period


class RangedScreen(DashboardScreen):
    """A screen over a stretch of time. It begins with the shortest from its own on in which something was captured."""

    REST_S: ClassVar = 1.0
    """While traffic comes in it is read no more often than this."""

    period: var[Period] = var(PERIODS[1], init=False)
    has_content: var[bool | None] = var(None, init=False)
    """The period has something to show; `None`: nothing was read yet."""

    def __init__(self) -> None:
        super().__init__()
        self._is_reading = False
        self._is_period_settled = False

    def start_reading(self) -> None:
        """Start the worker that reads; it does so inside `reading`."""
        raise NotImplementedError

    def read(self) -> None:
        """Read what is shown; at first, what time there is to show."""
        self._is_reading = True
        if self._is_period_settled:
            self.start_reading()
        else:
            self._find_period(self.period, self.assay.now_us())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say that reading has ended, however it ended."""
        try:
            yield
        finally:
            self._is_reading = False

    @work(thread=True, exclusive=True, group="period", exit_on_error=False)
    def _find_period(self, period: Period, now_us: int) -> None:
        with self.reading():
            found = reaching(period, reading.newest_us(self.store), now_us)
        self.post_message(PeriodFound(found))

    def on_period_found(self, event: PeriodFound) -> None:
        """Look at it, unless one was chosen meanwhile."""
        if self._is_period_settled:
            return
        self._is_period_settled = True
        if event.period == self.period:
            self.read()
        else:
            self.period = event.period

    def on_screen_resume(self) -> None:
        """Read what changed meanwhile, or for the first time, once the screen stands as it was left."""
        if self.is_current:
            self.call_after_refresh(self.read)

    def on_store_changed(self) -> None:
        """Read what changed, after a rest."""
        if self.is_current and not self._is_reading:
            self._is_reading = True
            self.set_timer(self.REST_S, self.read)

    def watch_period(self) -> None:
        """Read another period."""
        self.read()

    def watch_has_content(self) -> None:
        """Offer other keys."""
        self.set_class(self.has_content is False, "-empty")
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing to do with what is shown where there is nothing."""
        if action in ON_CONTENT and not self.has_content:
            return False
        return super().check_action(action, parameters)

    def action_cycle_range(self) -> None:
        """Look at the next period."""
        self._is_period_settled = True
        self.period = next_period(self.period)


class TableScreen(RangedScreen):
    """A screen over a stretch of time whose main part is a table."""

    @property
    def table(self) -> Table[Any]:
        """The table."""
        raise NotImplementedError

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self.table.action_sort_next()

    def action_sort_previous(self) -> None:
        """Sort by the column before."""
        self.table.action_sort_previous()

    def action_reverse_sort(self) -> None:
        """Sort the other way round."""
        self.table.action_reverse_sort()
