"""What the live screen's workers bring back: each one message, handed over whole to the thread that draws."""

from collections.abc import Sequence

from textual.message import Message

from storage.views import ExchangeDetail, ExchangeSummary
from tui.outline import Rows
from tui.reading import Selection
from tui.widgets.detail_pane import TabContent


class RowsRead(Message):
    """The rows of the list, and those of them that changed."""

    def __init__(self, selection: Selection, rows: Rows, summaries: Sequence[ExchangeSummary], took_s: float) -> None:
        super().__init__()
        self.selection = selection
        self.rows = rows
        self.summaries = summaries
        self.took_s = took_s


class SummariesRead(Message):
    """Rows that came into sight."""

    def __init__(self, summaries: Sequence[ExchangeSummary]) -> None:
        super().__init__()
        self.summaries = summaries


class DetailRead(Message):
    """The selected request."""

    def __init__(self, detail: ExchangeDetail) -> None:
        super().__init__()
        self.detail = detail


class ContentRead(Message):
    """What a tab asked for."""

    def __init__(self, content: TabContent) -> None:
        super().__init__()
        self.content = content
