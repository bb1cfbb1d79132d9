"""Files made to do harm: a clear error or an import, never a crash, and no secret in either."""

import json
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy_core.redact import Redactor
from storage.database import open_database
from storage.importing.importing import import_file
from storage.importing.recordings import RecordingUnreadableError
from storage.store import Store

REDACTOR = Redactor(b"a key of the tests")
KEY = "sk-ant-api03-PLANTED-0123456789"
ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-11-01T00:00:00Z",
    "timings": {"send": 1, "wait": 2, "receive": 3},
    "request": {
        "method": "POST",
        "url": "https://api.anthropic.com/v1/messages",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "content-type", "value": "application/json"}],
        "postData": {"text": "{}"},
        "bodySize": 2,
    },
    "response": {"status": 200, "statusText": "OK", "headers": [], "content": {"text": "{}"}, "bodySize": 2},
}
PLACES = [
    ("startedDateTime",),
    ("timings", "wait"),
    ("request", "method"),
    ("request", "url"),
    ("request", "httpVersion"),
    ("request", "headers"),
    ("request", "postData"),
    ("request", "bodySize"),
    ("response",),
    ("response", "status"),
    ("response", "statusText"),
    ("response", "content"),
    ("_error",),
    ("_state",),
    ("_id",),
    ("connection",),
]
ODD = [
    None, True, -1, 0, 10**30, 1e308, float("nan"), float("inf"), "", "\ud800", "\x00\x1b]0;x\x07", KEY, f"https://u:{KEY}@h/",
    "https://[/", "https://u:p@api.anthropic.com/v1/messages", [], [1], [[]], {}, {"text": "\ud800"}, {"text": 5},
    [{"name": "x", "value": KEY}], [{"name": None}], "0000-00-00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+00:00",
    {"text": "!!", "encoding": "base64"}, "a" * 100_000,
]  # fmt: skip


def import_har(directory: Path, entries: object) -> str:
    """Import a HAR; return everything that was stored or said."""
    file = directory / "odd.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    database = open_database(directory / "odd.db")
    try:
        import_file(database, file, REDACTOR)
        store = Store(database)
        return repr([store.exchanges.detail(summary.id) for summary in store.exchanges.page(10)])
    except RecordingUnreadableError as error:
        return str(error)
    finally:
        database.close()


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_odd_values_anywhere_in_a_har(tmp_path: Path, place: tuple[str, ...]) -> None:
    for number, value in enumerate(ODD):
        entry = deepcopy(ENTRY)
        parent = entry
        for name in place[:-1]:
            parent = parent[name]
        parent[place[-1]] = value
        directory = tmp_path / str(number)
        directory.mkdir()
        said = import_har(directory, [entry])
        stored = b"".join(path.read_bytes() for path in directory.glob("odd.db*"))
        assert "PLANTED" not in said
        assert b"PLANTED" not in stored


@pytest.mark.parametrize("entries", [None, 5, "x", {}, [5], [None], [[]], ["x"], [{}], [{"request": 1, "response": 2}]])
def test_what_is_no_list_of_entries(tmp_path: Path, entries: object) -> None:
    assert "cannot be read" in import_har(tmp_path, entries) or "no HAR" in import_har(tmp_path, entries)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"log":' + b"[" * 100_000,
        b'{"schema":"context-assay/export"' + b"," * 1000,
        b'{"schema":"context-assay/export","id":' + b"[" * 100_000 + b"\n",
        b'{"schema":"context-assay/export","id":"\\ud800"}\n',
        b"99999999999:x",
        b"5:hello,",
        b"10:" + b"0:~" * 10,
        b"40000:" + b"4:" * 20_000 + b"}",
        b"12:3:foo;3:bar;}",
        b"\x00" * 5000,
    ],
)
def test_files_that_are_nothing(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    database = open_database(tmp_path / "odd.db")
    try:
        with pytest.raises(RecordingUnreadableError):
            import_file(database, file, REDACTOR)
    finally:
        database.close()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"7:version;", b'{"log":{"entries":[', b'{"schema":"context-assay/export",'])
)
def test_any_file(tmp_path: Path, data: bytes, beginning: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(beginning + data)
    database = open_database(tmp_path / "odd.db")
    with suppress(RecordingUnreadableError):
        import_file(database, file, REDACTOR)
    database.close()
