"""What is read from the store is what was analysed: order, links, texts, calls of last answers, ratings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_core.attribution.cache_breaks import BreakCause
from proxy_core.attribution.model import Source, SourceType
from storage.database import Database, open_database
from storage.errors import BodyCorruptError
from storage.insights import reading
from storage.insights.objects import insights_object
from storage.insights.reading import InsightReader
from storage.ranges import TimeRange
from storage.store import Store
from tests.recorder import Recorder, attribution
from tests.storage.insights.planted import PlantedSession, record, tool


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "assay.db")
    yield opened
    opened.close()


@pytest.fixture
def session(database: Database) -> PlantedSession:
    made = PlantedSession()
    made.tools.append(tool("mcp__context7__docs", "Looks a library up. " * 100))
    made.ask("Look.")
    made.files["/work/app/CLAUDE.md"] += "Changed."
    made.ask("Go on.", calls=("Read",))
    record(made, database)
    return made


def test_turns_come_in_order_with_their_links_and_texts(database: Database, session: PlantedSession) -> None:
    turns = InsightReader(database).turns()
    assert [turn.exchange_id for turn in turns] == [turn.exchange_id for turn in session.turns]
    assert turns[1].previous_id == turns[0].id
    assert turns[0].attribution.segments == session.turns[0].attribution.segments
    assert turns[0].attribution.ledger == session.turns[0].attribution.ledger


def test_only_the_last_answer_is_asked_for_its_calls(database: Database, session: PlantedSession) -> None:
    assert [turn.called_tools for turn in InsightReader(database).turns()] == [frozenset(), frozenset({"Read"})]


def test_texts_can_be_left_out(database: Database, session: PlantedSession) -> None:
    turns = InsightReader(database).turns(has_texts=False)
    assert {segment.text for turn in turns for segment in turn.attribution.segments} == {""}


def test_range_session_and_limit_narrow(database: Database, session: PlantedSession) -> None:
    reader = InsightReader(database)
    assert len(reader.turns(TimeRange(since_us=session.turns[1].started_us))) == 1
    assert reader.turns(session_id="nobody") == []
    assert [turn.exchange_id for turn in reader.turns(limit=1)] == [session.turns[1].exchange_id]


def test_insights_of_what_was_stored(database: Database, session: PlantedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(database).feedback.rate(session.turns[0].exchange_id, 1.0)
    found = InsightReader(database).insights()
    assert [story.cause for story in found.breaks] == [BreakCause.EDITED]
    assert Source(SourceType.MCP_SERVER, "context7") in {finding.source for finding in found.findings}
    assert {worth.votes for worth in found.worths} == {1}
    assert not found.is_cut
    assert found.waste.cost_nano_usd
    assert insights_object(found)["cache_breaks"][0]["source_name"] == "/work/app/CLAUDE.md"
    monkeypatch.setattr(reading, "TURNS_LOOKED_AT", 1)
    cut = InsightReader(database).insights()
    assert (cut.is_cut, cut.requests) == (True, 1)


def test_what_is_not_billed_or_not_a_prompt_is_left_out(database: Database) -> None:
    recorder = Recorder(database)
    recorder.record(None)
    recorder.record(attribution(ledger=None))
    assert InsightReader(database).turns() == []


def test_a_damaged_attribution_is_left_out(
    database: Database, session: PlantedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise BodyCorruptError("damaged")

    monkeypatch.setattr(reading.stored_attributions, "load_knowing", damaged)
    assert InsightReader(database).turns() == []


def test_heads_are_read_for_the_allowance(database: Database, session: PlantedSession) -> None:
    reader = InsightReader(database)
    assert [dict(headers)["request-id"] for _, headers in reader.response_headers(reader.turns())] == ["req_0001"] * 2
    assert reader.counted_prompts() == []


def test_what_a_segment_cost_since_it_came(database: Database, session: PlantedSession) -> None:
    reader = InsightReader(database)
    last = reader.turns()[-1]
    segments = last.attribution.segments
    tool = next(i for i, s in enumerate(segments) if s.source == Source(SourceType.TOOL, "Read"))
    carry = reader.carry_of(last.id, tool)
    assert carry is not None
    assert (carry.turns_carried, carry.entered_exchange_id) == (2, session.turns[0].exchange_id)
    mine = [line for line in session.turns[1].input_lines if line.segment_index == tool]
    assert carry.carried.tokens == sum(line.tokens for line in mine)
    newest = next(i for i, s in enumerate(segments) if s.text == "Go on.")
    entered = reader.carry_of(last.id, newest)
    assert entered is not None
    assert entered.turns_carried == 1
    assert reader.carry_of(999, 0) is None
