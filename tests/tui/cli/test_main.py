"""The group: overview, exit codes, errors in one line."""

import pytest
from click.testing import CliRunner

from tui.cli import main
from tui.cli.main import COMMANDS, cli


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, list(arguments), prog_name="assay")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_version() -> None:
    code, output = run("--version")
    assert code == 0
    assert output.startswith("assay ")


def test_overview_names_every_command_with_its_line() -> None:
    _, output = run("--help")
    for name, entry in COMMANDS.items():
        assert f"{name} " in output
        assert entry.summary.split(":")[0] in output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    code, output = run(name, "--help")
    assert code == 0
    assert "Examples:" in output
    assert f"Usage: assay {name}" in output


def test_a_slip_of_the_finger_gets_a_hint() -> None:
    code, output = run("exprot")
    assert code == 2
    assert "Did you mean 'export'?" in output


def test_a_program_name_gets_the_way_to_run_it() -> None:
    code, output = run("claude")
    assert code == 2
    assert "assay run -- PROGRAM" in output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--port", "99999"], 2, "not a port"),
        (["--port", "x"], 2, "--port"),
        (["--config", "/nowhere.toml"], 2, "does not exist"),
        (["--reverse", "https://a", "--local", "x", "--headless", "--no-api"], 2, "exclude"),
        (["sessions"], 7, "no database"),
    ],
)
def test_errors_become_one_line_and_an_exit_code(
    arguments: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["assay", *arguments])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == code
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1
