"""The commands over what was captured: tables for people, JSON for programs, exit codes for scripts."""

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from proxy_core.redact import Redactor
from tests.tui.cli.conftest import Call
from tests.tui.live_rig import BODY, KEY


def newest_id(call: Call, directory: Path) -> str:
    return json.loads(call("show", "--json", "--data-dir", directory).out)["id"]


def test_sessions(call: Call, captured: Path) -> None:
    assert call("sessions", "--data-dir", captured).code == 0
    for line in call("sessions", "--json", "--data-dir", captured).out.splitlines():
        assert json.loads(line)["session_id"]


def test_sources_rank_and_filter(call: Call, captured: Path) -> None:
    table = call("sources", "--data-dir", captured)
    assert table.code == 0
    assert "User" in table.out
    rows = [json.loads(line) for line in call("sources", "--json", "--kind", "user", "--data-dir", captured).out.splitlines()]
    assert [row["source_type"] for row in rows] == ["User"]
    assert rows[0]["usage_count"] >= 2
    assert call("sources", "--json", "--kind", "MCP", "--data-dir", captured).code == 0
    assert call("sources", "--kind", "nonsense", "--data-dir", captured).code == 2
    assert "User" not in call("sources", "--since", "2099-01-01", "--data-dir", captured).out


def test_show_adds_up(call: Call, captured: Path) -> None:
    shown = json.loads(call("show", "--json", "--data-dir", captured).out)
    sources = shown["sources"]
    assert sum(source["tokens"] for source in sources if source["source_type"] != "Assistant") == shown["input_tokens"]
    assert sum(source["cost_usd"] for source in sources) == pytest.approx(shown["cost_usd"])
    text = call("show", "--data-dir", captured).out
    assert "total" in text
    assert "per million" in text


def test_show_finds_by_beginning_and_writes_bodies(call: Call, captured: Path) -> None:
    whole = newest_id(call, captured)
    assert json.loads(call("show", whole[:28], "--json", "--data-dir", captured).out)["id"] == whole
    body = call("show", whole, "--body", "request", "--data-dir", captured).out
    assert json.loads(body)["model"] == json.loads(BODY)["model"]
    assert call("show", "ffff", "--data-dir", captured).code == 7
    assert call("show", "--data-dir", captured, "--database", captured / "other.db").code == 7


def test_rate_once_replace_and_remove(call: Call, own: Path) -> None:
    whole = newest_id(call, own)
    rated = call("rate", whole, "0.8", "-m", "to the point", "--data-dir", own)
    assert rated.code == 0
    assert "+0.8" in rated.out
    assert "User" in rated.out
    assert call("rate", whole, "0.1", "--data-dir", own).code == 1
    assert call("rate", whole, "--replace", "--data-dir", own, "--", "-1").code == 0
    assert json.loads(call("sources", "--json", "--kind", "User", "--data-dir", own).out)["average_rating"] == -1.0
    assert "removed" in call("rate", whole, "--remove", "--data-dir", own).out
    assert "was not rated" in call("rate", whole, "--remove", "--data-dir", own).out


def test_rate_refuses_what_makes_no_sense(call: Call, own: Path) -> None:
    whole = newest_id(call, own)
    assert call("rate", whole, "1.5", "--data-dir", own).code == 2
    assert call("rate", whole, "--data-dir", own).code == 2
    assert call("rate", whole, "1", "--remove", "--data-dir", own).code == 2
    assert call("rate", "ffff", "1", "--data-dir", own).code == 7


