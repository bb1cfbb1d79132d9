"""A database to take pictures of: scripted sessions, answered, billed, stored and analysed by the real parts, at fixed times.

The same on every machine: seeds instead of chance, a clock of its own. No network, no proxy.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from proxy_core.attribution.analysis import analyse
from proxy_core.attribution.prices import load_price_book
from proxy_core.attribution.tokens.counting import CountedTexts
from proxy_core.attribution.tokens.service import WorkerCounting
from proxy_core.exchange import (
    CapturedBody,
    CapturedRequest,
    CapturedResponse,
    CaptureMode,
    ExchangeFinished,
    ExchangeStarted,
    ExchangeState,
    Timing,
)
from proxy_core.redact import Redactor
from proxy_core.standin.api import ApiSettings, MessagesApi
from proxy_core.standin.billing import Billing
from proxy_core.standin.faults import Fault, FaultKind
from proxy_core.standin.scenario import Turn
from proxy_core.standin.sessions.claude_code import ClaudeCodeSession, Outgoing
from proxy_core.standin.sessions.plot import make_story
from proxy_core.standin.wire import ReceivedRequest, RequestHead
from storage.analysing import Analyst
from storage.analysis_context import DatabaseContext
from storage.batches import Progress
from storage.database import Database, open_database
from storage.ingest import Ingest
from storage.store import Store

NOW_US: Final = 1_795_186_920_000_000
"""2026-11-20 15:02:00 UTC: the present of every picture."""

_SECOND: Final = 1_000_000
_PATIENCE_S: Final = 120.0
_BEGINNINGS_H: Final = ((1, 21.0), (2, 9.5), (7, 6.2), (4, 3.1), (5, 1.3), (6, 0.0105))
"""Seed of a session, and how many hours before now it began."""


@dataclass(slots=True)
class _World:
    """Time and the API."""

    now_us: int
    api: MessagesApi
    turn: Turn | None = None


def build(path: Path, sessions: Sequence[tuple[int, float]] = _BEGINNINGS_H, *, has_running: bool = True) -> Store:
    """Make the database and return the store over it.

    Args:
        path: A file that does not exist yet.
        sessions: Seed and beginning (hours before now) of each session.
        has_running: One request of the last session is still running, one was refused by the network.
    """
    database = open_database(path)
    events = [event for seed, hours in sessions for event in _play(seed, NOW_US - round(hours * 3_600 * _SECOND))]
    more = [_refused(events[-5]), _running(events[-1])] if has_running else []
    _store(database, [*events, *more])
    store = Store(database)
    _rate(store)
    return store


def _play(seed: int, start_us: int) -> Iterator[ExchangeFinished]:
    """Play one session against the stand-in and write down what a proxy would have."""
    world = _World(start_us, MessagesApi())
    world.api = MessagesApi(
        ApiSettings(scenario=lambda _: world.turn or Turn(text="Done.")), Billing(clock=lambda: world.now_us / _SECOND)
    )
    exchanges = ClaudeCodeSession(make_story(seed), seed).exchanges()
    outgoing = next(exchanges)
    number = 0
    while True:
        if outgoing.failing_status is not None:
            world.api.faults.add(Fault(FaultKind.STATUS, outgoing.failing_status))
            number += 1
            yield _exchange(world, outgoing, seed, number)
        number += 1
        finished = _exchange(world, outgoing, seed, number)
        yield finished
        try:
            outgoing = exchanges.send(_answer(finished))
        except StopIteration:
            return


def _exchange(world: _World, outgoing: Outgoing, seed: int, number: int) -> ExchangeFinished:
    body = json.dumps(outgoing.body, separators=(",", ":"), ensure_ascii=False).encode()
    world.turn = outgoing.turn
    start_us = world.now_us
    raw = tuple((name.encode(), value.encode()) for name, value in outgoing.headers)
    head = RequestHead(method="POST", target=outgoing.path, http_version="1.1", headers=raw, connection_number=1)
    received = ReceivedRequest(
        head=head, body=body, body_bytes=len(body), body_sha256=hashlib.sha256(body).hexdigest(), received_us=start_us
    )
    reply = asyncio.run(world.api.respond(received))
    answer = b"".join(part for part in reply.parts if isinstance(part, bytes))
    timing = _timing(start_us, len(body), len(answer), seed * 1_000 + number)
    world.now_us = (timing.delivered_us or start_us) + 350_000
    redactor = Redactor(b"screenshots" * 4)
    return ExchangeFinished(
        exchange_id=f"{start_us // 1000:012x}7{seed:03x}8{number:015x}",
        mode=CaptureMode.INTERCEPT,
        state=ExchangeState.COMPLETE,
        request=CapturedRequest(
            method="POST",
            url=f"https://api.anthropic.com{outgoing.path}",
            http_version="HTTP/1.1",
            headers=redactor.headers(raw),
        ),
        request_body=_body(body),
        response=CapturedResponse(
            status_code=reply.status,
            reason="OK" if reply.status == 200 else "",
            http_version="HTTP/1.1",
            headers=redactor.headers(reply.headers),
        ),
        response_body=_body(answer),
        timing=timing,
        error=None,
        connection_id=f"c{seed}",
    )


def _timing(start_us: int, sent: int, received: int, salt: int) -> Timing:
    """Make up times that look like the API's: they grow with what is read and written."""
    wobble = int.from_bytes(hashlib.blake2b(str(salt).encode(), digest_size=2).digest()) / 65_536
    first_us = start_us + round((420_000 + sent * 1.1) * (0.7 + 0.6 * wobble))
    last_us = first_us + round((120_000 + received * 160) * (0.7 + 0.6 * wobble))
    return Timing(
        client_started_us=start_us,
        proxy_received_us=start_us + 900 + sent // 90,
        proxy_forwarded_us=start_us + 1_500 + sent // 80,
        first_byte_us=first_us,
        first_byte_delivered_us=first_us + 180,
        last_byte_us=last_us,
        delivered_us=last_us + 240,
        upstream_connect_us=0,
    )


