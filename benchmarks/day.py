"""One day of someone's work with Claude, made up: sessions of projects, several clients and models, errors, sub-agents.

Its shape is what captures of real clients show: about fifty sources in a request of the main conversation, thirty in a
sub-agent's, ten in small calls; few sources are in everything, many in little. No text of it is anyone's.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from proxy_core.attribution.model import Attribution, LedgerLine, RequestClass, Source, SourceType, Zone
from proxy_core.exchange import ExchangeFinished, ExchangeState, Timing
from storage.texts import Texts
from tests import factories

DAY_US: Final = 86_400_000_000
_SECOND_US = 1_000_000
_TURNS = 40
"""Requests of a session, on average."""
_MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-sonnet-4-5", "claude-opus-4-1")
_MODEL_WEIGHTS = (30, 50, 14, 5, 1)
_CLIENTS = (("claude-code", "2.1.330"), ("claude-code", "2.0.76"), ("claude-agent-sdk-py", "0.3.1"), ("opencode", "1.4.2"))
_CLIENT_WEIGHTS = (70, 15, 10, 5)
_ERRORS = ((529, "overloaded_error", "Overloaded"), (429, "rate_limit_error", "Slow down"), (400, "invalid_request_error", ""))
_SHARED = tuple(
    [Source(SourceType.FRAMEWORK, f"part {number}") for number in range(15)]
    + [Source(SourceType.TOOL, f"Tool{number}") for number in range(16)]
    + [Source(SourceType.AGENT, f"agent-{number}") for number in range(4)]
    + [Source(SourceType.MEMORY, f"~/.claude/rules-{number}.md") for number in range(2)]
    + [Source(SourceType.HOOK, "SessionStart"), Source(SourceType.USER), Source(SourceType.OVERHEAD)]
)
_SERVERS = ("context7", "github", "postgres", "sentry", "notes", "linear", "figma", "slack", "jira", "grafana", "stripe", "s3")
VOCABULARY: Final = tuple(hashlib.blake2b(str(number).encode(), digest_size=4).hexdigest() for number in range(20_000))
"""Made-up words, the most frequent first."""
_WORD_WEIGHTS = tuple(accumulate(1 / (rank + 3) for rank in range(len(VOCABULARY))))


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange, as the writer and the analysis would hand it to the store."""

    event: ExchangeFinished
    attribution: Attribution
    texts: Texts
    rating: float | None
    """`None`: nobody rated it."""


@dataclass(frozen=True, slots=True)
class _Project:
    sources: tuple[Source, ...]
    files: tuple[Source, ...]


def make_day(count: int, start_us: int) -> list[Recorded]:
    """Return so many exchanges of the day that starts then, in the order of their start."""
    chance = random.Random(5)
    projects = [_project(chance, number) for number in range(8)]
    made: list[Recorded] = []
    while len(made) < count:
        turns = min(count - len(made), round(chance.lognormvariate(0, 0.7) * _TURNS) + 1)
        made += _session(chance, chance.choices(projects, range(8, 0, -1))[0], start_us, turns)
    return sorted(made, key=lambda one: one.event.timing.client_started_us)


def _project(chance: random.Random, number: int) -> _Project:
    servers = chance.choices(_SERVERS, [1 / (rank + 1) for rank in range(len(_SERVERS))], k=3)
    sources = [Source(SourceType.MCP_SERVER, name) for name in dict.fromkeys(servers)]
    sources += [Source(SourceType.SKILL, f"skill-{one}") for one in chance.sample(range(24), 4)]
    sources += [Source(SourceType.MEMORY, f"/work/project-{number}/{name}") for name in ("CLAUDE.md", "docs/CLAUDE.md")]
    files = (Source(SourceType.FILE, f"/work/project-{number}/src/module_{one}.py") for one in range(40))
    return _Project(tuple(sources), tuple(files))


def _session(chance: random.Random, project: _Project, start_us: int, turns: int) -> Iterator[Recorded]:
    session_id = _hex(chance, 16)
    client = chance.choices(_CLIENTS, _CLIENT_WEIGHTS)[0]
    models = chance.choices(_MODELS, _MODEL_WEIGHTS, k=3)
    at_us = start_us + int(chance.triangular(7, 19, 14) * 3600) * _SECOND_US
    title = prose(chance, 6)
    files: list[Source] = []
    prompt_id = agent_id = _hex(chance, 16)
    for turn in range(turns):
        at_us = min(at_us + int(chance.expovariate(1 / 30) * _SECOND_US), start_us + DAY_US - 600 * _SECOND_US)
        request_class = chance.choices((RequestClass.MAIN, RequestClass.SUBAGENT, RequestClass.OTHER), (60, 25, 15))[0]
        prompt_id = _hex(chance, 16) if turn % 6 == 0 else prompt_id
        agent_id = _hex(chance, 8) if chance.random() < 0.1 else agent_id
        if len(files) < 12 and chance.random() < 0.3:
            files.append(chance.choice(project.files))
        is_main = request_class is RequestClass.MAIN
        facts = {
            "client_name": client[0],
            "client_version": client[1],
            "model": models[0] if is_main else models[1 if request_class is RequestClass.SUBAGENT else 2],
            "session_id": session_id,
            "prompt_id": prompt_id,
            "agent_id": agent_id if request_class is RequestClass.SUBAGENT else None,
            "agent_type": f"agent-{turn % 4}" if request_class is RequestClass.SUBAGENT else None,
            "request_class": request_class,
            "chain_hashes": (_hex(chance, 16),),
            "is_streaming": request_class is not RequestClass.OTHER,
            "title": title,
        }
        chosen = _sources(chance, project, request_class, files)
        yield _exchange(chance, at_us, facts, chosen)


