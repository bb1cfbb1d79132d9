"""What to cut, what broke the cache, what it was worth."""

from typing import Annotated

from fastapi import APIRouter, Query

from proxy_core.attribution.model import Source, SourceType
from storage.api.answers import AnswerRoute
from storage.api.context import StoreOf
from storage.api.errors import ApiError
from storage.api.questions import read_line
from storage.api.routes.metrics import range_of
from storage.api.schemas.insights import InsightsAnswer, InsightsQuery, WhatIfAnswer, WhatIfQuery
from storage.filters.clauses import Clause, compile_filter
from storage.filters.tree import Conjunction, Filter
from storage.insights.gates import GateError, source_matches
from storage.insights.objects import insights_object, what_if_object
from storage.insights.reading import InsightReader
from storage.insights.what_if import deferred, without

router = APIRouter(prefix="/insights", tags=["insights"], route_class=AnswerRoute)


@router.get("")
def read_insights(query: Annotated[InsightsQuery, Query()], store: StoreOf) -> InsightsAnswer:
    """Waste, broken caches, carry cost, drift and worth of the newest model calls."""
    found = InsightReader(store.database).insights(range_of(query), query.session_id, _clause(query, store))
    return InsightsAnswer.model_validate(insights_object(found))


@router.get("/what-if")
def recompute(query: Annotated[WhatIfQuery, Query()], store: StoreOf) -> WhatIfAnswer:
    """What captured traffic would have cost without a source, or with its tools deferred."""
    if bool(query.without) == bool(query.defer):
        raise ApiError(400, "Name what to leave out", "Either without or defer")
    patterns = query.without or query.defer
    _check(patterns)
    clause = _clause(query, store)
    turns = InsightReader(store.database).turns(range_of(query), query.session_id, where=clause, has_texts=False)
    result = (without if query.without else deferred)(turns, lambda s: any(source_matches(s, p) for p in patterns))
    return WhatIfAnswer.model_validate(what_if_object(result))


def _check(patterns: list[str]) -> None:
    try:
        for pattern in patterns:
            source_matches(Source(SourceType.USER), pattern)
    except GateError as error:
        raise ApiError(400, "There is no such kind of source", str(error)) from error


def _clause(query: InsightsQuery, store: StoreOf) -> Clause | None:
    if query.q is None:
        return None
    return compile_filter(Filter(query.q, Conjunction((read_line(query.q, store.filters),))))
