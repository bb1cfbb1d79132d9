import io
import json
import threading

import pytest

from proxy_core.attribution.tokens import worker
from proxy_core.attribution.tokens.worker import serve


class Collected(io.BytesIO):
    """Keeps the answers and tells when enough are there."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.wanted = wanted
        self.done = threading.Event()

    def flush(self) -> None:
        if sum("tokens" in reply for reply in self.replies()) >= self.wanted:
            self.done.set()

    def replies(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def ask(*jobs: dict[str, object]) -> list[dict[str, object]]:
    source = io.BytesIO(b"".join(json.dumps(job).encode() + b"\n" for job in jobs))
    sink = Collected(len(jobs))
    serve(source, sink)
    assert sink.done.wait(150)
    return sink.replies()


def test_quick_and_exact_jobs_are_answered() -> None:
    replies = ask(
        {"id": 1, "family": "ctok 4.8", "text": "Hello world", "quick": False},
        {"id": 2, "family": "ctok 4.8", "text": "Hello world", "quick": True},
    )

    assert {"begun": 1} in replies
    assert {"id": 1, "tokens": 4, "sampled": False} in replies
    assert {"id": 2, "tokens": 3, "sampled": True} in replies


def test_a_text_that_breaks_its_counter_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(family: str, text: str) -> None:
        raise ValueError

    monkeypatch.setattr(worker, "_count_wholly", explode)

    assert {"id": 1, "tokens": 3, "sampled": True} in ask({"id": 1, "family": "ctok 4.8", "text": "12345678", "quick": False})
