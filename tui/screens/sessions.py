"""The sessions screen: each client session with totals, context growth and cache efficiency, and the tree of its agents."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from textual import on, work
from textual.containers import Container
from textual.message import Message
from textual.reactive import var
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from storage.views import SessionDetail, SessionSummary
from tui import format as fmt
from tui.command import bindings
from tui.commands import SESSIONS_COMMANDS
from tui.context_window import session_limit
from tui.filtering import session_filter
from tui.messages import FilterRequested
from tui.pages.session import write_session
from tui.ranges import PERIODS, Period, longer_time, range_of, within
from tui.screens.ranged import TableScreen
from tui.widgets.fact_line import FactLine
from tui.widgets.line_list import LineList
from tui.widgets.page_view import PageView
from tui.widgets.table import Table, TableColumn

_MOST: Final = 2_000
_REST_S: Final = 0.06


class SessionsRead(Message):
    """The sessions of a period."""

    def __init__(self, period: Period, sessions: Sequence[SessionSummary], count: int) -> None:
        super().__init__()
        self.period = period
        self.sessions = sessions
        self.count = count


class SessionRead(Message):
    """The selected session."""

    def __init__(self, session: SessionDetail, limit: int | None) -> None:
        super().__init__()
        self.session = session
        self.limit = limit


class SessionsScreen(TableScreen):
    """Sessions, and the selected one."""

    MODE = "sessions"
    COMMAND_GROUPS: ClassVar = (SESSIONS_COMMANDS,)
    BINDINGS: ClassVar = bindings(SESSIONS_COMMANDS)
    CSS_PATH = "tables.tcss"

    period: var[Period] = var(PERIODS[2], init=False)

    def __init__(self) -> None:
        super().__init__()
        self._rest: Timer | None = None
        self._shown: str | None = None

    def compose_content(self) -> Iterator[Widget]:
        """Lay out totals, table, and the selected session."""
        yield FactLine(id="totals")
        yield Container(
            Table[SessionSummary](COLUMNS, lambda row: row.session_id, sorted_by="last", id="sessions"),
            PageView(id="session"),
            id="body",
        )
        yield Static(id="nothing")

    @property
    def table(self) -> Table[SessionSummary]:
        """The sessions."""
        return self.query_one("#sessions", Table)

    def on_mount(self) -> None:
        """Take the keys."""
        self.table.focus()

    def start_reading(self) -> None:
        """Read the sessions of the period."""
        self._read(self.period, self.assay.now_us())

    @work(thread=True, exclusive=True, group="sessions", exit_on_error=False)
    def _read(self, period: Period, now_us: int) -> None:
        wanted = range_of(period, now_us)
        with self.reading():
            sessions = self.store.sessions.page(wanted, limit=_MOST)
            count = self.store.sessions.count(wanted)
        self.post_message(SessionsRead(period, sessions, count))

    def on_sessions_read(self, event: SessionsRead) -> None:
        """Show them, unless another period was chosen."""
        if event.period != self.period:
            return
        self.table.show(event.sessions)
        self.query_one("#totals", FactLine).update(totals_text(event.period, event.sessions, event.count))
        self.has_content = self.query_one("#body").display = bool(event.sessions)
        nothing = self.query_one("#nothing", Static)
        nothing.display = not event.sessions
        if not event.sessions:
            nothing.update(f"No session was active {within(event.period)}. {longer_time(event.period)}")
            return
        if self.focused is None:
            self.table.focus()
        self._read_selected()

    @on(LineList.Highlighted, "#sessions")
    def _follow_cursor(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_S, self._read_selected)

    def _read_selected(self) -> None:
        session = self.table.selected
        if session is not None:
            self._read_session(session.session_id)

    @work(thread=True, exclusive=True, group="session", exit_on_error=False)
    def _read_session(self, session_id: str) -> None:
        session = self.store.sessions.detail(session_id)
        if session is not None:
            self.post_message(SessionRead(session, session_limit(session.summary)))

    def on_session_read(self, event: SessionRead) -> None:
        """Show the session."""
        is_same = event.session.summary.session_id == self._shown
        self._shown = event.session.summary.session_id
        page = self.query_one("#session", PageView)
        page.show(lambda sheet: write_session(sheet, event.session, event.limit), keeps_place=is_same)

    @on(LineList.Selected, "#sessions")
    def _open(self) -> None:
        session = self.table.selected
        if session is not None:
            self.app.post_message(FilterRequested(session_filter(session.session_id)))

    def action_copy_text(self) -> None:
        """Copy the session's id."""
        session = self.table.selected
        if session is not None:
            self.app.copy_to_clipboard(session.session_id)
            self.notify("Copied the session's id", timeout=1.5)


