"""What is imported when: in a process of its own, because the static graph cannot see late imports."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = (
    "mitmproxy",
    "sqlalchemy",
    "sqlmodel",
    "fastapi",
    "textual",
    "rich",
    "ctok",
    "tiktoken",
    "genai_prices",
    "cryptography",
)


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    return {name.split(".")[0] for name in result.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["export", "--help"], ["run", "--help"]])
def test_asking_about_it_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"from tui.cli.main import cli\ncli({arguments!r}, standalone_mode=False)"
    assert loaded_after(code).isdisjoint(HEAVY)


def test_version_loads_little_at_all() -> None:
    modules = loaded_after("from tui.cli.main import cli\ncli(['--version'], standalone_mode=False)")
    ours = {name for name in modules if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert ours - {"tui", "click", "sitecustomize", "zipp", "importlib_metadata"} <= {"editables", "coverage", "a1_coverage"}


def test_headless_loads_no_screen() -> None:
    modules = loaded_after("import tui.headless, tui.runtime, tui.starting, tui.cli.live, tui.cli.run, tui.cli.summary")
    assert "textual" not in modules


def test_what_forwards_loads_no_database() -> None:
    parts = "tui.recording, storage.remote_recorder, storage.api.remote, proxy_core.hook_feed, proxy_core.server"
    modules = loaded_after(f"import tui.headless, tui.runtime, tui.starting, {parts}")
    assert modules.isdisjoint({"textual", "sqlalchemy", "sqlmodel", "fastapi", "pydantic"})
