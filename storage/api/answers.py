"""How a route's answer becomes bytes: in the thread that made it, once.

FastAPI would check our own answer against its type again, on another thread: two hand-overs for each read. That answers are as
the OpenAPI document says is proved by the tests, not while answering.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Response
from fastapi.routing import APIRoute

from storage.api.schemas.common import Answer


class AnswerRoute(APIRoute):
    """A route whose endpoint returns an `Answer`, or a whole response."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        written = endpoint if iscoroutinefunction(endpoint) else _writing(endpoint, options.get("status_code") or 200)
        super().__init__(path, written, **options)


def _writing(endpoint: Callable[..., Any], status_code: int) -> Callable[..., Any]:
    @wraps(endpoint)
    def answer(*arguments: Any, **named: Any) -> Any:
        result = endpoint(*arguments, **named)
        return write_answer(result, status_code) if isinstance(result, Answer) else result

    return answer


def write_answer(answer: Answer, status_code: int = 200) -> Response:
    """Write an answer as JSON."""
    content = answer.__pydantic_serializer__.to_json(answer)
    return Response(content, status_code=status_code, media_type="application/json")
