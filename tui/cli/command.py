"""A click command whose help ends with examples, kept as they were written."""

from collections.abc import Callable, Sequence
from typing import Any, override

import click


class ExampleCommand(click.Command):
    """A command that shows how it is used."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), notes: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        """Command lines, each with a comment where it needs one."""
        self.notes = tuple(notes)
        """Lines on exit codes and the like."""

    @override
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_lines(formatter, "Examples", self.examples)
        write_lines(formatter, "Exit codes", self.notes)


def write_lines(formatter: click.HelpFormatter, heading: str, lines: Sequence[str]) -> None:
    """Write a section whose lines are not wrapped."""
    if not lines:
        return
    formatter.write_paragraph()
    formatter.write(f"{heading}:\n")
    for line in lines:
        formatter.write(f"  {line}\n")


def command(
    name: str, *, examples: Sequence[str], exit_codes: Sequence[str] = (), **attrs: Any
) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command with examples."""
    return click.command(name, cls=ExampleCommand, examples=examples, notes=exit_codes, **attrs)