@pytest.mark.parametrize("form", ["json", "jsonl", "har", "csv", "otlp-json"])
def test_every_export_holds_the_exchanges_and_no_key(call: Call, captured: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "out"
    result = call("export", "--format", form, "-o", path, "--data-dir", captured)
    text = path.read_text(encoding="utf-8")
    assert result.code == 0
    assert "3 exchanges" in result.err
    assert KEY not in text
    if form == "csv":
        assert len(list(csv.DictReader(io.StringIO(text)))) == 3
    else:
        assert all(json.loads(line) for line in (text.splitlines() if form in {"jsonl", "otlp-json"} else [text]))
    assert path.stat().st_mode & 0o077 == 0
    assert not path.with_name("out.part").exists()


def test_export_filters(call: Call, captured: Path) -> None:
    lines = call("export", "--format", "jsonl", "--filter", "path:count_tokens", "--data-dir", captured).out.splitlines()
    assert len(lines) == 1
    wrong = call("export", "--filter", "nonsense:1", "--data-dir", captured)
    assert wrong.code == 2
    assert "nonsense" in wrong.err
    nothing = call("export", "--format", "jsonl", "--since", "2099-01-01", "--until", "2099-02-01", "--data-dir", captured)
    assert nothing.out == ""


def test_export_where_nothing_can_be_written(call: Call, captured: Path, tmp_path: Path) -> None:
    assert call("export", "-o", tmp_path / "no" / "such" / "directory.json", "--data-dir", captured).code == 1


def test_what_is_exported_can_be_imported_once(call: Call, captured: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    call("export", "--format", "jsonl", "-o", path, "--data-dir", captured)
    first = call("import", path, "--data-dir", tmp_path / "new")
    again = call("import", path, "--no-analysis", "--data-dir", tmp_path / "new")
    assert first.code == again.code == 0
    assert "3 imported, 0 there already" in first.out
    assert "analysed 3 exchanges" in first.out
    assert "0 imported, 3 there already" in again.out
    assert newest_id(call, tmp_path / "new") == newest_id(call, captured)


def test_importing_nonsense(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "nonsense.bin"
    path.write_bytes(b"\x00\x01nonsense")
    assert call("import", path, "--data-dir", tmp_path / "new").code == 1


def test_verify_proves_and_finds_damage(call: Call, own: Path) -> None:
    sound = call("verify", "--data-dir", own)
    assert sound.code == 0
    assert "all sound" in sound.out
    connection = sqlite3.connect(own / "assay.db")
    connection.execute("update piece set packed = zeroblob(length(packed))")
    connection.commit()
    connection.close()
    broken = call("verify", "--data-dir", own)
    assert broken.code == 1
    assert "PROBLEMS" in broken.out


def test_prune_asks_and_keeps_totals(call: Call, own: Path) -> None:
    assert call("prune", "--data-dir", own).code == 2
    assert "nothing to do" in call("prune", "--retention-days", "0", "--data-dir", own).out
    assert "deleted 0" in call("prune", "--yes", "--data-dir", own).out
    before = call("sources", "--json", "--kind", "User", "--data-dir", own).out
    assert "deleted 3" in call("prune", "--older-than", "0s", "--yes", "--data-dir", own).out
    assert json.loads(before)["total_tokens"] > 0
    assert call("show", "--data-dir", own).code == 7


def test_reanalyze(call: Call, own: Path) -> None:
    assert "analysed 0" in call("reanalyze", "--data-dir", own).out
    again = call("reanalyze", "--force", "--data-dir", own)
    assert again.code == 0
    assert "analysed 3" in again.out


@pytest.mark.parametrize("command", ["sessions", "sources", "show", "verify", "export", "reanalyze", "view"])
def test_without_a_database_it_says_how_to_get_one(call: Call, tmp_path: Path, command: str) -> None:
    result = call(command, "--data-dir", tmp_path)
    assert result.code == 7
    assert "assay run" in result.err
    assert not (tmp_path / "assay.db").exists()


@pytest.mark.parametrize("command", ["sessions", "verify", "export"])
def test_a_broken_database_is_exit_code_5(call: Call, tmp_path: Path, command: str) -> None:
    (tmp_path / "assay.db").write_bytes(b"nonsense" * 1000)
    result = call(command, "--data-dir", tmp_path)
    assert result.code == 5
    assert "assay.db" in result.err


def test_view_needs_a_terminal(call: Call, captured: Path) -> None:
    assert "no terminal" in call("view", "--data-dir", captured).err


def test_serve_stays_on_loopback(call: Call, captured: Path) -> None:
    result = call("serve", "--web-host", "0.0.0.0", "--data-dir", captured)
    assert result.code == 2
    assert "every prompt" in result.err


def test_filters_are_saved_listed_renamed_and_removed(call: Call, own: Path) -> None:
    at = ("--data-dir", own)
    empty = call("filters", *at)
    assert (empty.code, empty.out) == (0, "")
    assert "S in the dashboard" in empty.err
    assert call("filters", "Counts", "class:count_tokens", *at).out == "saved @counts\n"
    assert call("filters", *at, "rest", "--", "-@counts").code == 0
    assert call("filters", "counts", *at).out == "class:count_tokens\n"
    assert call("filters", "counts", "--rename", "counting", *at).out == "renamed to @counting\n"
    assert call("filters", *at).out.split() == ["name", "filter", "@counting", "class:count_tokens", "@rest", "-@counting"]
    listed = [json.loads(line) for line in call("filters", "--json", *at).out.splitlines()]
    assert listed[1] == {"name": "rest", "filter": "-@counting"}
    used = call("filters", "counting", "--remove", *at)
    assert used.code == 1
    assert "@rest" in used.err
    assert call("filters", "rest", "--remove", *at).out == "removed @rest\n"
    assert call("filters", "rest", *at).code == 7
    assert call("filters", "rest", "--remove", *at).code == 7


@pytest.mark.parametrize(
    "arguments",
    [("a", "error:yes", "--remove"), ("a", "--remove", "--rename", "b"), ("--remove",), ("--rename", "b"), ("a", "--json")],
)
def test_one_wish_at_a_time(call: Call, captured: Path, arguments: tuple[str, ...]) -> None:
    assert call("filters", *arguments, "--data-dir", captured).code == 2


def test_a_filter_that_cannot_be_read_is_not_saved(call: Call, own: Path) -> None:
    refused = call("filters", "a", "cost:>", "--data-dir", own)
    assert refused.code == 1
    assert "cost" in refused.err
    assert call("filters", "a b", "error:yes", "--data-dir", own).code == 1


def test_a_saved_filter_is_used_by_name(call: Call, own: Path) -> None:
    at = ("--data-dir", own)
    call("filters", "counts", "class:count_tokens", *at)
    exported = call("export", "--format", "csv", "--filter", "@counts", *at).out
    assert exported == call("export", "--format", "csv", "--filter", "class:count_tokens", *at).out
    assert len(exported.splitlines()) == 2
    rest = call("insights", "--filter", "-@counts", "--json", *at)
    assert json.loads(rest.out) == json.loads(call("insights", "--filter", "-class:count_tokens", "--json", *at).out)
    assert call("export", "--filter", "@nobody", *at).code == 2
    unknown = call("insights", "--filter", "@nobody", *at)
    assert unknown.code == 2
    assert "@nobody" in unknown.err


def test_a_key_that_is_typed_is_marked_as_the_capture_marks_it(call: Call, own: Path) -> None:
    key = "sk-ant-api03-AbCdEf0123456789AbCdEf0123456789"
    mark = Redactor((own / "ca" / "redaction.key").read_bytes()).text(key)
    at = ("--data-dir", own)
    assert call("filters", "leak", f'text:"{key}"', *at).code == 0
    assert call("filters", "leak", *at).out == f'text:"{mark}"\n'
    assert call("rate", newest_id(call, own), "0.5", "-m", f"it said {key}", *at).code == 0
    assert call("export", "--format", "json", *at).out.count(mark) == 1
    assert not [path for path in own.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
