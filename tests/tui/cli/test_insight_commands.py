"""insights, what-if, check, reconcile and report over a recorded conversation with planted flaws."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from storage.database import open_database
from tests.storage.insights.planted import PlantedSession, record, tool
from tui.cli.main import cli
from tui.errors import NotFoundError


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "assay.db"
    session = PlantedSession()
    session.tools.append(tool("mcp__context7__docs", "Looks a library up. " * 100))
    session.ask("Look.")
    session.files["/work/app/CLAUDE.md"] += "Changed."
    session.ask("Go on.")
    opened = open_database(path)
    record(session, opened)
    opened.close()
    return path


def run(database: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--database", str(database)], prog_name="assay")


def test_insights_name_the_idle_server_and_the_edited_file(database: Path) -> None:
    result = run(database, "insights")
    assert result.exit_code == 0
    assert "McpServer context7: definition carried in 2 requests, never used" in result.output
    assert "Memory /work/app/CLAUDE.md edited mid-conversation" in result.output
    assert "Disable the MCP server context7" in result.output


def test_insights_as_json(database: Path) -> None:
    found = json.loads(run(database, "insights", "--json", "--session", "planted").output)
    assert found["requests"] == 2
    assert found["cache_breaks"][0]["cause"] == "edited"


def test_insights_of_nothing(database: Path) -> None:
    output = run(database, "insights", "--session", "nobody").output
    assert "Nothing was found that was carried in vain." in output


def test_a_filter_that_cannot_be_read_is_explained(database: Path) -> None:
    result = run(database, "insights", "--filter", "cost:>")
    assert result.exit_code == 2
    assert "--filter" in result.output


def test_what_if_without_a_server(database: Path) -> None:
    text = run(database, "what-if", "--without", "mcp:context7")
    found = json.loads(run(database, "what-if", "--without", "mcp:context7", "--json").output)
    assert text.exit_code == 0
    assert "in 2 requests" in text.output
    assert found["tokens_saved"] > 400


def test_what_if_without_the_file_that_broke_the_cache(database: Path) -> None:
    output = run(database, "what-if", "--without", "memory:*CLAUDE.md").output
    assert "1 cache breaks that would not have been" in output


def test_what_if_deferred_is_marked_as_an_estimate(database: Path) -> None:
    assert "Saved: ~" in run(database, "what-if", "--defer", "mcp").output


@pytest.mark.parametrize("arguments", [(), ("--without", "mcp", "--defer", "mcp"), ("--without", "nonsense:x")])
def test_what_if_wants_one_thing_that_exists(database: Path, arguments: tuple[str, ...]) -> None:
    assert run(database, "what-if", *arguments).exit_code == 2


def test_check_passes_and_fails_by_exit_code(database: Path) -> None:
    within = run(database, "check", "--max-tokens", "source:mcp:*=20k", "--max-cost", "5")
    over = run(database, "check", "--max-tokens", "mcp:context7=10")
    assert (within.exit_code, over.exit_code) == (0, 1)
    assert "OVER" in over.output
    assert json.loads(run(database, "check", "--max-cost", "5", "--json").output)[0]["is_passed"] is True


@pytest.mark.parametrize("arguments", [(), ("--max-tokens", "many"), ("--max-cost", "x")])
def test_check_wants_a_budget_that_can_be_read(database: Path, arguments: tuple[str, ...]) -> None:
    assert run(database, "check", *arguments).exit_code == 2


def test_reconcile_with_the_clients_own_report(database: Path, tmp_path: Path) -> None:
    cost = json.loads(run(database, "check", "--max-cost", "9", "--json").output)[0]["cost_usd"]
    report = tmp_path / "run.json"
    report.write_text(json.dumps({"session_id": "planted", "total_cost_usd": cost}))
    agreed = run(database, "reconcile", "--client-report", str(report))
    assert agreed.exit_code == 0
    assert "they agree" in agreed.output
    report.write_text(json.dumps([{}, {"session_id": "planted", "total_cost_usd": cost * 2}]))
    differs = run(database, "reconcile", "--client-report", str(report), "--json")
    assert differs.exit_code == 1
    assert json.loads(differs.output)[0]["is_agreed"] is False


def test_reconcile_without_anything_to_compare_says_so(database: Path) -> None:
    assert "Nothing to compare with" in run(database, "reconcile").output


@pytest.mark.parametrize("content", ["no json", "{}", "[]", "[1]"])
def test_a_report_that_cannot_be_read_is_refused(database: Path, tmp_path: Path, content: str) -> None:
    report = tmp_path / "run.json"
    report.write_text(content)
    assert run(database, "reconcile", "--client-report", str(report)).exit_code == 2


def test_report_in_every_format(database: Path, tmp_path: Path) -> None:
    page, text, data = (tmp_path / f"report.{ending}" for ending in ("html", "md", "json"))
    for output in (page, text, data):
        assert run(database, "report", "-o", str(output)).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert "## What to change" in text.read_text()
    assert json.loads(data.read_text())["totals"]["requests"] == 2


def test_report_of_one_session_goes_to_standard_output(database: Path) -> None:
    result = run(database, "report", "--session", "planted", "--format", "md")
    assert result.exit_code == 0
    assert "Session planted of" in result.output
    assert isinstance(run(database, "report", "--session", "nobody").exception, NotFoundError)
