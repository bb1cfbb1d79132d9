"""A rating together with what was rated."""

from storage.api.schemas.common import Answer
from storage.api.schemas.exchanges import RequestSummary, ResponseSummary, present_request, present_response
from storage.api.schemas.feedback import FeedbackAnswer, feedback_fields
from storage.views import ExchangeSummary, Feedback


class FeedbackDetail(FeedbackAnswer):
    """One rating and what was rated."""

    request: RequestSummary | None
    """`null` when retention removed the exchange."""
    response: ResponseSummary | None


class FeedbackList(Answer):
    """One page of ratings, the newest first."""

    feedback: list[FeedbackDetail]
    total: int
    limit: int
    offset: int


def present_feedback_detail(view: Feedback, exchange: ExchangeSummary | None) -> FeedbackDetail:
    """Present a rating and what was rated."""
    fields = feedback_fields(view, exchange)
    fields["request"] = None if exchange is None else present_request(exchange)
    fields["response"] = None if exchange is None else present_response(exchange)
    return FeedbackDetail.model_validate(fields)
