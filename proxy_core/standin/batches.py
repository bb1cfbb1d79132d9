"""Message batches: every one has ended by the time it is asked for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_BASE = "/v1/messages/batches"
_CREATED = "2026-11-22T12:00:00Z"
_EXPIRES = "2026-11-23T12:00:00Z"

type AnswerParams = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Answers one request of a batch with a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    batch: dict[str, Any]
    """As the API describes it."""
    results: bytes
    """JSON lines."""


class BatchShelf:
    """Keeps the batches of one stand-in."""

    def __init__(self) -> None:
        self._kept: dict[str, _Batch] = {}

    def handle(self, method: str, path: str, body: Mapping[str, Any], answer: AnswerParams) -> dict[str, Any] | bytes | None:
        """Answer a request below the batches' path; `None` when there is nothing there."""
        name, _, rest = path.removeprefix(_BASE).strip("/").partition("/")
        if not name:
            return self._create(body, answer) if method == "POST" else self._list()
        kept = self._kept.get(name)
        if kept is None:
            return None
        if method == "DELETE":
            del self._kept[name]
            return {"id": name, "type": "message_batch_deleted"}
        return kept.results if rest == "results" else kept.batch

    def _create(self, body: Mapping[str, Any], answer: AnswerParams) -> dict[str, Any]:
        name = f"msgbatch_{len(self._kept) + 1:024d}"
        lines = [
            {"custom_id": item["custom_id"], "result": {"type": "succeeded", "message": answer(item["params"])}}
            for item in body.get("requests", ())
        ]
        batch = _describe(name, len(lines))
        self._kept[name] = _Batch(batch=batch, results="".join(json.dumps(line) + "\n" for line in lines).encode())
        return {**batch, "processing_status": "in_progress", "ended_at": None, "results_url": None}

    def _list(self) -> dict[str, Any]:
        listed = [kept.batch for kept in self._kept.values()]
        first, last = (listed[0]["id"], listed[-1]["id"]) if listed else (None, None)
        return {"data": listed, "has_more": False, "first_id": first, "last_id": last}


def _describe(name: str, succeeded: int) -> dict[str, Any]:
    return {
        "id": name,
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": {"processing": 0, "succeeded": succeeded, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": _CREATED,
        "ended_at": _CREATED,
        "expires_at": _EXPIRES,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"https://api.anthropic.com{_BASE}/{name}/results",
    }
