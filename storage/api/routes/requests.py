"""Requests and responses: the list with all its filters, one of them whole, its ledger, its raw bytes."""

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse

from proxy_core.exchange import Side
from storage.api.answers import AnswerRoute
from storage.api.bodies import answer_with_body, read_json
from storage.api.context import StoreOf
from storage.api.errors import ApiError
from storage.api.lookups import find_exchange
from storage.api.questions import RequestsQuery, filter_of
from storage.api.responses import error_responses
from storage.api.schemas.attributions import SegmentList, present_segments
from storage.api.schemas.common import AskedId, Question
from storage.api.schemas.exchanges import (
    RequestDetail,
    RequestList,
    ResponseDetail,
    present_request,
    present_request_detail,
    present_response_detail,
)
from storage.api.schemas.feedback import present_feedback
from storage.errors import BodyCorruptError
from storage.exchanges import ExchangeOrder
from storage.filters.clauses import compile_filter

router = APIRouter(tags=["requests"], route_class=AnswerRoute)

_NOT_FOUND = error_responses(not_found="There is no such exchange.")
_Id = Annotated[AskedId, Path()]


class BodyQuery(Question):
    """Which body is wanted, and how."""

    side: Literal["request", "response"] = "request"
    decoded: bool = False
    """Without its content encoding."""


@router.get("/requests")
def list_requests(query: Annotated[RequestsQuery, Query()], store: StoreOf) -> RequestList:
    """Requests, newest first: by time, source, model, status, session, or a line of the filter language."""
    wanted = filter_of(query, store.filters)
    where = None if wanted.is_empty else compile_filter(wanted)
    is_descending = query.order == "desc"
    cursor = None if query.cursor is None else int(query.cursor)
    found = store.exchanges.page(
        query.limit + 1,
        where=where,
        before_id=cursor if is_descending else None,
        after_id=None if is_descending else cursor,
        order=ExchangeOrder.NEWEST if is_descending else ExchangeOrder.OLDEST,
        offset=query.offset,
    )
    shown = found[: query.limit]
    return RequestList(
        requests=[present_request(one) for one in shown],
        total=store.exchanges.count(where),
        limit=query.limit,
        offset=query.offset,
        next_cursor=str(shown[-1].id) if len(found) > len(shown) else None,
    )


@router.get("/requests/{request_id}", response_model=RequestDetail, responses=_NOT_FOUND)
def get_request(request_id: _Id, store: StoreOf) -> Response:
    """One request, whole: headers, body, what it is made of, its response and rating."""
    found = find_exchange(store, request_id)
    rating = store.feedback.of_exchange(request_id)
    feedback = None if rating is None else present_feedback(rating, found.summary)
    return answer_with_body(present_request_detail(found, feedback), read_json(store, request_id, Side.REQUEST))


@router.get(
    "/responses/{response_id}",
    response_model=ResponseDetail,
    responses=error_responses(not_found="There is no such exchange, or it has no response."),
)
def get_response(response_id: _Id, store: StoreOf) -> Response:
    """One response, whole."""
    found = find_exchange(store, response_id)
    if found.summary.status_code is None:
        raise ApiError(404, "There is no response", "the API has not answered, or never did")
    return answer_with_body(present_response_detail(found), read_json(store, response_id, Side.RESPONSE))


@router.get("/requests/{request_id}/segments", responses=_NOT_FOUND)
def get_segments(request_id: _Id, store: StoreOf) -> SegmentList:
    """The ledger of one request: every segment in wire order, and what is billed without a text."""
    return present_segments(find_exchange(store, request_id))


@router.get(
    "/requests/{request_id}/body",
    response_class=Response,
    responses={
        200: {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            "description": "The bytes of the wire; secrets are replaced.",
        },
        **error_responses(not_found="There is no such exchange, or it has no such body (any more)."),
    },
)
def get_body(request_id: _Id, query: Annotated[BodyQuery, Query()], store: StoreOf) -> Response:
    """The bytes of one body as they were on the wire, but for secrets."""
    found = find_exchange(store, request_id)
    side = Side(query.side)
    facts = found.request_body if side is Side.REQUEST else found.response_body
    if facts is None or not facts.is_kept:
        raise ApiError(404, "There is no such body", None if facts is None else "retention dropped its bytes")
    name = f"{request_id}.{query.side}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    try:
        if query.decoded:
            content = store.exchanges.decoded_body(request_id, side) or b""
            return Response(content, media_type="application/octet-stream", headers=headers)
        parts = store.exchanges.iterate_body(request_id, side)
        first = next(parts, b"")
    except BodyCorruptError as error:
        raise ApiError(404, "The body cannot be rebuilt", str(error)) from error
    return StreamingResponse(_chain(first, parts), media_type="application/octet-stream", headers=headers)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
