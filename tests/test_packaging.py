"""The project as a whole: layers, headless without a screen, docstring-only packages, a wheel that holds everything."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("proxy_core", "storage", "tui")
BELOW = {"proxy_core": {"storage", "tui"}, "storage": {"tui"}, "tui": set[str]()}
"""What each package must not import."""


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def importers_of(*names: str) -> set[str]:
    found = set()
    for package in PACKAGES:
        for path in sources(package):
            if any(module.split(".")[0] in names for module in imported(path)):
                found.add(path.relative_to(ROOT).as_posix())
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_one_way(package: str) -> None:
    for path in sources(package):
        assert {module.split(".")[0] for module in imported(path)}.isdisjoint(BELOW[package]), path


def test_the_screen_is_drawn_in_tui_alone() -> None:
    assert {path for path in importers_of("textual", "rich", "textual_serve") if not path.startswith("tui/")} == set()


def test_the_database_is_spoken_to_in_storage_alone() -> None:
    allowed = {"tui/cli/insight_options.py"}
    """Names a type for the type checker only."""
    assert {path for path in importers_of("sqlmodel", "sqlalchemy", "sqlite3") if not path.startswith("storage/")} <= allowed


def test_the_web_framework_stays_in_the_api() -> None:
    outside = {path for path in importers_of("fastapi", "starlette", "uvicorn") if not path.startswith("storage/api/")}
    assert outside == set()


@pytest.mark.parametrize("path", [path for package in PACKAGES for path in (ROOT / package).rglob("__init__.py")], ids=str)
def test_packages_begin_with_one_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_why_it_exists_and_stays_small(package: str) -> None:
    for path in sources(package):
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), path
        assert len(text.splitlines()) <= 400, path


def test_no_committed_lock_names_a_host() -> None:
    for path in ROOT.glob("requirements*.lock"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_the_entry_point_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["assay"].partition(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))
    assert project["name"] == "context-assay"


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=120)
    wheel = zipfile.ZipFile(next(tmp_path.glob("context_assay-*.whl")))
    held = {name for name in wheel.namelist() if not name.startswith("context_assay-")}
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected <= held
    assert {name.split("/")[0] for name in held} == set(PACKAGES)
    wheel.extractall(tmp_path / "site")
    script = "import tui.cli.main as m, sys; print(m.__file__); m.cli(['--help'], standalone_mode=False)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "site", capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.startswith(str(tmp_path))


def test_the_wheel_needs_python_3_12() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.12"
