"""What an insight says: one finding, its evidence and the concrete thing to do."""

from dataclasses import dataclass
from enum import StrEnum

from proxy_core.attribution.model import Source


class FindingKind(StrEnum):
    """What kind of thing was found."""

    UNUSED = "unused"
    """Carried in every request, never called."""
    DUPLICATE = "duplicate"
    """The same text more than once in one request."""
    OVERSIZED = "oversized"
    """A large result that is still carried turns later."""
    UNREFERENCED = "unreferenced"
    """A result that nothing after it refers to."""
    DRIFT = "drift"
    """A source's definition grew."""
    DISTORTION = "distortion"
    """The capture path changed what the client sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth knowing, with what it cost and what to do."""

    kind: FindingKind
    source: Source | None
    """Whose content it is; `None` where it is nobody's."""
    summary: str
    """What was found, one line."""
    action: str
    """What to do about it, one line."""
    tokens: int
    """Input tokens it was billed in the range looked at."""
    cost_nano_usd: int | None
    """What these cost in 1e-9 dollars; `None`: no price known."""
    share: float | None
    """Share of all input tokens of the range, 0 to 1; `None` without any."""
    exchanges: int
    """Requests it was in."""
    session_id: str | None
    """The session it was found in; `None`: over all of them."""
    exchange_ids: tuple[str, ...]
    """Evidence: the first requests it was seen in, at most five."""
    about: str | None = None
    """What a result was asked for with, such as a path; `None`: no result, or not known. Content: for one's own screen."""
    is_certain: bool = True
    """False: a reading of the traffic, not a fact on the wire."""


EVIDENCE_LIMIT = 5


def ranked(findings: list[Finding]) -> list[Finding]:
    """Sort facts before readings, the dearest first; where there is no price, by tokens."""
    return sorted(findings, key=lambda f: (not f.is_certain, -(f.cost_nano_usd or 0), -f.tokens, f.summary))
