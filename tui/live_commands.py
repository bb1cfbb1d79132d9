"""The commands of the live screen: filtering, moving, looking closer, rating, taking along."""

from typing import Final

from textual.binding import Binding

from tui.command import Command, CommandGroup


class EditFilter(Command):
    """Filter the requests with the filter language; Tab completes, Escape leaves it."""

    KEY = "slash"
    SIGN = "/"
    FOOTER = "Filter"


class SaveFilter(Command):
    """Save the filter in force, and the kinds switched on, under a name; @name in the filter line uses it."""

    KEY = "S"


class PickFilter(Command):
    """Use, rename or delete a saved filter."""

    KEY = "F"


class ToggleKind(Command):
    """Show only what has the kinds of source switched on: requests, or sources. In the bars they are put forward."""

    KEY = "1,2,3,4,5,6,7,8,9"
    SIGN = "1-9"
    IS_IN_PALETTE = False

    @classmethod
    def bindings(cls) -> list[Binding]:
        """Return one binding a key; the legend shows them, so the footer need not."""
        return [
            Binding(
                key,
                f"toggle_kind('{key}')",
                cls.title(),
                show=False,
                key_display=cls.SIGN,
                tooltip=cls.help(),
                id=f"toggle_kind_{key}",
            )
            for key in cls.KEY.split(",")
        ]


class ClearFilter(Command):
    """Show everything again: no filter, no kinds switched on."""

    KEY = "0"
    FOOTER = "All"


class ShowErrors(Command):
    """Show only requests that failed, or all again."""

    KEY = "x"
    FOOTER = "Errors"


class CycleRange(Command):
    """Choose the time that is looked at: last hour, day, week, month, or all."""

    KEY = "w"
    FOOTER = "Range"


class ToggleFollow(Command):
    """Stay on the newest request as more come in, or stand still."""

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
    """Compare with the request before in the same conversation, and say what broke the cache; again: back to the tab before."""

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
    (  # in the order of the footer, which leaves out from the end what has no room
        EditFilter,
        SaveFilter,
        PickFilter,
        ToggleKind,
        ClearFilter,
        ShowErrors,
        ShowDiff,
        CycleGrouping,
        ExportRequests,
        RateRequest,
        RateUp,
        RateDown,
        EditNote,
        CycleRange,
        ToggleFollow,
        NextTab,
        PreviousTab,
        ZoomPane,
        LeavePane,
        CopyText,
    ),
)

_AT_REQUESTS: Final = (
    *(ShowDiff, CycleGrouping, ExportRequests, RateRequest, RateUp, RateDown),
    *(EditNote, ToggleFollow, ZoomPane, CopyText),
)
ON_REQUESTS: Final = frozenset(command.action() for command in _AT_REQUESTS)
"""Actions that make no sense where no request is listed."""
ON_FILTERS: Final = frozenset(command.action() for command in (EditFilter, ToggleKind, ShowErrors, CycleRange))
"""Actions that make no sense where none was captured."""
