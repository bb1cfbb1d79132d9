"""Whether it works, and what it counts: for supervisors and for Prometheus."""

from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from storage.api.answers import AnswerRoute
from storage.api.context import ContextOf, StoreOf
from storage.api.errors import ApiError
from storage.api.prometheus import CONTENT_TYPE, render
from storage.api.responses import error_responses
from storage.api.schemas.capture import HealthAnswer

router = APIRouter(tags=["health"], route_class=AnswerRoute)


@router.get("/healthz", responses=error_responses(unavailable="The database does not answer."))
def check(store: StoreOf) -> HealthAnswer:
    """Say whether the database answers; needs no token and tells nothing else."""
    try:
        store.exchanges.newest_id()
    except SQLAlchemyError as error:
        raise ApiError(503, "The database does not answer") from error
    return HealthAnswer(status="ok")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."}},
)
def scrape(context: ContextOf) -> Response:
    """Return totals and counters as Prometheus reads them."""
    store = context.store
    counters = context.control.counters() if context.control else None
    text = render(store.sources.summary(), store.sources.metrics(), counters)
    return Response(text, headers={"content-type": CONTENT_TYPE})
