"""Switching the capture off and on while it runs."""

from fastapi import APIRouter

from storage.api.answers import AnswerRoute
from storage.api.context import CaptureControl, ContextOf
from storage.api.errors import ApiError
from storage.api.responses import error_responses
from storage.api.schemas.capture import CaptureAnswer, CaptureCommand, present_counters

router = APIRouter(prefix="/capture", tags=["capture"], route_class=AnswerRoute)

_NO_CAPTURE = error_responses(conflict="No capture runs here: the API serves a database alone.")


@router.get("", responses=_NO_CAPTURE)
def get_capture(context: ContextOf) -> CaptureAnswer:
    """What was captured, stored and lost since start."""
    return present_counters(_control_of(context).counters())


@router.post("", responses=_NO_CAPTURE)
def switch(command: CaptureCommand, context: ContextOf) -> CaptureAnswer:
    """Pause or resume the capture; traffic goes on either way."""
    control = _control_of(context)
    if command.action == "pause":
        control.pause()
    else:
        control.resume()
    return present_counters(control.counters())


def _control_of(context: ContextOf) -> CaptureControl:
    if context.control is None:
        raise ApiError(409, "No capture runs here", "this API serves a database alone")
    return context.control
