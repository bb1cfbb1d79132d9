"""A database with a few captured exchanges, and a way to call commands in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.tui.live_rig import BODY, ask, settings_for, standin
from tui.cli.main import cli
from tui.errors import AssayError
from tui.runtime import Runtime


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str


type Call = Callable[..., Outcome]


@pytest.fixture
def call() -> Call:
    """Call a command; its errors have the exit code that `main` gives them."""

    def run(*arguments: object, stdin: str | None = None) -> Outcome:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin, prog_name="assay")
        if isinstance(result.exception, AssayError):
            return Outcome(result.exception.exit_code, result.stdout, str(result.exception))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with two messages and a count; only to be read."""
    directory = tmp_path_factory.mktemp("captured") / "data"
    with standin() as api, Runtime(settings_for(directory, api), environ={}) as runtime:
        ask(runtime)
        ask(runtime, BODY.replace(b"Why does the build fail?", b"And the tests?"))
        ask(runtime, path="/v1/messages/count_tokens")
        runtime.drain()
    return directory


@pytest.fixture
def own(captured: Path, tmp_path: Path) -> Path:
    """Return a copy that may be changed."""
    import shutil

    return Path(shutil.copytree(captured, tmp_path / "own"))
