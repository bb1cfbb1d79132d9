"""The dashboard's application: it wires one store and, where there is one, one running proxy to the screens.

It must not read the database, draw, or decide what a screen shows.
"""

from textual.app import App

from storage.store import Store
from tui.live import LiveSource


class AssayApp(App[None]):
    """The dashboard over a store; live when a proxy runs beside it."""

    TITLE = "assay"

    def __init__(self, store: Store, live: LiveSource | None = None) -> None:
        super().__init__()
        self.store = store
        """Everything the screens show is read from here."""
        self.live = live
        """The running proxy; `None` when only a database is looked at."""
