"""The documents say what the code says: commands, options, settings, exit codes."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tui import errors
from tui.cli.main import COMMANDS
from tui.settings import SETTINGS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_generated_parts_are_current() -> None:
    script = "import sys; sys.path.insert(0, 'docs'); import render, pathlib\n"
    script += "print([p.name for p in pathlib.Path('docs').glob('*.md') if render.render(p.read_text()) != p.read_text()])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60)
    assert result.stdout.strip() == "[]", "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"\n## assay {name}\n" in (DOCS / "commands.md").read_text(encoding="utf-8")
    assert import_module(COMMANDS[name].module).command.name == name


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`assay {name}" not in text] == []


def test_every_setting_is_documented() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert [setting.name for setting in SETTINGS if f"| `{setting.name}` |" not in text] == []


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.AssayError)]
    assert [kind.exit_code for kind in classes if f"| {kind.exit_code} | " not in text] == []


@pytest.mark.parametrize("path", [ROOT / "README.md", *DOCS.glob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+?)(?:#[\w-]*)?\)", path.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert [target for target in missing if not target.startswith("screenshots/")] == []


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert {name for name in named if f"\n{name}:" not in makefile} == set()
