"""The dashboard in the process that captures: for a database in its memory, and where a process cannot be given a socket."""

import contextlib
from typing import TYPE_CHECKING, Self

import click

from tui.terminal import draw_where_it_is_seen

if TYPE_CHECKING:
    from tui.app import AssayApp
    from tui.runtime import Runtime


class ScreenHere:
    """As `tui.screen_process.ScreenProcess`, without a process.

    Args:
        runtime: What it shows.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._app: AssayApp | None = None
        """What can be told to close: Textual cannot leave while it puts up its first screen."""
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        """Nothing is left when `wait` has returned."""

    def begin(self) -> None:
        """Nothing is to be told: it sees for itself."""

    def tell_place(self) -> None:
        """Nothing is to be told: it sees for itself."""

    def wait(self) -> int:
        """Show the dashboard until it is closed; returns its exit code."""
        from tui.app import AssayApp

        draw_where_it_is_seen()
        app = AssayApp(self._runtime.store, self._runtime, when_painted=lambda: self._begin(app))
        try:
            app.run()
        except Exception as error:  # noqa: BLE001 - a broken screen must not take the proxy along; reported here
            click.echo(f"assay: {type(error).__name__}: {error}", err=True)
            return 1
        return app.return_code or 0

    def end(self) -> None:
        """Ask it to close, at once or as soon as it can; for a signal's handler as well."""
        self._is_over = True
        if self._app is not None:
            with contextlib.suppress(RuntimeError):
                self._app.exit()

    def _begin(self, app: "AssayApp") -> None:
        self._app = app
        if self._is_over:
            self.end()