def _sources(
    chance: random.Random, project: _Project, request_class: RequestClass, files: Sequence[Source]
) -> tuple[Source, ...]:
    if request_class is RequestClass.OTHER:
        return tuple(dict.fromkeys([*_SHARED[:4], *chance.sample(_SHARED, 4), Source(SourceType.USER)]))
    if request_class is RequestClass.SUBAGENT:
        return tuple(dict.fromkeys([*_SHARED[:6], *chance.sample(_SHARED, 14), *project.sources, Source(SourceType.USER)]))
    return tuple(dict.fromkeys([*_SHARED, *project.sources, *files, Source(SourceType.ASSISTANT)]))


def _exchange(chance: random.Random, at_us: int, facts: dict[str, Any], sources: Sequence[Source]) -> Recorded:
    error = chance.choice(_ERRORS) if chance.random() < 0.02 else None
    is_failed = chance.random() < 0.005
    first_us = at_us + int(chance.lognormvariate(13.5, 0.5))
    last_us = first_us + int(chance.lognormvariate(15, 0.8))
    timing = Timing(
        client_started_us=at_us,
        proxy_received_us=at_us + 500,
        proxy_forwarded_us=at_us + 900,
        first_byte_us=first_us,
        last_byte_us=last_us,
        delivered_us=last_us + chance.randint(100, 900),
    )
    event = factories.exchange_finished(
        exchange_id=f"{at_us // 1000:012x}7{_hex(chance, 10)[:19]}",
        timing=timing,
        state=ExchangeState.FAILED if is_failed else ExchangeState.COMPLETE,
        response=factories.captured_response(status_code=error[0] if error else 200),
    )
    if error:
        facts |= {"error_type": error[1], "error_message": error[2]}
    texts = Texts(str(facts["title"]), prose(chance, 20), prose(chance, 60))
    rating = round(chance.uniform(-1, 1), 1) if chance.random() < 0.02 else None
    return Recorded(event, _attribution(chance, facts, sources, is_billed=not error and not is_failed), texts, rating)


def _attribution(chance: random.Random, facts: dict[str, Any], sources: Sequence[Source], *, is_billed: bool) -> Attribution:
    segments = tuple(factories.segment(f"text of {source}", source=source) for source in sources)
    lines = tuple(_line(chance, index, source, is_priced=is_billed) for index, source in enumerate(sources))
    total, output = sum(line.tokens for line in lines), int(chance.lognormvariate(5.5, 1))
    cached = sum(line.tokens for line in lines if line.zone is Zone.CACHE_READ)
    usage = factories.usage(input_tokens=total - cached, cache_read_tokens=cached, output_tokens=output)
    ledger = factories.ledger(
        lines=lines,
        usage=usage,
        is_settled=is_billed,
        total_input_tokens=total,
        output_tokens=output if is_billed else None,
        cost_nano_usd=sum(line.cost_nano_usd or 0 for line in lines) + output * 15_000 if is_billed else None,
    )
    return Attribution(version=1, facts=factories.call_facts(**facts), segments=segments, ledger=ledger)


def _line(chance: random.Random, index: int, source: Source, *, is_priced: bool) -> LedgerLine:
    tokens = int(chance.lognormvariate(6, 1.2)) + 1
    zone = Zone.CACHE_READ if chance.random() < 0.8 else Zone.FRESH
    cost = tokens * (300 if zone is Zone.CACHE_READ else 3_000) if is_priced else None
    return factories.ledger_line(source=source, segment_index=index, tokens=tokens, zone=zone, cost_nano_usd=cost)


def prose(chance: random.Random, words: int) -> str:
    """Return words as unevenly frequent as those of a language."""
    return " ".join(chance.choices(VOCABULARY, cum_weights=_WORD_WEIGHTS, k=words))


def _hex(chance: random.Random, size: int) -> str:
    return chance.randbytes(size).hex()