def totals_text(period: Period, sessions: Sequence[SessionSummary], count: int) -> str:
    """Write the line above the table."""
    costs = [session.cost_nano_usd for session in sessions if session.cost_nano_usd is not None]
    read = sum(session.cache_read_tokens for session in sessions)
    total = sum(session.input_tokens for session in sessions)
    parts = [
        period.name,
        fmt.usd(sum(costs) if costs else None),
        f"{fmt.tokens(total)} in",
        f"{fmt.percent(read, total)} cached",
        sessions_text(len(sessions), count),
    ]
    if sessions:
        parts.append(f"{fmt.whole(sum(session.requests for session in sessions))} requests since they began")
    return " " + " · ".join(parts)


def sessions_text(shown: int, count: int) -> str:
    """Write how many sessions were active, and how many of them the figures are of."""
    if shown < count:
        return f"the newest {fmt.whole(shown)} of {fmt.whole(count)} active sessions"
    return f"{fmt.whole(count)} active session{'' if count == 1 else 's'}"


COLUMNS: Final[tuple[TableColumn[SessionSummary], ...]] = (
    TableColumn(
        name="last",
        heading="last active",
        width=12,
        draw=lambda row, inks, _: (fmt.day_or_clock(row.last_us), inks.muted),
        sort_key=lambda row: row.last_us,
        is_right=False,
    ),
    TableColumn(
        name="title",
        heading="asked first",
        width=30,
        draw=lambda row, inks, _: (fmt.one_line(row.title or row.session_id), inks.plain),
        sort_key=lambda row: (row.title or "").lower(),
        is_right=False,
        is_flexible=True,
        is_ascending_first=True,
    ),
    TableColumn(
        name="requests",
        heading="req",
        width=5,
        draw=lambda row, inks, _: (fmt.whole(row.requests), inks.muted),
        sort_key=lambda row: row.requests,
    ),
    TableColumn(
        name="prompts",
        heading="prompts",
        width=7,
        draw=lambda row, inks, _: (fmt.whole(row.prompts), inks.muted),
        sort_key=lambda row: row.prompts,
        rank=5,
    ),
    TableColumn(
        name="agents",
        heading="agents",
        width=6,
        draw=lambda row, inks, _: (fmt.whole(row.agents), inks.muted),
        sort_key=lambda row: row.agents,
        rank=4,
    ),
    TableColumn(
        name="errors",
        heading="err",
        width=4,
        draw=lambda row, inks, _: (fmt.whole(row.errors) if row.errors else "", inks.error),
        sort_key=lambda row: row.errors,
        rank=3,
    ),
    TableColumn(
        name="compactions",
        heading="comp",
        width=5,
        draw=lambda row, inks, _: (fmt.whole(row.compactions) if row.compactions else "", inks.warning),
        sort_key=lambda row: row.compactions,
        rank=6,
    ),
    TableColumn(
        name="input",
        heading="in",
        width=6,
        draw=lambda row, inks, _: (fmt.tokens(row.input_tokens), inks.strong),
        sort_key=lambda row: row.input_tokens,
    ),
    TableColumn(
        name="output",
        heading="out",
        width=6,
        draw=lambda row, inks, _: (fmt.tokens(row.output_tokens), inks.muted),
        sort_key=lambda row: row.output_tokens,
        rank=2,
    ),
    TableColumn(
        name="cached",
        heading="cached",
        width=6,
        draw=lambda row, inks, _: (fmt.percent(row.cache_read_tokens, row.input_tokens), inks.muted),
        sort_key=lambda row: row.cache_read_tokens / row.input_tokens if row.input_tokens else None,
        rank=1,
    ),
    TableColumn(
        name="context",
        heading="context",
        width=7,
        draw=lambda row, inks, _: (fmt.tokens(row.last_context_tokens), inks.muted),
        sort_key=lambda row: row.last_context_tokens,
        rank=1,
    ),
    TableColumn(
        name="cost",
        heading="cost",
        width=8,
        draw=lambda row, inks, _: (fmt.usd(row.cost_nano_usd), inks.strong),
        sort_key=lambda row: row.cost_nano_usd,
    ),
)
