"""Every command once: its docstring is the help, beside it the key and the word in the footer.

Bindings, footer, command palette and help screen are made from these classes alone, so they cannot differ. A command acts
through the method `action_<name>` of the screen, app or list it belongs to. Must not import screens or widgets.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.binding import Binding, BindingType


class Command:
    """Something a person can tell the dashboard to do."""

    KEY: ClassVar[str]
    """Key, or several separated by commas; the first is the one that is shown."""
    SIGN: ClassVar[str | None] = None
    """How the key is written for people; `None`: as Textual writes it."""
    FOOTER: ClassVar[str | None] = None
    """Word in the footer; `None` keeps it out of there."""
    IS_IN_PALETTE: ClassVar[bool] = True
    """False for what makes no sense but by key."""

    @classmethod
    def title(cls) -> str:
        """Return the name for people, from the class's name."""
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__)
        return words[0] + words[1:].lower()

    @classmethod
    def help(cls) -> str:
        """Return what it does, from the docstring."""
        return " ".join(inspect.cleandoc(cls.__doc__ or "").split())

    @classmethod
    def action(cls) -> str:
        """Return the action it runs, from the class's name."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def sign(cls) -> str:
        """Return the key as people read it."""
        return cls.SIGN or cls.KEY.partition(",")[0]

    @classmethod
    def bindings(cls) -> list[Binding]:
        """Return the key bindings it stands for."""
        return [
            Binding(
                cls.KEY,
                cls.action(),
                cls.FOOTER or cls.title(),
                show=cls.FOOTER is not None,
                key_display=cls.SIGN,
                tooltip=cls.help(),
                id=cls.action(),
            )
        ]


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """Commands that apply in one place."""

    name: str
    """Heading in the help screen."""
    commands: tuple[type[Command], ...]


def bindings(*groups: CommandGroup) -> list[BindingType]:
    """Return the bindings of all commands of these groups."""
    return [binding for group in groups for command in group.commands for binding in command.bindings()]


def palette_commands(groups: Iterable[CommandGroup]) -> list[type[Command]]:
    """Return the commands that the palette offers."""
    return [command for group in groups for command in group.commands if command.IS_IN_PALETTE]


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

    KEY = "pagedown,ctrl+f"
    SIGN = "PgDn"
    IS_IN_PALETTE = False


class PreviousPage(Command):
    """Go one page up."""

    KEY = "pageup,ctrl+b"
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


# The live screen


class EditFilter(Command):
    """Filter the requests with the filter language; Tab completes, Escape leaves it."""

    KEY = "slash"
    SIGN = "/"
    FOOTER = "Filter"


class ToggleKind(Command):
    """Show only what has the kinds of source switched on: requests, or sources. In the bars they are put forward."""

    KEY = "1,2,3,4,5,6,7,8,9"
    SIGN = "1-9"
    FOOTER = "Kinds"
    IS_IN_PALETTE = False

    @classmethod
    def bindings(cls) -> list[Binding]:
        """Return one binding a key; the footer shows them as one."""
        return [
            Binding(
                key,
                f"toggle_kind('{key}')",
                cls.FOOTER or "",
                show=key == "1",
                key_display=cls.SIGN,
                tooltip=cls.help(),
                id=f"toggle_kind_{key}",
            )
            for key in cls.KEY.split(",")
        ]


class ClearFilter(Command):
    """Show everything again: no filter, no kinds switched on."""

    KEY = "0"


class ShowErrors(Command):
    """Show only requests that failed, or all again."""

    KEY = "x"


class ToggleFollow(Command):
    """Stay on the newest request as they come in, or stand still."""

    KEY = "f"
    FOOTER = "Follow"


class CycleGrouping(Command):
    """Group the requests: not at all, by session, by session and prompt, by session and agent."""

    KEY = "t"
    FOOTER = "Tree"


class NextTab(Command):
    """Show the next tab of the selected request."""

    KEY = "right_square_bracket,right"
    SIGN = "]"


class PreviousTab(Command):
    """Show the tab before."""

    KEY = "left_square_bracket,left"
    SIGN = "["


class ShowDiff(Command):
    """Compare with the request before in the same conversation, and say what broke the cache."""

    KEY = "d"
    FOOTER = "Diff"


class ZoomPane(Command):
    """Give the whole screen to the selected request, or share it with the list again."""

    KEY = "m"
    FOOTER = "Zoom"


class LeavePane(Command):
    """Go back from the selected request to the list."""

    KEY = "escape"
    SIGN = "Esc"
    FOOTER = "Back"
    IS_IN_PALETTE = False


class RateRequest(Command):
    """Rate the request from -1.0 to 1.0, with a comment. It counts for every source that was in it."""

    KEY = "r"
    FOOTER = "Rate"


class RateUp(Command):
    """Rate the request one step (0.5) better."""

    KEY = "plus,equals_sign"
    SIGN = "+"


class RateDown(Command):
    """Rate the request one step (0.5) worse."""

    KEY = "minus"
    SIGN = "-"


class EditNote(Command):
    """Write a note on the request."""

    KEY = "n"
    FOOTER = "Note"


class ExportRequests(Command):
    """Write the selected request, or all that the filter shows, to a JSON file."""

    KEY = "e"
    FOOTER = "Export"


class CopyText(Command):
    """Copy what is selected: the text of a segment, the body shown, or the request's id."""

    KEY = "y"
    FOOTER = "Copy"


LIVE_COMMANDS: Final = CommandGroup(
    "Requests",
    (
        EditFilter,
        ToggleKind,
        ClearFilter,
        ShowErrors,
        CycleGrouping,
        ToggleFollow,
        ShowDiff,
        NextTab,
        PreviousTab,
        ZoomPane,
        LeavePane,
        RateRequest,
        RateUp,
        RateDown,
        EditNote,
        ExportRequests,
        CopyText,
    ),
)


# Sources, sessions, charts


class CycleRange(Command):
    """Choose the time that is looked at: last hour, day, week, month, or all."""

    KEY = "w"
    FOOTER = "Range"


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


# In dialogs


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
    DIALOG_COMMANDS,
)
"""Every group, in the order of the help screen."""
