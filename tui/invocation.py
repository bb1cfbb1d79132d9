"""How this program is called in another terminal, for the lines that people are to paste. Knows nothing of what they do."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

COMMAND_VARIABLE: Final = "ASSAY_COMMAND"
"""Tells a process that Assay starts how Assay itself was called: its own first argument says nothing of that."""


def own_command() -> str:
    """Return the program by name where that is found, else by path; in a process that Assay started, as Assay was called."""
    path = Path(sys.argv[0]).absolute()
    if path.stem != "assay":
        return os.environ.get(COMMAND_VARIABLE) or "assay"
    return "assay" if shutil.which("assay") else _by_path(path)


def named_command() -> dict[str, str]:
    """Return what to add to the environment of a process of ours that talks to people."""
    return {COMMAND_VARIABLE: own_command()}


def _by_path(path: Path) -> str:
    home = Path.home()
    if path.is_relative_to(home) and path != home:
        return f"~/{shlex.quote(str(path.relative_to(home)))}"
    return shlex.quote(str(path))