def _body(data: bytes) -> CapturedBody:
    return CapturedBody(data=data, wire_bytes=len(data), wire_sha256=hashlib.sha256(data).hexdigest())


def _answer(finished: ExchangeFinished) -> dict[str, Any]:
    """Return the message as the client would have read it."""
    from proxy_core.dialects.base import RecordedCall
    from proxy_core.dialects.responses import read_response

    response, body = finished.response, finished.response_body
    if response is None or response.status_code != 200 or body is None:
        return {}
    recorded = RecordedCall(
        method="POST",
        url=finished.request.url,
        request_headers=finished.request.headers,
        request_body=finished.request_body.data or b"",
        status_code=200,
        response_headers=response.headers,
        response_body=body.data,
    )
    parsed = read_response(recorded)
    if parsed is None or not parsed.blocks:
        return {}
    return {"id": parsed.message_id, "content": [dict(block) for block in parsed.blocks]}


def _refused(retry: ExchangeFinished) -> ExchangeFinished:
    """Make the request that the network refused before its client tried once more."""
    started_us = retry.timing.client_started_us - 330_000
    return ExchangeFinished(
        exchange_id=f"{started_us // 1000:012x}7fff8{1:015x}",
        mode=retry.mode,
        state=ExchangeState.FAILED,
        request=retry.request,
        request_body=retry.request_body,
        response=None,
        response_body=None,
        timing=Timing(client_started_us=started_us, proxy_received_us=started_us + 1_100),
        error="connection to api.anthropic.com was reset before it answered",
        connection_id=retry.connection_id,
    )


def _running(last: ExchangeFinished) -> ExchangeStarted:
    """Make a request that is still running."""
    started_us = NOW_US - 4 * _SECOND
    return ExchangeStarted(
        exchange_id=RUNNING_ID,
        mode=last.mode,
        request=last.request,
        request_body=last.request_body,
        timing=Timing(
            client_started_us=started_us, proxy_received_us=started_us + 1_000, proxy_forwarded_us=started_us + 1_600
        ),
        connection_id=last.connection_id,
    )


RUNNING_ID: Final = f"{(NOW_US - 4 * _SECOND) // 1000:012x}7fff8{2:015x}"
"""The exchange that is still running."""


class _PatientCounting(WorkerCounting):
    """Counts to the end: a guess, taken on a machine that is busy, would draw other pictures."""

    def count(self, family: str, texts: Mapping[str, str], *, patience_s: float) -> CountedTexts:
        """Count texts, however long it takes."""
        return super().count(family, texts, patience_s=max(patience_s, _PATIENCE_S))


def _store(database: Database, events: Sequence[ExchangeFinished | ExchangeStarted]) -> None:
    ingest = Ingest("pictures")
    context = DatabaseContext(database, prices=load_price_book(None), counting=_PatientCounting(hang_limit_s=_PATIENCE_S))
    analyst = Analyst(database, context, analyse)
    try:
        for event in sorted(events, key=lambda event: event.timing.client_started_us):
            progress = Progress(event.exchange_id)
            progress.add(event)
            with database.write() as connection:
                changes = ingest.store(connection, [progress])
            ingest.settle([progress])
            has_ended = isinstance(event, ExchangeFinished)
            for number in dict.fromkeys(change.id for change in changes):
                analyst.analyse(number, has_ended=has_ended)
    finally:
        analyst.close()


def _rate(store: Store) -> None:
    """Rate some requests, as people do."""
    for place, rating, comment in (
        (-4, 1.0, "found it at once"),
        (-9, -0.5, "read the wrong file"),
        (-22, 0.5, None),
        (-40, 1.0, None),
    ):
        ids = [summary.exchange_id for summary in store.exchanges.page(limit=200)][::-1]
        if len(ids) >= -place:
            store.feedback.rate(ids[place], rating, comment)
