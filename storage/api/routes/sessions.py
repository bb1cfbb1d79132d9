"""Client sessions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from storage.api.answers import AnswerRoute
from storage.api.context import StoreOf
from storage.api.errors import ApiError
from storage.api.responses import error_responses
from storage.api.routes.metrics import range_of
from storage.api.schemas.sessions import (
    SessionDetailAnswer,
    SessionList,
    SessionQuery,
    present_session,
    present_session_detail,
)

router = APIRouter(prefix="/sessions", tags=["sessions"], route_class=AnswerRoute)


@router.get("")
def list_sessions(query: Annotated[SessionQuery, Query()], store: StoreOf) -> SessionList:
    """Sessions, the last active first."""
    wanted = range_of(query)
    found = store.sessions.page(wanted, limit=query.limit, offset=query.offset)
    return SessionList(
        sessions=[present_session(session) for session in found],
        total=store.sessions.count(wanted),
        limit=query.limit,
        offset=query.offset,
    )


@router.get("/{session_id}", responses=error_responses(not_found="There is no such session."))
def get_session(session_id: Annotated[str, Path(min_length=1, max_length=200)], store: StoreOf) -> SessionDetailAnswer:
    """One session with its agents and the growth of its context."""
    found = store.sessions.detail(session_id)
    if found is None:
        raise ApiError(404, "There is no such session")
    return present_session_detail(found)
