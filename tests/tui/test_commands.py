"""Commands: each declared once, complete, reachable, and in the help."""

import pytest

from tui.app import AssayApp
from tui.command import Command, CommandGroup
from tui.commands import (
    ALL_GROUPS,
    CHARTS_COMMANDS,
    DIALOG_COMMANDS,
    FOLD_COMMANDS,
    GLOBAL_COMMANDS,
    INSIGHTS_COMMANDS,
    LIST_COMMANDS,
    SAVED_FILTER_COMMANDS,
    SESSIONS_COMMANDS,
    SOURCES_COMMANDS,
    GoToEnd,
    ShowHelp,
)
from tui.live_commands import LIVE_COMMANDS, ToggleKind
from tui.pages.sheet import Sheet
from tui.screens.charts import ChartsScreen
from tui.screens.dialog import Dialog
from tui.screens.help import write_help
from tui.screens.insights import InsightsScreen
from tui.screens.live import LiveScreen
from tui.screens.saved_filters import SavedFiltersScreen
from tui.screens.sessions import SessionsScreen
from tui.screens.sources import SourcesScreen
from tui.theme import inks
from tui.widgets.breakdown import Breakdown
from tui.widgets.exchange_list import ExchangeList
from tui.widgets.json_view import JsonView
from tui.widgets.line_list import LineList

_PLACES = (
    (GLOBAL_COMMANDS, AssayApp),
    (LIST_COMMANDS, LineList),
    (FOLD_COMMANDS, ExchangeList),
    (FOLD_COMMANDS, Breakdown),
    (FOLD_COMMANDS, JsonView),
    (LIVE_COMMANDS, LiveScreen),
    (SOURCES_COMMANDS, SourcesScreen),
    (SESSIONS_COMMANDS, SessionsScreen),
    (CHARTS_COMMANDS, ChartsScreen),
    (INSIGHTS_COMMANDS, InsightsScreen),
    (SAVED_FILTER_COMMANDS, SavedFiltersScreen),
    (DIALOG_COMMANDS, Dialog),
)


@pytest.mark.parametrize(("group", "place"), _PLACES)
def test_every_command_has_an_action_where_it_applies(group: CommandGroup, place: type) -> None:
    for command in group.commands:
        assert hasattr(place, f"action_{command.action()}"), command.__name__


@pytest.mark.parametrize("command", dict.fromkeys(c for group in ALL_GROUPS for c in group.commands), ids=lambda c: c.__name__)
def test_every_command_explains_itself(command: type[Command]) -> None:
    assert command.help().endswith(".")
    assert command.title()
    assert command.sign()
    assert command.bindings()


@pytest.mark.parametrize("group", [LIVE_COMMANDS, SOURCES_COMMANDS, SESSIONS_COMMANDS, CHARTS_COMMANDS, INSIGHTS_COMMANDS])
def test_no_key_means_two_things_on_one_screen(group: CommandGroup) -> None:
    commands = (*group.commands, *GLOBAL_COMMANDS.commands, *LIST_COMMANDS.commands, *FOLD_COMMANDS.commands)
    keys = [key for command in commands for key in command.KEY.split(",")]
    assert sorted(keys) == sorted(set(keys))


def test_names_follow_from_the_class() -> None:
    assert GoToEnd.title() == "Go to end"
    assert GoToEnd.action() == "go_to_end"
    assert ShowHelp.sign() == "?"


def test_the_kinds_have_a_binding_a_key_and_leave_the_footer_to_others() -> None:
    bindings = ToggleKind.bindings()
    assert [binding.key for binding in bindings] == list("123456789")
    assert not any(binding.show for binding in bindings), "the legend shows them"


def test_help_names_every_command_and_every_field() -> None:
    from storage.filters.fields import FIELDS

    sheet = Sheet(120, inks(is_dark=True))
    write_help(sheet)
    text = "\n".join("".join(part for part, _ in line) for line in sheet.lines)
    for group in ALL_GROUPS:
        assert group.name in text
        for command in group.commands:
            assert command.title() in text
    for field in FIELDS:
        assert field.name in text
