"""How this program is called in another terminal, for the lines that people are to paste. Knows nothing of what they do."""

import shlex
import shutil
import sys
from pathlib import Path


def own_command() -> str:
    """Return the program by name where that is found or it was not started as a program of its own, else by path."""
    path = Path(sys.argv[0]).absolute()
    return "assay" if path.stem != "assay" or shutil.which("assay") else _by_path(path)


def _by_path(path: Path) -> str:
    home = Path.home()
    if path.is_relative_to(home) and path != home:
        return f"~/{shlex.quote(str(path.relative_to(home)))}"
    return shlex.quote(str(path))
