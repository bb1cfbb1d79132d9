"""Writes what the code says about itself into the documents: the help of every command, the table of settings.

Each such part stands between two comments (`<!-- help: run -->` ... `<!-- /help -->`); everything else is left as it is.
`make docs` runs it, and a test fails when it has not been run.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from tui.cli.main import cli
from tui.settings import SETTINGS, Kind, Setting

HERE = Path(__file__).parent
_PART = re.compile(r"<!-- (help|settings): ?([\w-]*) -->\n.*?<!-- /\1 -->", re.DOTALL)


def render(text: str) -> str:
    """Return a document with its generated parts written anew."""
    makers: dict[str, Callable[[str], str]] = {"help": help_of, "settings": settings_table}

    def write(match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        return f"<!-- {kind}: {name} -->\n{makers[kind](name)}\n<!-- /{kind} -->"

    return _PART.sub(write, text)


def help_of(name: str) -> str:
    """Return the help of a command as a block of code."""
    group = click.Context(cli, info_name="assay", terminal_width=100, max_content_width=100)
    command = cli if name == "assay" else cli.get_command(group, name)
    assert command is not None, f"no command {name}"
    context = group if command is cli else click.Context(command, info_name=name, parent=group)
    context.terminal_width = context.max_content_width = 100
    return f"```text\n{command.get_help(context)}\n```"


def settings_table(group: str) -> str:
    """Return the table of the settings of a group."""
    rows = ["| key | environment | option | default | what |", "|---|---|---|---|---|"]
    rows += [_row(setting) for setting in SETTINGS if setting.group.value == group]
    return "\n".join(rows)


def _row(setting: Setting) -> str:
    value = "" if setting.kind is Kind.FLAG else f" {setting.metavar}"
    default = {None: "", True: "`true`", False: "`false`", (): "`[]`"}.get(setting.default, f"`{setting.default}`")
    cells = [f"`{setting.name}`", f"`{setting.variable}`", f"`{setting.option}{value}`", default, setting.help]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Rewrite all documents."""
    for path in sorted(HERE.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = render(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"rewrote {path.name}")


if __name__ == "__main__":
    sys.exit(main())
