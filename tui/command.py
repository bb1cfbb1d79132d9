"""What a command is: its docstring is the help, beside it the key and the word in the footer.

Bindings, footer, command palette and help screen are made from these classes alone, so they cannot differ. A command acts
through the method `action_<name>` of the screen, app or list it belongs to. Must not import screens or widgets.
"""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

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
