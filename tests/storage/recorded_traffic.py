"""Stored exchanges for tests: a growing conversation, saved and analysed."""

import json
from dataclasses import replace
from typing import Any

from proxy_core.attribution.analysis import analyse
from proxy_core.attribution.prices import load_price_book
from proxy_core.attribution.tokens.service import lengths_only
from proxy_core.exchange import CaptureEvent, ExchangeFinished
from storage.analysing import Analyse, Analyst
from storage.analysis_context import DatabaseContext
from storage.batches import batches
from storage.database import Database
from storage.ingest import Ingest
from tests import factories

SECOND_US = 1_000_000
WORDS = "the parser reads a line and the ledger adds up what every source of the request has cost so far"


def conversation(
    turns: int, *, session: str = "8f1d2c3b-0000-4000-8000-000000000001", first: int = 1
) -> list[ExchangeFinished]:
    """A client's conversation: each turn sends the whole history again, the cache marks move along."""
    system = [{"type": "text", "text": f"You are careful. {WORDS * 20}", "cache_control": {"type": "ephemeral"}}]
    tools = [{"name": f"Tool{n}", "description": f"{n} {WORDS}", "input_schema": {"type": "object"}} for n in range(5)]
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": f"Please fix {session}"}]}]
    events = []
    cached = 0
    for turn in range(turns):
        marked = json.loads(json.dumps(messages))
        marked[-1]["content"][-1]["cache_control"] = {"type": "ephemeral"}
        body = {
            "model": "claude-sonnet-4-5",
            "system": system,
            "tools": tools,
            "messages": marked,
            "metadata": {"user_id": json.dumps({"session_id": session})},
        }
        total = len(json.dumps(body)) // 4
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": total - cached - 4,
            "cache_read_input_tokens": cached,
            "output_tokens": 40,
        }
        answer = {"type": "tool_use", "id": f"toolu_{turn}", "name": "Tool1", "input": {"line": turn}}
        response = factories.response_json(content=[{"type": "text", "text": f"Answer {turn}"}, answer], usage=usage)
        events.append(
            factories.exchange_finished(
                exchange_id=factories.exchange_id(first + turn),
                request_body=factories.body_of(body),
                response_body=factories.body_of(response),
                timing=factories.timing(factories.START_US + (first + turn) * 40 * SECOND_US),
            )
        )
        cached = total - 4
        result = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": f"line {turn}: {WORDS}"}
        messages.append({"role": "assistant", "content": response["content"]})
        messages.append({"role": "user", "content": [result]})
    return events


def store(database: Database, *events: CaptureEvent, owner: str = "test", ingest: Ingest | None = None) -> Ingest:
    """Write events as the writer does."""
    ingest = ingest or Ingest(owner)
    for batch in batches(events):
        with database.write() as connection:
            ingest.store(connection, batch)
        ingest.settle(batch)
    return ingest


def analyst(database: Database, work: Analyse = analyse) -> Analyst:
    """The real analysis, counting by length alone."""
    return Analyst(database, DatabaseContext(database, prices=load_price_book(None), counting=lengths_only()), work)


def store_and_analyse(database: Database, *events: ExchangeFinished) -> Analyst:
    """Write exchanges and analyse them, in order of arrival."""
    from sqlalchemy import select

    from storage.models import ExchangeRow

    store(database, *events)
    worker = analyst(database)
    rows = ExchangeRow.__table__
    with database.read() as connection:
        pending = connection.execute(select(rows.c.id).where(rows.c.is_pending).order_by(rows.c.id)).scalars().all()
    for row_id in pending:
        worker.analyse(row_id, has_ended=True)
        assert worker.error is None
    return worker


def other_figures(work: Analyse = analyse) -> Analyse:
    """An analysis that comes to other figures than the real one."""

    def other(recorded: Any, context: Any, **named: Any) -> Any:
        found = work(recorded, context, **named)
        if found.ledger is None or found.ledger.cost_nano_usd is None:
            return found
        lines = tuple(replace(line, cost_nano_usd=(line.cost_nano_usd or 0) * 2) for line in found.ledger.lines)
        ledger = replace(found.ledger, lines=lines, cost_nano_usd=found.ledger.cost_nano_usd * 2)
        return replace(found, ledger=ledger, facts=replace(found.facts, title="another title"))

    return other
