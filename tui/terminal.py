"""Where and how the dashboard draws, and that it ends with its terminal.

Textual writes to standard error, in the encoding of the locale: with `assay 2> log` that would leave the terminal black, and in
a locale of old fill it with escaped characters. Of a terminal that is gone it reads the end over and over, for ever.
"""

import io
import os
import select
import signal
import sys
import threading


def draw_where_it_is_seen() -> None:
    """Let Textual draw on the terminal, in UTF-8, wherever standard error goes; logs stay where they were."""
    drawn_on, other = sys.__stderr__, sys.__stdout__
    if drawn_on is not None and other is not None and other.isatty() and not drawn_on.isatty():
        sys.__stderr__ = drawn_on = other  # type: ignore[misc]  # what Textual draws on, and nothing else uses
    if isinstance(drawn_on, io.TextIOWrapper) and drawn_on.isatty() and drawn_on.encoding.lower() not in {"utf-8", "utf8"}:
        drawn_on.reconfigure(encoding="utf-8")


def end_with_terminal() -> None:
    """From now on, hang up when standard input's other end is gone: the system tells only who controls the terminal."""
    if hasattr(select, "poll"):
        threading.Thread(target=_hang_up_when_gone, args=(0,), name="assay-terminal", daemon=True).start()


def _hang_up_when_gone(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, 0)
    ((_, event),) = poll.poll()  # Asked for nothing, it returns when there will never be anything again.
    if event & (select.POLLHUP | select.POLLERR):
        is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # It was started by nohup, or what ignores it as well.
        os.kill(os.getpid(), signal.SIGTERM if is_ignored else signal.SIGHUP)
