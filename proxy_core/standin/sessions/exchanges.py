"""What a scripted session yields and is given back, whichever client it plays."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from proxy_core.standin.scenario import Turn

MESSAGES_PATH = "/v1/messages"

type Message = dict[str, Any]
type Reply = Mapping[str, Any]
"""The message the API answered with; `{}` when it answered with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request to be sent, and what the model is to answer."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: dict[str, Any]
    turn: Turn | None
    """`None` for requests that no model answers."""
    failing_status: int | None = None
    """Answered with this error the first time; the client sends the same again."""


type Exchanges = Generator[Outgoing, Reply, None]
