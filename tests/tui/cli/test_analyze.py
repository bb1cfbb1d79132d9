"""`assay analyze`: one file, many files, with and without figures."""

import json
from pathlib import Path

import pytest

from tests import factories
from tests.tui.cli.conftest import Call


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    body, headers, response = tmp_path / "body.json", tmp_path / "headers.json", tmp_path / "response.json"
    body.write_text(json.dumps(factories.request_json()))
    headers.write_text(
        json.dumps({"method": "POST", "path": "/v1/messages", "headers": [["User-Agent", "x/1"]], "response": {"status": 200}})
    )
    response.write_text(json.dumps(factories.response_json()))
    return body, headers, response


def test_json_holds_every_segment_and_settles(call: Call, files: tuple[Path, Path, Path]) -> None:
    body, headers, response = files
    answer = json.loads(call("analyze", body, headers, "--response", response, "--json").out)
    texts = "".join(segment["text"] for segment in answer["segments"])
    assert "You are a careful engineer." in texts
    assert "Why does the build fail?" in texts
    assert answer["is_settled"]
    assert answer["total_input_tokens"] == 21
    assert answer["cost_usd"] == pytest.approx(21 * 3e-6 + 7 * 15e-6)


def test_without_a_response_it_is_an_estimate(call: Call, files: tuple[Path, Path, Path]) -> None:
    answer = json.loads(call("analyze", files[0], files[1], "--json").out)
    assert not answer["is_settled"]
    assert answer["total_input_tokens"] > 5
    assert answer["warnings"] == []


def test_tables(call: Call, files: tuple[Path, Path, Path]) -> None:
    assert "total" in call("analyze", files[0]).out
    quick = call("analyze", files[0], "--no-tokens", "--table").out
    assert "bytes" in quick
    assert "User" in quick


def test_batch_answers_line_by_line(call: Call, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    lines = f"{files[0]}\t{files[1]}\n\n{tmp_path / 'missing.json'}\n{files[0]}\n"
    answers = [json.loads(line) for line in call("analyze", "--batch", stdin=lines).out.splitlines()]
    assert [set(answer) >= {"segments"} for answer in answers] == [True, False, True]
    assert "missing.json" in answers[1]["error"]
    assert answers[0]["segments"][0]["tokens"] is None
    counted = json.loads(call("analyze", "--batch", "--tokens", stdin=f"{files[0]}\n").out)
    assert sum(segment["tokens"] for segment in counted["segments"]) > 0


def test_bodies_that_are_no_json_are_analysed_all_the_same(call: Call, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"\xff\x00 not json \xed\xa0\x80")
    answer = json.loads(call("analyze", body, "--no-tokens", "--json").out)
    assert sum(segment["content_bytes"] for segment in answer["segments"]) > 0


def test_wrong_use(call: Call, files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    assert call("analyze").code == 2
    assert call("analyze", files[0], "--json", "--table").code == 2
    assert call("analyze", tmp_path / "missing").code == 2
    (tmp_path / "bad.json").write_text("[1]")
    assert call("analyze", files[0], tmp_path / "bad.json").code == 1
    assert call("analyze", files[0], "--prices", tmp_path / "missing.toml").code == 2
