"""Server-sent events: an exchange started, finished, was analysed. A client that comes back misses nothing."""

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from storage.api.answers import AnswerRoute
from storage.api.context import ApiContext, ContextOf
from storage.api.errors import envelope
from storage.api.responses import error_responses
from storage.api.schemas.common import Question, to_timestamp, to_usd
from storage.changes import POSITION_PATTERN, ExchangeChange, Position, read_position

router = APIRouter(tags=["events"], route_class=AnswerRoute)

_MAX_STREAMS = 32
_LOOK_EVERY_S = 0.5
"""How often the database is asked when nobody rings; other processes write into it too."""
_SIGN_OF_LIFE_EVERY_S = 15.0

_EVENT_SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Give it as `Last-Event-ID` to go on from here."},
        "event": {"type": "string", "enum": ["started", "finished", "analysed"]},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "The exchange as it is now."},
        "retry": {"type": "integer"},
    },
}


class EventQuery(Question):
    """How long to listen."""

    follow: bool = True
    """`false`: tell what happened since `Last-Event-ID` and end."""


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {"schema": _EVENT_SCHEMA}}, "description": "A stream of events."},
        **error_responses(unavailable="Too many event streams are open."),
    },
)
async def stream_events(
    query: Annotated[EventQuery, Query()],
    context: ContextOf,
    last_event_id: Annotated[str | None, Header(pattern=POSITION_PATTERN, max_length=8000)] = None,
) -> StreamingResponse:
    """Stream `started`, `finished` and `analysed` events; with `Last-Event-ID` everything since that event comes first."""
    position = None if last_event_id is None else read_position(last_event_id)
    return _EventStream(context, _events(context, position, follow=query.follow))


class _EventStream(StreamingResponse):
    """Counted from before its first byte to its end, so that no two take the last place."""

    def __init__(self, context: ApiContext, events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream")
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._context.streams >= _MAX_STREAMS:
            await envelope(503, "Too many event streams are open", f"at most {_MAX_STREAMS}")(scope, receive, send)
            return
        self._context.streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._context.streams -= 1


async def _events(context: ApiContext, position: Position | None, *, follow: bool) -> AsyncIterator[str]:
    changes = context.changes
    if position is None:
        position = await to_thread.run_sync(changes.now)
    yield f"retry: 2000\nid: {position}\n\n"
    spoken_at = time.monotonic()
    while True:
        found = await to_thread.run_sync(changes.since, position)
        context.told += bool(found)
        for change in found:
            yield _render(change)
        if found:
            position = found[-1].position
            spoken_at = time.monotonic()
            continue
        if not follow or context.is_stopping:
            return
        if time.monotonic() - spoken_at >= _SIGN_OF_LIFE_EVERY_S:
            yield ": alive\n\n"
            spoken_at = time.monotonic()
        await context.bell.wait(_LOOK_EVERY_S)


def _render(change: ExchangeChange) -> str:
    row = change.row
    told = {
        "id": row.exchange_id,
        "timestamp": to_timestamp(row.started_us),
        "state": row.state,
        "status_code": row.status_code,
        "model": row.model,
        "request_class": row.request_class,
        "session_id": row.session_id,
        "title": row.title,
        "total_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost_usd": to_usd(row.cost_nano_usd),
        "is_estimate": row.is_estimate,
    }
    return f"id: {change.position}\nevent: {change.what}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"
