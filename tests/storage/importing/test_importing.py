"""Recordings come in once, redacted, byte for byte."""

import base64
import gzip
import json
import tracemalloc

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from proxy_core.exchange import CaptureMode, ExchangeState, Side
from proxy_core.redact import Redactor
from storage.database import open_database
from storage.export.exporting import export
from storage.export.options import ExportFormat
from storage.filters.tree import Filter
from storage.importing import importing
from storage.importing.flows import flow_io
from storage.importing.importing import ImportFormat, ImportReport, detect_format, import_file
from storage.importing.recordings import RecordingUnreadableError, stable_id
from storage.store import Store
from tests import factories, sample
from tests.recorder import Recorder

KEY = "sk-ant-api03-" + "k" * 40
BODY = json.dumps({"model": "claude-opus-4-5", "messages": [{"role": "user", "content": "hi"}]}).encode()


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "assay.db")
    yield opened
    opened.close()


@pytest.fixture
def redactor():
    return Redactor(b"k" * 32)


def flow(url="https://api.anthropic.com/v1/messages?beta=true", body=BODY, **changes):
    made = tflow.tflow(resp=True)
    made.request = http.Request.make("POST", url, body, {"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY})
    made.request.timestamp_start, made.request.timestamp_end = 1_767_225_600.0, 1_767_225_600.001
    made.response = http.Response.make(200, b'{"type":"message"}', {"content-type": "application/json"})
    made.response.timestamp_start, made.response.timestamp_end = 1_767_225_600.2, 1_767_225_600.9
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def write_flows(path, *flows):
    with path.open("wb") as file:
        writer = flow_io.FlowWriter(file)
        for one in flows:
            writer.add(one)
    return path


def everything(database):
    """All that is on disk, unpacked as far as the readers unpack it."""
    store = Store(database)
    return "".join(export(store, Filter(""), ExportFormat.JSONL))


def test_flows_come_in_as_they_were(tmp_path, database, redactor):
    path = write_flows(tmp_path / "flows", flow())
    assert detect_format(path) is ImportFormat.FLOWS
    assert import_file(database, path, redactor) == ImportReport(imported=1)
    store = Store(database)
    summary = store.exchanges.page()[0]
    assert (summary.mode, summary.state, summary.status_code) == (CaptureMode.IMPORTED, ExchangeState.COMPLETE, 200)
    assert summary.url == "https://api.anthropic.com/v1/messages?beta=true"
    assert (round(summary.first_byte_ms), round(summary.latency_ms), summary.proxy_ms) == (200, 900, None)
    assert store.exchanges.body(summary.id, Side.REQUEST) == BODY
    assert store.exchanges.body(summary.id, Side.RESPONSE) == b'{"type":"message"}'


def test_flows_are_taken_in_once_and_foreign_hosts_left_out(tmp_path, database, redactor):
    path = write_flows(
        tmp_path / "flows", flow(), flow(url="https://example.org/x"), flow(url="https://gateway.local/v1/messages")
    )
    seen = []
    assert import_file(database, path, redactor, on_exchange=lambda: seen.append(1)) == ImportReport(imported=1, foreign=2)
    assert len(seen) == 3
    again = import_file(database, path, redactor, extra_hosts=["gateway.local"])
    assert again == ImportReport(imported=1, already_there=1, foreign=1)


def test_secrets_in_flows_are_replaced_also_inside_compressed_bodies(tmp_path, database, redactor):
    secret = json.dumps({"mcp_servers": [{"authorization_token": "tok-123456"}], "note": KEY}).encode()
    compressed = flow(body=gzip.compress(secret))
    compressed.request.headers["content-encoding"] = "gzip"
    compressed.request.raw_content = gzip.compress(secret)
    failed = flow(url=f"https://api.anthropic.com/v1/messages?key={KEY}", response=None)
    failed.error = tflow.terr(f"refused with {KEY}")
    import_file(database, write_flows(tmp_path / "flows", compressed, failed), redactor)
    text = everything(database)
    assert text.count("REDACTED") >= 5
    for hidden in (KEY, "tok-123456", base64.b64encode(gzip.compress(secret)).decode()[:40]):
        assert hidden not in text
    assert KEY.encode() not in (tmp_path / "assay.db").read_bytes()
    store = Store(database)
    page = {one.state: one for one in store.exchanges.page()}
    assert page[ExchangeState.FAILED].error.startswith("refused with")
    facts = store.exchanges.detail(page[ExchangeState.COMPLETE].id).request_body
    assert (facts.is_redacted, facts.is_decoded) == (True, True)


def test_a_compressed_body_without_secrets_stays_compressed(tmp_path, database, redactor):
    clean = flow()
    clean.request.headers["content-encoding"] = "gzip"
    clean.request.raw_content = gzip.compress(BODY, mtime=0)
    import_file(database, write_flows(tmp_path / "flows", clean), redactor)
    assert Store(database).exchanges.body(1, Side.REQUEST) == gzip.compress(BODY, mtime=0)
    assert Store(database).exchanges.decoded_body(1, Side.REQUEST) == BODY


@pytest.fixture
def exported(tmp_path, redactor):
    """Another database's export, with ratings, in two formats."""
    other = open_database(tmp_path / "other.db")
    known = sample.fill(other)
    Recorder(other).record(None, request_body=factories.body_of(b"\xff\x00\xfe"), state=ExchangeState.INTERRUPTED)
    store = Store(other)
    store.feedback.rate(known.main, 0.8, "good", "ann")
    files = {}
    for export_format in (ExportFormat.JSONL, ExportFormat.HAR):
        files[export_format] = tmp_path / f"export.{export_format}"
        files[export_format].write_text("".join(export(store, Filter(""), export_format)), encoding="utf-8")
    yield store, known, files
    other.close()


def test_our_jsonl_comes_back_byte_for_byte(database, redactor, exported):
    store, known, files = exported
    assert detect_format(files[ExportFormat.JSONL]) is ImportFormat.JSONL
    assert import_file(database, files[ExportFormat.JSONL], redactor) == ImportReport(imported=6, rated=1)
    taken = Store(database)
    for original in store.exchanges.page():
        copy = taken.exchanges.summary(original.exchange_id)
        assert (copy.started_us, copy.url, copy.status_code, copy.error and copy.error.partition(":")[0]) == (
            original.started_us,
            original.url,
            original.status_code,
            original.error and copy.error.partition(":")[0],
        )
        for side in Side:
            assert taken.exchanges.body(copy.id, side) == store.exchanges.body(original.id, side)
        old, new = (one.exchanges.detail(original.exchange_id) for one in (store, taken))
        assert (new.timing, new.request_headers, new.response_headers) == (
            old.timing,
            old.request_headers,
            old.response_headers,
        )
        assert new.request_body.wire_sha256 == old.request_body.wire_sha256 or original.exchange_id == known.running
    rating = taken.feedback.of_exchange(known.main)
    assert (rating.rating, rating.feedback_text, rating.user_id) == (0.8, "good", "ann")
    assert taken.exchanges.summary(known.running).state is ExchangeState.INTERRUPTED
    assert import_file(database, files[ExportFormat.JSONL], redactor) == ImportReport(already_there=6)


def test_a_fingerprint_stays_that_of_the_key_it_stands_for(tmp_path, database, redactor):
    first = open_database(tmp_path / "first.db")
    import_file(first, write_flows(tmp_path / "flows", flow()), Redactor(b"other" * 8))
    path = tmp_path / "first.jsonl"
    path.write_text("".join(export(Store(first), Filter(""), ExportFormat.JSONL)))
    import_file(database, path, redactor)
    assert Store(database).exchanges.detail(1).request_headers == Store(first).exchanges.detail(1).request_headers
    first.close()


def test_har_comes_in_and_ours_keeps_its_ids(database, redactor, exported):
    _, known, files = exported
    assert detect_format(files[ExportFormat.HAR]) is ImportFormat.HAR
    assert import_file(database, files[ExportFormat.HAR], redactor).imported == 6
    taken = Store(database)
    assert taken.exchanges.summary(known.main).status_code == 200
    assert json.loads(taken.exchanges.body(known.main, Side.REQUEST))["model"] == "claude-sonnet-4-5"
    assert taken.exchanges.summary(known.failed).state is ExchangeState.FAILED


def test_har_of_others_is_taken_in_once(tmp_path, database, redactor):
    entry = {
        "startedDateTime": "2026-01-01T00:00:00.5Z",
        "request": {
            "method": "POST",
            "url": "https://api.anthropic.com/v1/messages",
            "headers": [{"name": "x-api-key", "value": KEY}],
            "postData": {"mimeType": "application/json", "text": BODY.decode()},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "content-encoding", "value": "br"}],
            "bodySize": 7,
            "content": {"text": base64.b64encode(b"{}").decode(), "encoding": "base64"},
        },
        "timings": {"blocked": 2, "dns": -1, "connect": 7, "ssl": 5, "send": 1, "wait": 100, "receive": 50},
    }
    path = tmp_path / "other.har"
    path.write_text("\ufeff" + json.dumps({"log": {"version": "1.2", "entries": [entry, entry]}}), encoding="utf-8")
    assert import_file(database, path, redactor).imported == 1
    assert import_file(database, path, redactor) == ImportReport(already_there=2)
    detail = Store(database).exchanges.detail(1)
    assert (detail.response_body.wire_bytes, detail.response_body.is_decoded) == (7, True)
    assert Store(database).exchanges.decoded_body(1, Side.RESPONSE) == b"{}"
    assert (detail.summary.first_byte_ms, detail.summary.latency_ms) == (110, 160)
    assert KEY not in everything(database)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"[1, 2]",
        b'{"log": {}}',
        b'{"log": {"entries": [{}]}}',
        b'{"log": {"entries": [',
        b'{"schema":"context-assay/export","exchanges":[',
        b'{"schema":"context-assay/export"}\n',
        b'{"schema":"context-assay/export","id":"x"}\nrubbish\n',
        b"9999:not a flow",
        b"\x00" * 100,
    ],
)
def test_what_is_no_recording_is_said(tmp_path, database, redactor, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(RecordingUnreadableError):
        import_file(database, path, redactor)


def test_a_missing_file_is_said(tmp_path, database, redactor):
    with pytest.raises(RecordingUnreadableError, match="cannot be read"):
        import_file(database, tmp_path / "nosuch", redactor)


def test_what_came_before_the_damage_is_in(tmp_path, database, redactor):
    path = write_flows(tmp_path / "flows", *(flow(id=str(number)) for number in range(60)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordingUnreadableError, match="damaged"):
        import_file(database, path, redactor)
    assert Store(database).exchanges.count() == 50


def test_stable_ids_are_ids_and_sort_by_time():
    first, second = stable_id(1_767_225_600_000_000, "a"), stable_id(1_767_225_600_000_900, "a")
    assert first < second
    assert first == stable_id(1_767_225_600_000_000, "a") != stable_id(1_767_225_600_000_000, "b")
    assert (len(first), first[12], first[16] in "89ab") == (32, "7", True)


def har_entry(text, **more):
    return {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {"method": "POST", "url": "https://api.anthropic.com/v1/messages", "postData": {"text": text}},
        "response": {"status": 200, "content": {"text": "{}"}},
        **more,
    }


def test_a_har_is_read_an_entry_at_a_time(tmp_path, redactor):
    from storage.importing.har import read_har

    path = tmp_path / "large.har"
    with path.open("w") as file:
        file.write('{"log": {"version": "1.2", "pages": [{"id": "1"}], "entries": [')
        for number in range(60):
            file.write(f"{',' if number else ''}{json.dumps(har_entry(f'{number}' * 100_000))}")
        file.write('], "comment": "end"}}')
    assert path.stat().st_size > 10_000_000
    tracemalloc.start()
    count = sum(1 for _ in read_har(path, redactor))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 60
    assert peak < 4_000_000


def test_what_came_before_the_damage_of_a_har_is_in(tmp_path, database, redactor):
    path = tmp_path / "cut.har"
    entries = [har_entry(str(number)) for number in range(60)]
    path.write_text(json.dumps({"log": {"entries": entries}})[:-200])
    with pytest.raises(RecordingUnreadableError, match=r"is damaged after entry 58"):
        import_file(database, path, redactor)
    assert Store(database).exchanges.count() == 50


@pytest.mark.parametrize("name", ["large.har", "large.jsonl", "large.flows"])
def test_what_is_too_large_to_be_held_is_said(tmp_path, database, redactor, monkeypatch, name):
    for module in ("har", "lines", "recordings"):
        monkeypatch.setattr(f"storage.importing.{module}.LARGEST_BYTES", 2**20)
    path = tmp_path / name
    if name == "large.har":
        path.write_text(json.dumps({"log": {"entries": [har_entry("x" * 2_200_000)]}}))
    elif name == "large.jsonl":
        path.write_text(json.dumps({"schema": "context-assay/export", "id": "x" * 2_200_000}))
    else:
        path.write_bytes(b"2200000:" + b"x" * 2_200_000 + b",")
    with pytest.raises(RecordingUnreadableError, match="larger than 1 MiB"):
        import_file(database, path, redactor)


def test_large_exchanges_are_stored_in_small_groups(tmp_path, database, redactor, monkeypatch):
    monkeypatch.setattr("storage.importing.importing._GROUP_BYTES", 1000)
    sizes = []
    take = importing._Import.take
    monkeypatch.setattr(importing._Import, "take", lambda run, group: (sizes.append(len(group)), take(run, group))[1])
    path = tmp_path / "some.har"
    entries = [har_entry(f"{number}" * length) for number, length in enumerate((600, 600, 2000, 1, 1))]
    path.write_text(json.dumps({"log": {"entries": entries}}))
    assert import_file(database, path, redactor).imported == 5
    assert sizes == [2, 1, 2]
