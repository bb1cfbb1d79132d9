"""The process that draws (`python -m tui.screen_worker DESCRIPTOR`): the dashboard, with an interpreter of its own.

Drawing is long pure Python; in the process that forwards, each answer waited for it. It paints first, and loads what reads
while the other process gets the proxy going. It must not outlive its terminal or the other process.
"""

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from tui.ending import Ending
from tui.interpreter import DRAWING_THRESHOLDS, favour_latency, load_quickly
from tui.remote_live import RemoteLive
from tui.terminal import draw_where_it_is_seen, end_with_terminal

if TYPE_CHECKING:
    from tui.app import AssayApp

END_S = 5
"""How long the dashboard may take to close: one whose terminal is gone may wait for it for ever."""


def main() -> None:
    """Show the dashboard until a person, a signal or the other process closes it."""
    load_quickly()
    with socket.socket(fileno=int(sys.argv[1])) as link:
        sys.exit(show(link))


def show(link: socket.socket) -> int:
    """Run the dashboard over a running Assay; returns the exit code."""
    from tui.app import AssayApp

    is_over, is_painted = Ending(), threading.Event()

    def end() -> None:
        _end_in_time()
        is_over.set()
        # Textual cannot leave while it puts up its first screen; then `begin` sees to it.
        if is_painted.is_set():
            with contextlib.suppress(RuntimeError):  # It is leaving already.
                app.call_from_thread(app.exit)

    def end_by_signal(_number: int, _frame: FrameType | None) -> None:
        _end_in_time()
        is_over.set()
        if is_painted.is_set():
            app.exit()

    def begin() -> None:
        is_painted.set()
        if is_over.is_set():
            app.exit()
        else:
            threading.Thread(target=_open, args=(app, live), name="assay-open", daemon=True).start()

    live = RemoteLive(link, end)
    app = AssayApp(None, live, when_painted=begin)
    _on_signals(end_by_signal)
    threading.Thread(target=live.listen, name="assay-told", daemon=True).start()
    draw_where_it_is_seen()
    end_with_terminal()
    app.run()
    return app.return_code or 0


def _on_signals(end: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _end_in_time() -> None:
    """See to it that this process ends, whatever its threads wait for; the system does that, whoever asks, however often."""
    if hasattr(signal, "alarm"):
        signal.alarm(END_S)


def _say_waiting(app: "AssayApp", live: RemoteLive) -> None:
    """Say so when the database is being brought up to date meanwhile: a large one takes minutes."""
    from storage.updating import pending_update
    from tui.config import load_settings
    from tui.notices import updating_notice

    path = load_settings({"database": live.opening}, environ={}).database_path if live.opening else None
    update = pending_update(path) if path else None
    with contextlib.suppress(RuntimeError):  # It was closed meanwhile.
        app.call_from_thread(app.say_waiting, updating_notice(update) if update else None)


def _open(app: "AssayApp", live: RemoteLive) -> None:
    """Load what reads, open the database once the other process has it, then get the screens ready that are not shown yet."""
    import storage.outline
    import storage.store  # noqa: F401 - loaded while the other process gets ready
    from tui.config import load_settings
    from tui.recording import Reading

    place = live.wait_for_place(lambda: _say_waiting(app, live))
    if place is None:
        return
    try:
        reading = Reading(load_settings({"data_dir": place.data_dir, "database": place.database}, environ={}))
        app.call_from_thread(app.open_store, reading.store)
    except Exception as error:  # noqa: BLE001 - the thread's root: told where the screen was, and by the exit code
        words = str(error)
        with contextlib.suppress(RuntimeError):
            app.call_from_thread(lambda: app.exit(return_code=1, message=f"assay: {words}"))
        return
    app.load_screens()
    with contextlib.suppress(RuntimeError):  # It was closed meanwhile.
        app.call_from_thread(app.build_screens)  # type: ignore[arg-type]  # mypy takes nothing to return for never returning
    favour_latency(DRAWING_THRESHOLDS)


if __name__ == "__main__":
    main()
