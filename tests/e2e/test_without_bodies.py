"""`--no-bodies`: nothing of what was said is on disk; everything still answers and says what is missing."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import LargeBinary, select

from storage import models
from storage.api.server import ApiThread
from storage.api.settings import ApiSettings
from storage.body_free import open_body_free_analyst
from storage.compression import unpack
from storage.database import Database, open_database
from storage.ingest import find_rows
from storage.store import Store
from tests import factories
from tests.recorder import Recorder
from tests.storage.insights.planted import HEADERS, PlantedSession, tool
from tests.tui.dashboard_rig import press, running, screen_text, settle
from tui.cli.main import cli

WORD = "zanzibar-marmalade"
TOKEN = "token-of-the-tests-0123456789"


@pytest.fixture(scope="module")
def database_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A conversation that says the planted word everywhere, recorded without bodies."""
    path = tmp_path_factory.mktemp("body-free") / "assay.db"
    session = PlantedSession()
    session.tools.append(tool("mcp__context7__docs", f"Looks {WORD} up. " * 100))
    session.files["/work/app/CLAUDE.md"] += f"Mind the {WORD}. " * 30
    session.ask(f"Look for {WORD}.", answer=f"I looked for {WORD}.", calls=("Read",))
    session.give({"Read": f"{WORD} and more. " * 200}, answer=f"It says {WORD}.")
    session.files["/work/app/CLAUDE.md"] += WORD
    session.ask(f"Tell me about {WORD}.", answer=f"There is no {WORD}.")
    database = open_database(path)
    recorder = Recorder(database)
    analyst = open_body_free_analyst(database, None)
    for turn, (body, response) in zip(session.turns, session.bodies, strict=True):
        event = factories.exchange_finished(
            exchange_id=turn.exchange_id,
            request=factories.captured_request((*HEADERS, ("content-type", "application/json"))),
            request_body=factories.body_of(body),
            response_body=factories.body_of(response),
            timing=factories.timing(turn.started_us),
        )
        recorder.store(event)
        with database.read() as connection:
            row_id = find_rows(connection, [event.exchange_id])[event.exchange_id]
        assert analyst.analyse(row_id, has_ended=True)
    analyst.close()
    database.close()
    return path


@pytest.fixture
def database(database_path: Path) -> Iterator[Database]:
    opened = open_database(database_path)
    yield opened
    opened.close()


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--database", str(path)], prog_name="assay")


def test_no_file_holds_the_word(database_path: Path) -> None:
    for path in database_path.parent.iterdir():
        assert WORD.encode() not in path.read_bytes(), path


def test_nothing_that_is_compressed_holds_the_word(database: Database) -> None:
    looked_at = 0
    with database.read() as connection:
        for table in models.Row.metadata.tables.values():
            blobs = [column for column in table.columns if isinstance(column.type, LargeBinary)]
            for row in connection.execute(select(*blobs)) if blobs else ():
                for value in row:
                    looked_at += value is not None
                    assert WORD.encode() not in _unpacked(value or b"")
    assert looked_at


def _unpacked(value: bytes) -> bytes:
    try:
        return unpack(value)
    except Exception:  # noqa: BLE001 - most columns are no compressed bytes at all
        return value


def test_what_was_paid_for_what_is_still_known(database: Database) -> None:
    store = Store(database)
    summaries = store.exchanges.page()
    assert len(summaries) == 3
    for summary in summaries:
        detail = store.exchanges.detail(summary.id)
        assert detail is not None
        assert detail.ledger is not None
        assert detail.ledger.is_settled
        assert sum(line.tokens for line in detail.ledger.lines if line.zone.value != "output") == summary.input_tokens
        assert {segment.text for segment in detail.segments} == {""}
        assert summary.title is None
    assert any(source.source_name == "context7" for source in store.sources.metrics())


def test_insights_name_the_idle_server_and_the_edited_file(database_path: Path) -> None:
    result = run(database_path, "insights")
    assert result.exit_code == 0
    assert "McpServer context7: definition carried in 3 requests, never used" in result.output
    assert "Memory /work/app/CLAUDE.md edited mid-conversation" in result.output
    assert "3 of them without text" in result.output
    assert json.loads(run(database_path, "insights", "--json").output)["textless_requests"] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("insights",),
        ("insights", "--json"),
        ("what-if", "--without", "mcp:context7"),
        ("report", "--format", "html"),
        ("report", "--format", "md"),
        ("report", "--format", "json"),
        ("check", "--max-cost", "100"),
        ("reconcile",),
        ("sources",),
        ("sessions",),
        ("show", factories.exchange_id(1)),
        ("export",),
        ("export", "--format", "jsonl"),
        ("export", "--format", "har"),
        ("export", "--format", "csv"),
        ("verify",),
    ],
    ids=" ".join,
)
def test_every_command_still_answers(database_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(database_path, *arguments)
    assert result.exit_code == 0, result.output
    assert result.output.strip()
    assert WORD not in result.output


def test_analysing_again_is_refused_politely(database_path: Path) -> None:
    result = run(database_path, "reanalyze", "--force")
    assert result.exit_code == 0
    assert "3 exchanges have no text any more" in result.output
    assert "analysed 0" in result.output
    assert run(database_path, "insights").output.count("context7")


def test_every_route_still_answers(database: Database) -> None:
    store = Store(database)
    thread = ApiThread(store, ApiSettings(token=TOKEN, port=0), None)
    thread.start()
    try:
        with httpx.Client(
            base_url=thread.url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
        ) as client:
            document = client.get("/openapi.json").json()
            exchange_id = store.exchanges.page()[0].exchange_id
            for path, methods in document["paths"].items():
                if "get" in methods and "event" not in path:
                    _check_route(client, path, exchange_id)
    finally:
        thread.stop()


def _check_route(client: httpx.Client, path: str, exchange_id: str) -> None:
    known = {"request_id": exchange_id, "exchange_id": exchange_id, "session_id": "planted", "side": "request"}
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    if not set(names) <= set(known):
        return
    filled = path.format(**{name: known[name] for name in names})
    query = {"without": "mcp:context7"} if path.endswith("what-if") else {}
    response = client.get(filled, params=query)
    assert response.status_code < 500, (path, response.text)
    assert WORD not in response.text, path


async def test_every_screen_still_shows_and_says_what_is_missing(database: Database) -> None:
    async with running(Store(database)) as pilot:
        await press(pilot, "G")
        seen = []
        for key in ("d", "]", "]", "]", "]", "]", "]", "]", "enter", "s", "a", "c", "i"):
            await press(pilot, key)
            await settle(pilot)
            seen.append(screen_text(pilot))
        assert WORD not in "".join(seen)
        assert any("Texts were not kept" in text for text in seen)
        assert any("The answer was not kept" in text for text in seen)
        for _ in range(6):
            await press(pilot, "w")
            await settle(pilot)
            seen.append(screen_text(pilot))
        assert "without text" in "".join(seen)
