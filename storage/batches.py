"""Capture events put together by exchange, so that what began and ended in one batch is written once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from proxy_core.exchange import BodyGrew, CaptureEvent, ExchangeFinished, ExchangeStarted, ResponseStarted

EXCHANGES_AT_ONCE = 50
"""Exchanges in one transaction, at most."""
_BYTES_AT_ONCE = 16 * 1024 * 1024
"""Bytes of bodies in one transaction, about."""


@dataclass(slots=True)
class Progress:
    """What a batch says of one exchange."""

    exchange_id: str
    started: ExchangeStarted | None = None
    answered: ResponseStarted | None = None
    grown: list[BodyGrew] = field(default_factory=list)
    finished: ExchangeFinished | None = None

    def add(self, event: CaptureEvent) -> None:
        """Take in one more event."""
        match event:
            case ExchangeStarted():
                self.started = event
            case ResponseStarted():
                self.answered = event
            case BodyGrew():
                self.grown.append(event)
            case ExchangeFinished():
                self.finished = event


def batches(events: Iterable[CaptureEvent]) -> Iterator[list[Progress]]:
    """Group events by exchange, in order of arrival, into batches of a bounded size."""
    batch: dict[str, Progress] = {}
    size = 0
    for event in events:
        if size >= _BYTES_AT_ONCE or (event.exchange_id not in batch and len(batch) >= EXCHANGES_AT_ONCE):
            yield list(batch.values())
            batch, size = {}, 0
        progress = batch.get(event.exchange_id)
        if progress is None:
            progress = batch[event.exchange_id] = Progress(event.exchange_id)
        progress.add(event)
        size += _size(event)
    if batch:
        yield list(batch.values())


def _size(event: CaptureEvent) -> int:
    match event:
        case BodyGrew():
            return len(event.data)
        case ExchangeStarted():
            bodies = [event.request_body]
        case ExchangeFinished():
            bodies = [event.request_body, event.response_body]
        case _:
            bodies = []
    return sum(len(body.data) for body in bodies if body is not None and body.data is not None)
