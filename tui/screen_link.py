"""What the process that captures and the one that draws tell each other: lines of JSON over a pair of sockets.

Nothing of an exchange goes this way: that is read from the database. When one process ends, however it does, the other hears
of it by its end of the link.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from storage.views import CaptureCounters

PAUSE: Final = "pause"
RESUME: Final = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where everything is; told once clients can connect, and again when more is known."""

    data_dir: str
    database: str
    """SQLAlchemy URL."""
    proxy_url: str | None
    ca_bundle: str | None
    """Path of the certificate that clients must trust; `None`: none."""
    api_url: str | None
    """`None`: the JSON API is off, or not up yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How capturing goes."""

    counters: CaptureCounters
    failure: str | None
    """Why it stopped; `None` while all is well."""
    response_bytes: Mapping[str, int] = field(default_factory=dict)
    """So far, of each exchange in flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message to the screen; what is `None` is as it was."""

    opening: str | None = None
    """URL of the database that is being opened; told first."""
    place: Place | None = None
    figures: Figures | None = None
    is_changed: bool = False
    """Stored exchanges were added or changed."""

    def as_line(self) -> bytes:
        """Return it as it is sent."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Return what was sent."""
        fields: dict[str, Any] = json.loads(line)
        if (place := fields["place"]) is not None:
            fields["place"] = Place(**place)
        if (figures := fields["figures"]) is not None:
            fields["figures"] = Figures(**figures | {"counters": CaptureCounters(**figures["counters"])})
        return cls(**fields)


def lines(link: socket.socket) -> Iterator[bytes]:
    """Yield whole lines until the other end is closed."""
    try:
        with link.makefile("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line
    except OSError:
        return
