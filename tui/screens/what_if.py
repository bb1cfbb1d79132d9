"""What a source's absence would have saved, in a window."""

from collections.abc import Iterator

from textual.widget import Widget

from proxy_core.attribution.model import Source
from storage.insights.what_if import WhatIf
from tui import format as fmt
from tui.insight_columns import source_name
from tui.pages.sheet import Sheet
from tui.ranges import Period
from tui.screens.dialog import Dialog
from tui.widgets.page_view import PageView


class WhatIfScreen(Dialog[None]):
    """The recomputation."""

    HEADING = " What if "

    def __init__(self, source: Source | None, period: Period, removed: WhatIf, deferred: WhatIf | None) -> None:
        super().__init__()
        self._source = source
        self._period = period
        self._removed = removed
        self._deferred = deferred

    def compose_box(self) -> Iterator[Widget]:
        """Lay out the figures."""
        yield PageView(id="what-if")

    def on_mount(self) -> None:
        """Write the figures."""
        self.query_one("#dialog").border_title = f" What if: without {source_name(self._source)} "
        page = self.query_one(PageView)
        page.show(self._write)
        page.focus()

    def _write(self, sheet: Sheet) -> None:
        before = self._removed.before
        sheet.pair("looked at", f"{self._period.name}: {fmt.whole(self._removed.requests)} requests")
        sheet.pair("billed input", f"{fmt.tokens(before.tokens)} tokens, {fmt.usd(before.cost_nano_usd)}")
        write_saving(sheet, "Left out", self._removed)
        if self._deferred is not None:
            write_saving(sheet, "Deferred: only its tools' names stay", self._deferred)
        sheet.gap()
        sheet.text(
            "What the model would have answered without it is not known: its answers stay as they were.", sheet.inks.muted
        )


def write_saving(sheet: Sheet, heading: str, result: WhatIf) -> None:
    """Write what one of the two would have saved."""
    mark = "~" if result.is_estimate else ""
    share = fmt.percent(result.tokens_saved, result.before.tokens)
    sheet.heading(heading, f"in {fmt.whole(result.requests_changed)} requests")
    sheet.pair("tokens saved", f"{mark}{fmt.tokens(result.tokens_saved)} ({share})", style=sheet.inks.strong)
    sheet.pair("cost saved", f"{mark}{fmt.usd(result.cost_saved_nano_usd)}", style=sheet.inks.strong)
    if result.breaks_avoided:
        times = "break" if result.breaks_avoided == 1 else "breaks"
        sheet.pair("of that", f"{fmt.usd(result.cache_saved_nano_usd)} by {result.breaks_avoided} cache {times} less")
