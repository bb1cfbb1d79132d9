"""How a route documents its errors."""

from typing import Any

from storage.api.schemas.common import ErrorAnswer


def error_responses(**descriptions: str) -> dict[int | str, dict[str, Any]]:
    """Document errors of one route: `error_responses(not_found="...", conflict="...")`."""
    codes = {"not_found": 404, "conflict": 409, "unavailable": 503}
    return {codes[name]: {"model": ErrorAnswer, "description": text} for name, text in descriptions.items()}
