"""Ratings: give, read, change, remove."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import WithJsonSchema

from storage.api.answers import AnswerRoute
from storage.api.context import StoreOf
from storage.api.errors import ApiError
from storage.api.lookups import exchange_id, feedback_number
from storage.api.responses import error_responses
from storage.api.routes.metrics import range_of
from storage.api.schemas.common import AskedId
from storage.api.schemas.feedback import (
    FeedbackAnswer,
    FeedbackChange,
    FeedbackDraft,
    FeedbackQueryParameters,
    present_feedback,
)
from storage.api.schemas.feedback_detail import FeedbackDetail, FeedbackList, present_feedback_detail
from storage.errors import NoSuchExchangeError
from storage.feedback import KEEP, AlreadyRatedError, FeedbackQuery, NoSuchFeedbackError
from storage.store import Store
from storage.views import Feedback

router = APIRouter(prefix="/feedback", tags=["feedback"], route_class=AnswerRoute)

_NOT_FOUND = error_responses(not_found="There is no such rating.")
_SHOWN_ID = WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,17}$", "examples": ["17"]})
FeedbackId = Annotated[str, Path(max_length=200), _SHOWN_ID]


@router.post(
    "", status_code=201, responses=error_responses(not_found="There is no such exchange.", conflict="It is rated already.")
)
def give(draft: FeedbackDraft, store: StoreOf) -> FeedbackAnswer:
    """Rate a request; the rating counts for every source that was in it."""
    try:
        given = store.feedback.rate(exchange_id(draft.request_id), draft.rating, draft.feedback_text, draft.user_id)
    except NoSuchExchangeError as error:
        raise ApiError(404, "There is no such exchange") from error
    except AlreadyRatedError as error:
        raise ApiError(409, "The request is rated already", "change the rating with PUT, or remove it") from error
    return present_feedback(given, store.exchanges.summary(given.exchange_id))


@router.get("")
def list_feedback(query: Annotated[FeedbackQueryParameters, Query()], store: StoreOf) -> FeedbackList:
    """Ratings, the newest first."""
    wanted = FeedbackQuery(
        min_rating=query.min_rating, max_rating=query.max_rating, user_id=query.user_id, submitted=range_of(query)
    )
    found = store.feedback.page(wanted, limit=query.limit, offset=query.offset)
    return FeedbackList(
        feedback=[_present(store, one) for one in found],
        total=store.feedback.count(wanted),
        limit=query.limit,
        offset=query.offset,
    )


@router.get("/by-request/{request_id}", responses=_NOT_FOUND)
def get_by_request(request_id: Annotated[AskedId, Path()], store: StoreOf) -> FeedbackDetail:
    """The rating of one request."""
    found = store.feedback.of_exchange(exchange_id(request_id))
    if found is None:
        raise ApiError(404, "There is no rating of this request")
    return _present(store, found)


@router.get("/{feedback_id}", responses=_NOT_FOUND)
def get_feedback(feedback_id: FeedbackId, store: StoreOf) -> FeedbackDetail:
    """One rating."""
    try:
        return _present(store, store.feedback.get(feedback_number(feedback_id)))
    except NoSuchFeedbackError as error:
        raise _missing() from error


@router.put("/{feedback_id}", responses=_NOT_FOUND)
def change(feedback_id: FeedbackId, wanted: FeedbackChange, store: StoreOf) -> FeedbackAnswer:
    """Change a rating or its comment; what is left out stays."""
    given = wanted.model_fields_set
    try:
        changed = store.feedback.update(
            feedback_number(feedback_id),
            wanted.rating if "rating" in given else KEEP,
            wanted.feedback_text if "feedback_text" in given else KEEP,
        )
    except NoSuchFeedbackError as error:
        raise _missing() from error
    return present_feedback(changed, store.exchanges.summary(changed.exchange_id))


@router.delete("/{feedback_id}", status_code=204, responses=_NOT_FOUND)
def remove(feedback_id: FeedbackId, store: StoreOf) -> Response:
    """Remove a rating, and what it counted for."""
    try:
        store.feedback.remove(feedback_number(feedback_id))
    except NoSuchFeedbackError as error:
        raise _missing() from error
    return Response(status_code=204)


def _present(store: Store, found: Feedback) -> FeedbackDetail:
    return present_feedback_detail(found, store.exchanges.summary(found.exchange_id))


def _missing() -> ApiError:
    return ApiError(404, "There is no such rating")
