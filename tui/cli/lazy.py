"""A click group whose commands are imported when they are run: `assay --version` must not wait for a proxy to load."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import override

import click

from tui.invocation import own_command


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command lives, and its line in the overview (so that `--help` imports none of them)."""

    module: str
    """Module whose attribute `command` it is."""
    summary: str
    section: str
    """Heading of the overview it stands under."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and line alone."""

    entries: Mapping[str, CommandEntry] = {}

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the order of the overview."""
        return list(self.entries)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command = import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    @override
    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the one that was probably meant."""
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, list(self.entries), n=1)
            hint = (
                f" Did you mean '{close[0]}'?"
                if close
                else f" To run a program through Assay: {own_command()} run -- PROGRAM ..."
            )
            ctx.fail(f"No such command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    @override
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands before the options: they are what a newcomer looks for."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview, by section."""
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            with formatter.section(section):
                rows = [(name, entry.summary) for name, entry in self.entries.items() if entry.section == section]
                formatter.write_dl(rows)
