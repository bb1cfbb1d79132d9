"""A small database of every kind of exchange, for the tests of what reads it."""

from dataclasses import dataclass, replace

from proxy_core.attribution.model import (
    Attribution,
    ContentKind,
    Grade,
    LedgerLine,
    Part,
    Region,
    RequestClass,
    Segment,
    Source,
    SourceType,
    Zone,
)
from proxy_core.exchange import CapturedResponse, ExchangeState, Timing
from storage.database import Database
from tests import factories
from tests.recorder import Recorder

HOUR_US = 3_600_000_000
START_US = factories.START_US
SECRET = "sk-ant-api03-never-to-be-seen-anywhere"
CONTEXT7 = Source(SourceType.MCP_SERVER, "context7")
GITHUB = Source(SourceType.MCP_SERVER, "github")
FRAMEWORK = Source(SourceType.FRAMEWORK)
USER = Source(SourceType.USER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The ids of what is in it, oldest first, an hour apart."""

    main: str
    """Opus, context7, all zones, session one."""
    subagent: str
    """Sonnet, github, session one, agent a1 of type Explore."""
    failed: str
    """Never answered, not analysed."""
    refused: str
    """529, session two; analysed, an estimate, no price."""
    running: str
    """Open."""


def line(source: Source, tokens: int, zone: Zone = Zone.FRESH, index: int | None = None, cost: int | None = None) -> LedgerLine:
    """A ledger line."""
    part = Part.OUTPUT if zone is Zone.OUTPUT else Part.DEFINITION
    return factories.ledger_line(
        source=source,
        part=part,
        segment_index=index,
        zone=zone,
        tokens=tokens,
        estimated_tokens=tokens,
        grade=Grade.BOUNDED,
        cost_nano_usd=tokens * 1000 if cost is None else cost,
    )


def segment(text: str, source: Source, region: Region = Region.SYSTEM) -> Segment:
    """A segment."""
    return factories.segment(
        text,
        source=source,
        region=region,
        part=Part.DEFINITION,
        pointer="/system/0/text",
        role=None,
        message_index=None,
        content_kind=ContentKind.TEXT,
    )


def main_attribution() -> Attribution:
    """150 tokens of three sources in four zones, 30 of output, 0.00033 dollars."""
    return Attribution(
        version=1,
        facts=factories.call_facts(
            model="claude-opus-4-5",
            session_id="session-one",
            prompt_id="p1",
            title="Why does the build fail?",
            message_id="msg_1",
        ),
        segments=(segment("You are a careful engineer.", FRAMEWORK), segment("context7 tools", CONTEXT7), factories.segment()),
        ledger=factories.ledger(
            lines=(
                line(FRAMEWORK, 60, Zone.CACHE_READ, 0),
                line(CONTEXT7, 30, Zone.CACHE_READ, 1),
                line(CONTEXT7, 20, Zone.CACHE_WRITE_5M, 1),
                line(USER, 30, Zone.FRESH, 2),
                line(Source(SourceType.OVERHEAD, "tool use"), 10, Zone.FRESH),
                line(Source(SourceType.ASSISTANT), 30, Zone.OUTPUT, cost=180_000),
            ),
            usage=factories.usage(
                input_tokens=40, cache_read_tokens=90, cache_write_5m_tokens=20, cache_write_1h_tokens=0, output_tokens=30
            ),
            total_input_tokens=150,
            output_tokens=30,
            cost_nano_usd=330_000,
        ),
    )


def subagent_attribution() -> Attribution:
    """40 tokens of github, 5 of output."""
    return Attribution(
        version=1,
        facts=factories.call_facts(
            model="claude-sonnet-4-5",
            session_id="session-one",
            request_class=RequestClass.SUBAGENT,
            agent_id="a1",
            agent_type="Explore",
            title=None,
        ),
        segments=(segment("github tools", GITHUB),),
        ledger=factories.ledger(
            lines=(line(GITHUB, 40, Zone.FRESH, 0), line(Source(SourceType.ASSISTANT), 5, Zone.OUTPUT)),
            usage=factories.usage(input_tokens=40, output_tokens=5),
            total_input_tokens=40,
            output_tokens=5,
            cost_nano_usd=45_000,
        ),
    )


def refused_attribution() -> Attribution:
    """An estimate of 20 tokens of context7 that nobody was billed for."""
    return Attribution(
        version=1,
        facts=factories.call_facts(
            model="claude-opus-4-5", session_id="session-two", error_type="overloaded_error", error_message="Overloaded"
        ),
        segments=(segment("context7 tools", CONTEXT7),),
        ledger=factories.ledger(
            lines=(replace(line(CONTEXT7, 20, Zone.FRESH, 0), cost_nano_usd=None),),
            usage=factories.usage(input_tokens=None, cache_read_tokens=None, cache_write_5m_tokens=None, output_tokens=None),
            is_settled=False,
            total_input_tokens=20,
            output_tokens=None,
            cost_nano_usd=None,
        ),
    )


def fill(database: Database) -> Sample:
    """Put one exchange of every kind into a database."""
    recorder = Recorder(database)
    main = recorder.record(main_attribution(), timing=factories.timing(START_US))
    subagent = recorder.record(subagent_attribution(), timing=factories.timing(START_US + HOUR_US))
    failed = recorder.record(
        None,
        timing=Timing(client_started_us=START_US + 2 * HOUR_US, proxy_received_us=START_US + 2 * HOUR_US + 500),
        state=ExchangeState.FAILED,
        response=None,
        response_body=None,
        error="connection refused",
    )
    refused = recorder.record(
        refused_attribution(),
        timing=factories.timing(START_US + 3 * HOUR_US),
        response=CapturedResponse(
            status_code=529, reason="", http_version="HTTP/2.0", headers=(("content-type", "application/json"),)
        ),
        response_body=factories.body_of({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    )
    running = factories.exchange_started(
        timing=Timing(client_started_us=START_US + 4 * HOUR_US, proxy_received_us=START_US + 4 * HOUR_US + 500)
    )
    recorder.store(running)
    return Sample(main=main, subagent=subagent, failed=failed, refused=refused, running=running.exchange_id)
