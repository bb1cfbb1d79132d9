"""Where and how the dashboard draws. Textual writes to standard error, in the encoding of the locale.

With `assay 2> log` that would leave the terminal black, and in a locale of old fill it with escaped characters.
"""

import io
import sys


def draw_where_it_is_seen() -> None:
    """Let Textual draw on the terminal, in UTF-8, wherever standard error goes; logs stay where they were."""
    drawn_on, other = sys.__stderr__, sys.__stdout__
    if drawn_on is not None and other is not None and other.isatty() and not drawn_on.isatty():
        sys.__stderr__ = drawn_on = other  # type: ignore[misc]  # what Textual draws on, and nothing else uses
    if isinstance(drawn_on, io.TextIOWrapper) and drawn_on.isatty() and drawn_on.encoding.lower() not in {"utf-8", "utf8"}:
        drawn_on.reconfigure(encoding="utf-8")
