"""Attributions: the pieces of one request and where they came from, or the uses of a source in all requests."""

from typing import Annotated

from fastapi import APIRouter, Query

from storage.api.answers import AnswerRoute
from storage.api.context import StoreOf
from storage.api.lookups import find_exchange
from storage.api.questions import ContextsQuery
from storage.api.responses import error_responses
from storage.api.schemas.attributions import ContextAttribution, ContextList, present_attributions, present_use
from storage.store import Store

router = APIRouter(tags=["contexts"], route_class=AnswerRoute)


@router.get("/contexts", responses=error_responses(not_found="There is no such exchange."))
def list_contexts(query: Annotated[ContextsQuery, Query()], store: StoreOf) -> ContextList:
    """Attributions of one request in wire order; without `request_id` one line per request and source, newest first."""
    if query.request_id is not None:
        return _of_request(query, query.request_id, store)
    kind, name = query.source_type, query.source_name
    found = store.sources.uses(source_type=kind, source_name=name, limit=query.limit, offset=query.offset)
    return ContextList(
        attributions=[present_use(use) for use in found],
        total=store.sources.count_uses(source_type=kind, source_name=name),
        limit=query.limit,
        offset=query.offset,
    )


def _of_request(query: ContextsQuery, request_id: str, store: Store) -> ContextList:
    found = find_exchange(store, request_id)
    lines = [line for line in present_attributions(found) if _is_wanted(line, query)]
    return ContextList(attributions=lines, total=len(lines))


def _is_wanted(line: ContextAttribution, query: ContextsQuery) -> bool:
    is_kind = query.source_type is None or line.source_type == query.source_type
    return is_kind and query.source_name in {None, line.source_name, line.source_detail}
