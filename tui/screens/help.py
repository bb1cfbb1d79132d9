"""The help: every key, made from the commands, and the filter language, made from its table of fields."""

from collections.abc import Iterator

from textual.widget import Widget

from storage.filters.fields import FIELDS
from tui import format as fmt
from tui.commands import ALL_GROUPS
from tui.pages.sheet import Sheet, wrap
from tui.screens.dialog import Dialog
from tui.widgets.page_view import PageView


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
    """Write all commands by group, then the filter language."""
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
        (fmt.UNKNOWN, "unknown", "never written as 0"),
    ):
        _write_entry(sheet, sign, name, meaning)
    sheet.heading("Filter language", "terms side by side must all hold; or, not and brackets work")
    for field in FIELDS:
        _write_entry(sheet, field.name, field.example, field.meaning)


def _write_entry(sheet: Sheet, sign: str, name: str, meaning: str) -> None:
    sign_cells, name_cells = (10, 22) if sheet.width >= 100 else (8, 18)
    room = max(16, sheet.width - sign_cells - name_cells - 6)
    for number, line in enumerate(wrap(meaning, room)):
        lead = (fmt.fit(sign, sign_cells), fmt.fit(name, name_cells)) if number == 0 else (" " * sign_cells, " " * name_cells)
        sheet.line(("  " + lead[0] + " ", sheet.inks.accent), (lead[1] + " ", sheet.inks.plain), (line, sheet.inks.muted))
