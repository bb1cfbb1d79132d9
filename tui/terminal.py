"""Where the dashboard draws. Textual writes to standard error; with `assay 2> log` that would leave the terminal black."""

import sys


def draw_where_it_is_seen() -> None:
    """Let Textual draw on standard output when that is the terminal and standard error is not; logs stay where they were."""
    drawn_on, other = sys.__stderr__, sys.__stdout__
    if drawn_on is not None and other is not None and other.isatty() and not drawn_on.isatty():
        sys.__stderr__ = other  # type: ignore[misc]  # what Textual draws on, and nothing else uses
