"""One envelope for every error of the API: `{"error": ..., "details": ...}`. No traceback ever leaves through it."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path

from storage.errors import NoSuchExchangeError

logger = logging.getLogger(__name__)

_MAX_PROBLEMS = 10


class ApiError(Exception):
    """A request that cannot be answered as asked."""

    def __init__(self, status_code: int, error: str, details: str | None = None) -> None:
        super().__init__(error)
        self.status_code = status_code
        self.error = error
        self.details = details


def envelope(status_code: int, error: str, details: str | None) -> Response:
    """Make the answer for an error."""
    return JSONResponse({"error": error, "details": details}, status_code=status_code)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of an application in the envelope."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(NoSuchExchangeError, _on_missing)
    app.add_exception_handler(SQLAlchemyError, _on_database_error)
    app.add_exception_handler(Exception, _on_failure)


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return envelope(error.status_code, error.error, error.details)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return envelope(400, "The request is not valid", _describe(error.errors()))


def _describe(problems: Sequence[Any]) -> str:
    """Name each place and what is wrong there; never the value itself, which may be a secret or hostile."""
    lines = [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems[:_MAX_PROBLEMS]]
    return "; ".join(lines)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = envelope(error.status_code, str(error.detail), None)
    answer.headers.update(error.headers or {})
    if error.status_code == 405 and (methods := _methods_of(request)):
        answer.headers["allow"] = ", ".join(sorted(methods))
    return answer


def _methods_of(request: Request) -> set[str]:
    """Return what a path can be asked by: each method has a route of its own, and the router names those of the first."""
    methods: set[str] = set()
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.url.path):
            methods |= {method.upper() for method in operations}
    return methods


async def _on_missing(_request: Request, _error: Exception) -> Response:
    """It was there when the route looked first: retention is quicker sometimes."""
    return envelope(404, "There is no such exchange", None)


async def _on_database_error(request: Request, error: Exception) -> Response:
    logger.error("The database failed at %s %s", request.method, request.url.path, exc_info=error)
    return envelope(503, "The database does not answer", "it may be busy or full; the log says more")


async def _on_failure(request: Request, error: Exception) -> Response:
    logger.error("The API failed at %s %s", request.method, request.url.path, exc_info=error)
    return envelope(500, "Assay could not answer this", "the log says why")
