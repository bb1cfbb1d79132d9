"""Ratings as the contract names them, and what may be sent to give or change one."""

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from storage.api.schemas.common import Answer, AskedId, ExchangeId, Limit, Offset, Period, Question, Timestamp, to_timestamp
from storage.feedback import LOCAL_USER, MAX_TEXT_LENGTH
from storage.views import ExchangeSummary, Feedback

Rating = Annotated[float, Field(ge=-1.0, le=1.0, strict=True, allow_inf_nan=False, examples=[0.8])]
Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH, strict=True, examples=["Found the cause at once."])]
UserId = Annotated[str, Field(min_length=1, max_length=100, strict=True, examples=[LOCAL_USER])]


class FeedbackDraft(Question):
    """A rating to be given."""

    request_id: AskedId
    rating: Rating
    """-1.0 (harmful) to 1.0 (excellent)."""
    feedback_text: Text | None = None
    user_id: UserId = LOCAL_USER


class FeedbackChange(Question):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    rating: Rating = 0.0
    feedback_text: Text | None = None
    """`null` removes the comment."""

    @model_validator(mode="after")
    def _changes_something(self) -> "FeedbackChange":
        if not self.model_fields_set:
            raise ValueError("rating or feedback_text is needed")
        return self


class FeedbackQueryParameters(Period):
    """Which ratings are wanted; times are those of the rating."""

    min_rating: Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)] | None = None
    max_rating: Annotated[float, Field(ge=-1.0, le=1.0, allow_inf_nan=False)] | None = None
    user_id: Annotated[str, Field(max_length=100)] | None = None
    limit: Limit = 20
    offset: Offset = 0


class FeedbackAnswer(Answer):
    """One rating."""

    id: str = Field(examples=["17"])
    request_id: ExchangeId
    response_id: ExchangeId | None
    """`null` when there was no response."""
    rating: float
    feedback_text: str | None
    user_id: str
    submitted_at: Timestamp
    updated_at: Timestamp | None
    """`null`: never changed."""
    affected_sources: list[str]
    """Names (kinds, where there is no name) of the sources that were in the request."""


def feedback_fields(view: Feedback, exchange: ExchangeSummary | None) -> dict[str, object]:
    """Return the fields of a FeedbackAnswer."""
    has_response = exchange is not None and exchange.status_code is not None
    return {
        "id": str(view.feedback_id),
        "request_id": view.exchange_id,
        "response_id": view.exchange_id if has_response else None,
        "rating": view.rating,
        "feedback_text": view.feedback_text,
        "user_id": view.user_id,
        "submitted_at": to_timestamp(view.submitted_us),
        "updated_at": None if view.updated_us is None else to_timestamp(view.updated_us),
        "affected_sources": list(view.affected_sources),
    }


def present_feedback(view: Feedback, exchange: ExchangeSummary | None) -> FeedbackAnswer:
    """Present one rating."""
    return FeedbackAnswer.model_validate(feedback_fields(view, exchange))
