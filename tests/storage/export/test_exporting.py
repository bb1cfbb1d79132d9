"""Every format: complete, valid by its own rules, filtered, and written piece by piece."""

import base64
import csv
import io
import json
import tracemalloc
from pathlib import Path

import jsonschema
import pytest

from proxy_core.attribution.model import SourceType
from storage.export.exporting import count_exported, export
from storage.export.options import ExportFormat, ExportOptions
from storage.export.table import COLUMNS
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.models import AttributionRow
from tests import factories, sample
from tests.recorder import Recorder

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "export.schema.json").read_text(encoding="utf-8"))


def written(store, export_format, line="", **options):
    wanted = parse(line)
    assert isinstance(wanted, Filter)
    return "".join(export(store, wanted, ExportFormat(export_format), ExportOptions(generator="assay 1.2.3", **options)))


def strict(schema):
    """The schema, but without room for fields that it does not name."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(part) for name, part in schema.items()}
    if closed.get("type") == "object" and "properties" in closed:
        closed["additionalProperties"] = False
    return closed


@pytest.mark.parametrize("options", [{}, {"has_bodies": True}, {"has_texts": False}])
def test_json_is_what_the_schema_says(store, options):
    document = json.loads(written(store, "json", **options))
    jsonschema.Draft202012Validator(strict(SCHEMA), format_checker=jsonschema.FormatChecker()).validate(document)
    assert document["generator"] == "assay 1.2.3"
    assert len(document["exchanges"]) == 5


def test_json_holds_what_is_known(store, known):
    document = json.loads(written(store, "json", "session:session-one"))
    assert document["filter"] == "session:session-one"
    assert [one["id"] for one in document["exchanges"]] == [known.main, known.subagent]
    main = document["exchanges"][0]
    assert sum(source["tokens"] for source in main["sources"]) == main["tokens"]["input"] == 150
    assert main["sources"][0] == {
        "source_type": "Framework",
        "source_name": None,
        "tokens": 60,
        "cost_usd": 0.00006,
        "zones": {"cache_read": 60},
        "grade": "bounded",
    }
    assert main["sources"][1]["zones"] == {"cache_read": 30, "cache_write_5m": 20}
    assert main["segments"][0]["text"] == "You are a careful engineer."
    assert [segment["source_name"] for segment in main["segments"]] == [None, "context7", None]
    assert [line["part"] for line in main["overheads"]] == ["definition", "output"]
    assert main["feedback"]["rating"] == 0.8
    assert main["request"]["body"]["text"] is None
    assert document["totals"] == {
        "exchanges": 2,
        "input_tokens": 190,
        "output_tokens": 35,
        "cost_usd": 0.000375,
        "unpriced_exchanges": 0,
    }
    assert document["sources"][1] == {
        "source_type": "McpServer",
        "source_name": "context7",
        "exchanges": 1,
        "tokens": 50,
        "cost_usd": 0.00005,
    }


def test_json_of_nothing_is_a_document_too(store):
    document = json.loads(written(store, "json", "source:nosuch"))
    jsonschema.validate(document, SCHEMA)
    assert (document["exchanges"], document["sources"], document["totals"]["cost_usd"]) == ([], [], None)


def test_without_texts_only_their_sizes_are_written(store):
    assert "You are a careful engineer." in written(store, "json")
    assert "You are a careful engineer." not in written(store, "json", has_texts=False)


def test_jsonl_is_one_exchange_a_line_with_its_bodies(store, known):
    lines = [json.loads(line) for line in written(store, "jsonl").splitlines()]
    assert [line["id"] for line in lines] == [known.main, known.subagent, known.failed, known.refused, known.running]
    assert all((line["schema"], line["schema_version"]) == ("context-assay/export", 1) for line in lines)
    assert json.loads(lines[0]["request"]["body"]["text"])["model"] == "claude-sonnet-4-5"
    assert lines[2]["response"] is None


def test_bytes_that_are_no_text_are_base64(database, store):
    exchange = Recorder(database).record(None, request_body=factories.body_of(b"\xff\x00"))
    line = json.loads(written(store, "jsonl", f"id:{exchange}"))
    assert base64.b64decode(line["request"]["body"]["base64"]) == b"\xff\x00"
    entry = json.loads(written(store, "har", f"id:{exchange}"))["log"]["entries"][0]
    assert base64.b64decode(entry["request"]["postData"]["text"]) == b"\xff\x00"


def test_half_characters_do_not_end_an_export(database, store):
    text = 'a\ud800"'
    body = b'{"messages":[{"role":"user","content":"a\\ud800\\""}]}'
    segment = factories.segment(text, pointer="/messages/0/content")
    attribution = sample.main_attribution()
    changed = type(attribution)(
        version=1,
        facts=attribution.facts,
        segments=(segment,),
        ledger=factories.ledger(),
    )
    exchange = Recorder(database).record(None, request_body=factories.body_of(body))
    Recorder(database).analyse(exchange, changed)
    for export_format in ExportFormat:
        written(store, export_format, f"id:{exchange}").encode()


def test_the_spans_of_har_follow_each_other(database, store):
    timing = factories.timing(upstream_connect_us=400)
    exchange = Recorder(database).record(None, timing=timing)
    entry = json.loads(written(store, "har", f"id:{exchange}"))["log"]["entries"][0]
    spans = entry["timings"]
    assert spans["connect"] == 0.4
    assert spans["connect"] + spans["send"] == (timing.proxy_forwarded_us - timing.client_started_us) / 1000
    assert entry["time"] == pytest.approx((timing.last_byte_us - timing.client_started_us) / 1000)
    reused = Recorder(database).record(None, timing=factories.timing(upstream_connect_us=0))
    assert json.loads(written(store, "har", f"id:{reused}"))["log"]["entries"][0]["timings"]["connect"] == -1


def test_har_is_what_its_readers_want(store, known):
    log = json.loads(written(store, "har"))["log"]
    assert (log["version"], log["creator"]) == ("1.2", {"name": "assay", "version": "1.2.3"})
    assert len(log["entries"]) == 5
    entry = log["entries"][0]
    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
    assert entry["time"] == sum(span for span in entry["timings"].values() if span > 0) == 900
    assert entry["request"]["queryString"] == [{"name": "beta", "value": "true"}]
    assert json.loads(entry["response"]["content"]["text"])["type"] == "message"
    assert (entry["_id"], entry["_cost_usd"]) == (known.main, 0.00033)
    assert log["entries"][2]["response"]["status"] == 0
    assert "text" not in json.loads(written(store, "har", has_bodies=False))["log"]["entries"][0]["response"]["content"]


def test_csv_is_one_line_for_each_exchange(store, known):
    rows = list(csv.DictReader(io.StringIO(written(store, "csv"))))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["id"] for row in rows] == [known.main, known.subagent, known.failed, known.refused, known.running]
    assert (rows[0]["cost_usd"], rows[0]["rating"], rows[0]["is_estimate"]) == ("0.00033", "0.8", "false")
    assert rows[0]["tokens_by_kind"] == "Framework=60 McpServer=50 User=30 Overhead=10"
    assert (rows[2]["cost_usd"], rows[2]["status_code"]) == ("", "")


def test_csv_holds_no_formulas(database, store):
    attribution = sample.main_attribution()
    facts = factories.call_facts(title='=cmd|" /C calc"!A0', session_id="formulas")
    changed = type(attribution)(version=1, facts=facts, segments=attribution.segments, ledger=attribution.ledger)
    Recorder(database).record(changed)
    row = next(csv.DictReader(io.StringIO(written(store, "csv", "session:formulas"))))
    assert row["title"].startswith("'=")


def attributes(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_spans_follow_the_conventions(store, known):
    batch = json.loads(written(store, "otlp-json"))
    scope = batch["resourceSpans"][0]["scopeSpans"][0]
    spans = {attributes(span)["assay.exchange.id"]: span for span in scope["spans"]}
    main = attributes(spans[known.main])
    assert spans[known.main]["name"] == "chat claude-opus-4-5"
    assert (main["gen_ai.usage.input_tokens"], main["gen_ai.usage.output_tokens"]) == ("150", "30")
    assert (main["gen_ai.usage.cache_read.input_tokens"], main["gen_ai.usage.cache_creation.input_tokens"]) == ("90", "20")
    assert (main["gen_ai.provider.name"], main["gen_ai.operation.name"]) == ("anthropic", "chat")
    assert main["gen_ai.response.id"] == "msg_1"
    assert spans[known.main]["traceId"] == spans[known.subagent]["traceId"] != spans[known.failed]["traceId"]
    assert len({span["spanId"] for span in scope["spans"]}) == 5
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in scope["spans"])
    assert attributes(spans[known.refused])["error.type"] == "overloaded_error"
    assert spans[known.failed]["status"]["code"] == 2
    assert attributes(spans[known.failed])["error.type"] == "failed"
    assert "gen_ai.operation.name" not in attributes(spans[known.failed])
    assert "Why does the build fail" not in json.dumps(batch)


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_progress_is_told_for_each_exchange(store, export_format):
    seen = []
    written(store, export_format, on_exchange=lambda: seen.append(1))
    assert len(seen) == count_exported(store, Filter("")) == 5


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_what_arrives_meanwhile_is_left_out_and_pages_are_joined(database, store, export_format, monkeypatch):
    monkeypatch.setattr("storage.export.selection._PAGE", 2)
    pieces = export(store, Filter(""), export_format)
    first = next(pieces)
    seen = []
    Recorder(database).record(sample.main_attribution())
    rest = "".join(pieces)
    assert len(store.exchanges.page()) == 6
    written(store, export_format, on_exchange=lambda: seen.append(1))
    assert len(seen) == 6
    if export_format is ExportFormat.JSONL:
        assert (first + rest).count("\n") == 5


def test_memory_does_not_grow_with_the_number_of_exchanges(database, store):
    recorder = Recorder(database)
    for _ in range(60):
        recorder.record(sample.subagent_attribution(), request_body=factories.body_of({"text": "x" * 20_000}))
    peaks = []
    for line in ("id:0000000", "model:sonnet"):
        tracemalloc.start()
        for _ in export(store, parse(line), ExportFormat.JSONL):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[-1] < 3_000_000


@pytest.mark.parametrize("kind", list(SourceType))
def test_the_schema_knows_every_kind_of_source(kind):
    assert kind.value in SCHEMA["$defs"]["source"]["properties"]["source_type"]["enum"]


def test_a_damaged_attribution_does_not_end_an_export_of_spans(store, known, database):
    rows = AttributionRow.__table__
    with database.write() as connection:
        connection.execute(rows.update().where(rows.c.id == 1).values(packed=b"damaged"))
    spans = json.loads(written(store, "otlp-json"))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert len(spans) == 5
    keys = [{attribute["key"] for attribute in span["attributes"]} for span in spans]
    assert ["gen_ai.response.id" in names for names in keys[:1]] == [False]
    assert "gen_ai.usage.input_tokens" in keys[0]


def test_spans_end_with_the_last_byte(store):
    spans = json.loads(written(store, "otlp-json"))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    lengths = [(int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e6 for span in spans]
    assert lengths == [900.3, 900.3, 0, 900.3, 0]
