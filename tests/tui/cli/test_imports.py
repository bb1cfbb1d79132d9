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


def test_the_first_paint_loads_what_it_shows_and_no_more() -> None:
    code = """
import sys
from tui import remote_live, screen_worker
from tui.app import AssayApp
seen = []
def painted():
    seen.extend(sys.modules)
    app.exit()
app = AssayApp(None, when_painted=painted)
app.run(headless=True)
print("loaded", *sorted(seen))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    modules = set(next(line for line in result.stdout.splitlines() if line.startswith("loaded ")).split())
    assert "tui.screens.live" in modules
    assert not modules & ({*HEAVY, "pydantic", "msgspec", "zstandard", "click"} - {"textual", "rich"})
    assert modules.isdisjoint({"tui.screens.charts", "tui.screens.insights", "tui.screens.sources", "storage.store"})


def test_opening_the_screen_loads_no_screen_in_the_process_that_forwards() -> None:
    modules = loaded_after("import tui.cli.live, tui.screen_process, tui.screen_here, tui.runtime")
    assert modules.isdisjoint(HEAVY)
