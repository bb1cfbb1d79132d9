"""Bodies in answers: JSON where a body is JSON, whatever else a wire may carry; never a failure."""

import json
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel

from proxy_core.exchange import Side
from storage.errors import BodyCorruptError
from storage.store import Store


def read_json(store: Store, exchange_id: str, side: Side) -> Any:
    """Return a body as JSON; `None` where it is none, was dropped, or cannot be rebuilt."""
    try:
        body = store.exchanges.decoded_body(exchange_id, side)
    except BodyCorruptError:
        return None
    if not body:
        return None
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def answer_with_body(answer: BaseModel, body_json: Any) -> Response:
    """Write an answer whose `body_json` is foreign JSON: half characters in it stay the escapes that they were."""
    fields = answer.model_dump(mode="json")
    try:
        text = json.dumps({**fields, "body_json": body_json}, allow_nan=False)
    except (ValueError, RecursionError):
        text = json.dumps(fields)
    return Response(text, media_type="application/json")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
