"""The help: every key, made from the commands, and the filter language, made from its table of fields."""

from collections.abc import Iterator
from typing import Final

from textual.widget import Widget

from proxy_core.attribution.model import SourceType
from storage.filters.fields import FIELDS
from tui import format as fmt
from tui.colours import KEYED_KINDS
from tui.commands import ALL_GROUPS, OpenRow, ShowInsights, ShowSources
from tui.live_commands import (
    CycleGrouping,
    CycleRange,
    ExportRequests,
    PickFilter,
    SaveFilter,
    ShowDiff,
    ShowErrors,
    ToggleFollow,
)
from tui.pages.sheet import Sheet, wrap
from tui.screens.dialog import Dialog
from tui.widgets.page_view import PageView

_MCP_KEY: Final = next(key for key, kind in KEYED_KINDS.items() if kind is SourceType.MCP_SERVER)
QUESTIONS: Final = (
    ((ShowSources.sign(), _MCP_KEY), "What costs most?", "sources by cost in the last 24 hours; here of MCP servers alone"),
    ((ShowInsights.sign(),), "What can go?", "what is carried and never used, what is carried twice, what broke the cache"),
    (("k", ShowDiff.sign()), "What changed?", "a request compared with the one before in its conversation"),
    (
        (ShowErrors.sign(), CycleRange.sign(), ExportRequests.sign(), OpenRow.sign()),
        "What failed?",
        "the errors of the last hour, and a file with them",
    ),
    ((CycleGrouping.sign(),), "Who asked for it?", "requests by session, by prompt, by sub-agent; Space folds"),
)
"""Keys, what one wants to know, and what they show."""


class HelpScreen(Dialog[None]):
    """Keys and filter language."""

    HEADING = " Help "

    def compose_box(self) -> Iterator[Widget]:
        """Lay out the page."""
        yield PageView(id="help")

    def on_mount(self) -> None:
        """Write the page."""
        page = self.query_one(PageView)
        page.show(write_help)
        page.focus()


def write_help(sheet: Sheet) -> None:
    """Write how questions are answered, all commands by group, then the filter language."""
    sheet.heading("First questions")
    for keys, question, answer in QUESTIONS:
        _write_entry(sheet, " ".join(keys), question, answer)
    for group in ALL_GROUPS:
        sheet.heading(group.name)
        for command in group.commands:
            _write_entry(sheet, command.sign(), command.title(), command.help())
    sheet.heading("Marks in the list")
    for sign, name, meaning in (
        ("⠹", "running", "the answer is still coming; ↓ counts its tokens, reckoned from its bytes"),
        ("✗", "failed", "the API or the connection refused; the reason stands in place of the bar"),
        ("▲ ▼", "rated", "you rated it good or bad"),
        ("≠", "distorted", "the client was pointed to a base URL, which changes what it sends"),
        ("~", "estimate", "counted, but not (yet) billed"),
        ("+20", "20 newer", f"in the heading: so many came while the list stands still; {ToggleFollow.sign()} follows again"),
        (fmt.UNKNOWN, "unknown", "never written as 0"),
    ):
        _write_entry(sheet, sign, name, meaning)
    sheet.heading("What is counted")
    for name, meaning in (
        ("stored", "at the top right: all requests since this Assay was started"),
        ("analysed", "sources and charts: requests of the period that have ended and were read; later deleted ones too"),
        ("some lost", "at the top right: requests that went through and could not be stored since this Assay was started"),
        ("since they began", "sessions: all requests of the sessions that were active in the period, also before it"),
        ("billed", "insights: model calls of the period that the API has charged for"),
    ):
        _write_entry(sheet, "", name, meaning)
    sheet.heading("Filter language", "terms side by side must all hold; or, not and brackets work")
    _write_entry(sheet, "@name", "@costly", f"a saved filter; {SaveFilter.sign()} saves one, {PickFilter.sign()} lists them")
    for field in FIELDS:
        _write_entry(sheet, field.name, field.example, field.meaning)


def _write_entry(sheet: Sheet, sign: str, name: str, meaning: str) -> None:
    sign_cells, name_cells = (10, 22) if sheet.width >= 100 else (8, 18)
    room = max(16, sheet.width - sign_cells - name_cells - 6)
    for number, line in enumerate(wrap(meaning, room)):
        lead = (fmt.fit(sign, sign_cells), fmt.fit(name, name_cells)) if number == 0 else (" " * sign_cells, " " * name_cells)
        sheet.line(("  " + lead[0] + " ", sheet.inks.accent), (lead[1] + " ", sheet.inks.plain), (line, sheet.inks.muted))
