"""The OpenAPI document: what FastAPI finds out, with the errors as they are. `storage.api.openapi` writes it to a file."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from storage.api.examples import EXAMPLES
from storage.api.schemas.common import ErrorAnswer

API_VERSION = "1.0.0"
"""Raised when the contract grows; what is there never changes."""

_DESCRIPTION = """\
What every request to the Claude API was made of, where each piece came from, and what it cost.

Times are ISO 8601 in UTC, ids are strings, unknown values are `null`. Every error is `{"error": ..., "details": ...}`.
All but `/healthz` wants `Authorization: Bearer <token>`; `assay token` shows it.
"""
_COMMON_ERRORS = {
    "400": "A parameter or the body is not valid.",
    "401": "The bearer token is missing or wrong.",
    "403": "A foreign Host or Origin.",
}
_BODY_ERRORS = {"413": "The body is too large."}
_OPEN_PATHS = frozenset({"/healthz"})


def describe(app: FastAPI) -> None:
    """Let an application serve the document of `build`."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def build(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application."""
    document = get_openapi(
        title="Assay", version=API_VERSION, description=_DESCRIPTION, routes=app.routes, license_info={"name": "MIT"}
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["ErrorAnswer"] = ErrorAnswer.model_json_schema()
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _describe_operation(path, operation)
    return document


def _describe_operation(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    example = EXAMPLES.get(operation["operationId"])
    for status, answer in responses.items():
        if example is not None and status.startswith("2"):
            answer["content"]["application/json"]["examples"] = {"typical": {"value": example}}
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    is_open = path in _OPEN_PATHS
    operation["security"] = [] if is_open else [{"token": []}]
    errors = {code: text for code, text in _COMMON_ERRORS.items() if not is_open or code != "401"}
    if "requestBody" in operation:
        errors |= _BODY_ERRORS
    for code, text in errors.items():
        responses.setdefault(code, _error_response(text))


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; no text of a URL means `null`."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}


def _error_response(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}}
