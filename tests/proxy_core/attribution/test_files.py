"""Recorded calls from files."""

import json
from pathlib import Path

import pytest

from proxy_core.attribution.files import RecordedFileError, recorded_from_files


def test_a_body_alone(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b"{}")
    call = recorded_from_files(body)
    assert (call.method, call.url, call.request_body, call.status_code) == (
        "POST",
        "https://api.anthropic.com/v1/messages",
        b"{}",
        None,
    )


def test_everything_beside_it(tmp_path: Path) -> None:
    body, headers, response = tmp_path / "b", tmp_path / "h", tmp_path / "r"
    body.write_bytes(b"{}")
    response.write_bytes(b"event: x")
    described = {
        "method": "PUT",
        "path": "/x?y",
        "headers": [["A", "1"], ["bad"], 7],
        "response": {"status": 201, "headers": {"B": "2"}},
    }
    headers.write_text(json.dumps(described))
    call = recorded_from_files(body, headers, response)
    assert (call.method, call.url, call.request_headers) == ("PUT", "https://api.anthropic.com/x?y", (("A", "1"),))
    assert (call.status_code, call.response_headers, call.response_body) == (201, (("B", "2"),), b"event: x")


def test_a_url_and_a_response_without_status(tmp_path: Path) -> None:
    body, headers = tmp_path / "b", tmp_path / "h"
    body.write_bytes(b"{}")
    headers.write_text('{"url": "https://h/p", "response": 7}')
    call = recorded_from_files(body, headers, body)
    assert (call.url, call.status_code) == ("https://h/p", 200)


@pytest.mark.parametrize("described", ["", "[1]", "\ud800"])
def test_a_headers_file_that_is_none(tmp_path: Path, described: str) -> None:
    body, headers = tmp_path / "b", tmp_path / "h"
    body.write_bytes(b"{}")
    headers.write_bytes(described.encode("utf-8", "surrogatepass"))
    with pytest.raises(RecordedFileError):
        recorded_from_files(body, headers)
