"""Every command of the dashboard once, by the place it applies in (those of the live screen: `live_commands.py`)."""

from typing import Final

from tui.command import Command, CommandGroup
from tui.live_commands import LIVE_COMMANDS, ClearFilter, CopyText, CycleRange, ToggleKind

# Everywhere


class ShowLive(Command):
    """Show the requests as they come in."""

    KEY = "l"


class ShowSources(Command):
    """Show every source with its use, tokens, cost and rating."""

    KEY = "s"


class ShowSessions(Command):
    """Show sessions and their agents with totals and the growth of the context."""

    KEY = "a"


class ShowCharts(Command):
    """Show tokens and cost over time, and how full the context window is."""

    KEY = "c"


class ShowInsights(Command):
    """Show what to cut, what broke the cache, what carrying costs, what it was worth, and what grew."""

    KEY = "i"


class PauseCapture(Command):
    """Pause or resume capturing. The traffic itself goes on untouched."""

    KEY = "p"
    FOOTER = "Pause"


class SwitchTheme(Command):
    """Switch between the dark and the light theme."""

    KEY = "T"


class OpenPalette(Command):
    """Find any command by its name."""

    KEY = "ctrl+p,:"
    SIGN = "^p"
    IS_IN_PALETTE = False


class ShowHelp(Command):
    """Show every key and the filter language."""

    KEY = "question_mark"
    SIGN = "?"
    FOOTER = "Help"


class Quit(Command):
    """Leave Assay; what was captured stays in the database."""

    KEY = "q,ctrl+q"
    SIGN = "q"
    FOOTER = "Quit"


GLOBAL_COMMANDS: Final = CommandGroup(
    "Everywhere",
    (ShowLive, ShowSources, ShowSessions, ShowCharts, ShowInsights, PauseCapture, SwitchTheme, OpenPalette, ShowHelp, Quit),
)


# In every list


class CursorDown(Command):
    """Go one row down."""

    KEY = "j,down"
    SIGN = "j ↓"
    IS_IN_PALETTE = False


class CursorUp(Command):
    """Go one row up."""

    KEY = "k,up"
    SIGN = "k ↑"
    IS_IN_PALETTE = False


class NextPage(Command):
    """Go one page down."""

    KEY = "pagedown,ctrl+f,ctrl+d"
    SIGN = "PgDn"
    IS_IN_PALETTE = False


class PreviousPage(Command):
    """Go one page up."""

    KEY = "pageup,ctrl+b,ctrl+u"
    SIGN = "PgUp"
    IS_IN_PALETTE = False


class GoToTop(Command):
    """Go to the first row."""

    KEY = "g,home"
    IS_IN_PALETTE = False


class GoToEnd(Command):
    """Go to the last row; in the request list this also follows what comes in."""

    KEY = "G,end"
    IS_IN_PALETTE = False


class OpenRow(Command):
    """Open what is selected: a request's breakdown, a source's segments, a segment's text, a session's requests."""

    KEY = "enter"
    SIGN = "⏎"
    FOOTER = "Open"
    IS_IN_PALETTE = False


LIST_COMMANDS: Final = CommandGroup("Lists", (CursorDown, CursorUp, NextPage, PreviousPage, GoToTop, GoToEnd, OpenRow))


class ToggleFold(Command):
    """Fold or unfold the selected branch."""

    KEY = "space"
    SIGN = "Space"
    FOOTER = "Fold"


class FoldAll(Command):
    """Fold every branch, or unfold all when all are folded."""

    KEY = "z"


FOLD_COMMANDS: Final = CommandGroup("Trees", (ToggleFold, FoldAll))


# Sources, sessions, charts


class SortNext(Command):
    """Sort by the next column."""

    KEY = "greater_than_sign,o"
    SIGN = "o"
    FOOTER = "Sort"


class SortPrevious(Command):
    """Sort by the column before."""

    KEY = "less_than_sign,O"
    SIGN = "O"


class ReverseSort(Command):
    """Sort the other way round."""

    KEY = "v"
    FOOTER = "Reverse"


class CycleBucket(Command):
    """Choose the width of the bars: minute, hour, day."""

    KEY = "b"
    FOOTER = "Bucket"


class CycleMeasure(Command):
    """Show tokens or dollars."""

    KEY = "u"
    FOOTER = "Tokens/cost"


class CycleStack(Command):
    """Stack by kind of source, by model, or by cache read, write and fresh."""

    KEY = "t"
    FOOTER = "Stack by"


class NextSection(Command):
    """Show the next kind of insight."""

    KEY = "right_square_bracket,right"
    SIGN = "]"
    FOOTER = "Next"


class PreviousSection(Command):
    """Show the kind of insight before."""

    KEY = "left_square_bracket,left"
    SIGN = "["


class AskWhatIf(Command):
    """Reckon what leaving the selected source out would have saved, cache effects included."""

    KEY = "x"
    FOOTER = "What if"


class WriteReport(Command):
    """Write a report of the period to a file that can be shared: HTML, Markdown or JSON; names and sizes, no contents."""

    KEY = "e"
    FOOTER = "Report"


SOURCES_COMMANDS: Final = CommandGroup(
    "Sources", (CycleRange, SortNext, SortPrevious, ReverseSort, ToggleKind, ClearFilter, CopyText)
)
SESSIONS_COMMANDS: Final = CommandGroup("Sessions", (CycleRange, SortNext, SortPrevious, ReverseSort, CopyText))
CHARTS_COMMANDS: Final = CommandGroup("Charts", (CycleRange, CycleBucket, CycleMeasure, CycleStack))
INSIGHTS_COMMANDS: Final = CommandGroup(
    "Insights",
    (NextSection, PreviousSection, CycleRange, AskWhatIf, WriteReport, SortNext, SortPrevious, ReverseSort, CopyText),
)

_AT_CONTENT: Final = (
    *(SortNext, SortPrevious, ReverseSort, CopyText),
    *(CycleBucket, CycleMeasure, CycleStack, AskWhatIf),
)
ON_CONTENT: Final = frozenset(command.action() for command in _AT_CONTENT)
"""Actions that make no sense where a stretch of time has nothing to show."""


# In dialogs


class KeepFilter(Command):
    """Save the filter in force under a name."""

    KEY = "s"
    FOOTER = "Save"
    IS_IN_PALETTE = False


class RenameFilter(Command):
    """Give the selected filter another name, also where other saved filters use it."""

    KEY = "r"
    FOOTER = "Rename"
    IS_IN_PALETTE = False


class DeleteFilter(Command):
    """Delete the selected filter; pressed twice."""

    KEY = "x,delete"
    FOOTER = "Delete"
    IS_IN_PALETTE = False


SAVED_FILTER_COMMANDS: Final = CommandGroup("Saved filters", (KeepFilter, RenameFilter, DeleteFilter))


class Close(Command):
    """Close this and go back."""

    KEY = "escape"
    SIGN = "Esc"
    FOOTER = "Close"
    IS_IN_PALETTE = False


DIALOG_COMMANDS: Final = CommandGroup("Dialogs", (Close,))

ALL_GROUPS: Final = (
    GLOBAL_COMMANDS,
    LIST_COMMANDS,
    FOLD_COMMANDS,
    LIVE_COMMANDS,
    SOURCES_COMMANDS,
    SESSIONS_COMMANDS,
    CHARTS_COMMANDS,
    INSIGHTS_COMMANDS,
    SAVED_FILTER_COMMANDS,
    DIALOG_COMMANDS,
)
"""Every group, in the order of the help screen."""
