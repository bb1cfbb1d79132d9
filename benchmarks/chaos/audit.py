"""What was promised, looked for in the database that was left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos.witness import number_in
from proxy_core.exchange import ExchangeState, Side
from storage.database import open_database
from storage.store import Store
from tests.e2e.product import assay


@dataclass(slots=True)
class Finding:
    """What is left in a database."""

    lost: dict[int, str] = field(default_factory=dict)
    """Promised requests that are not there or not whole: how long before the end they were answered, and what was found."""
    doubled: list[int] = field(default_factory=list)
    """Requests that are there more than once."""
    open_left: int = 0
    """Exchanges that still say they run, although nobody runs them."""
    states: Counter[str] = field(default_factory=Counter)
    """How many exchanges there are of each state."""
    verify_output: str = ""
    """What `assay verify` said if it found something wrong."""

    def complaint(self) -> str | None:
        """Return what is wrong, in one line; `None` when nothing is."""
        if self.lost:
            return f"{len(self.lost)} promised exchanges are lost: {dict(list(self.lost.items())[:10])}"
        if self.doubled:
            return f"{len(self.doubled)} exchanges are there twice: {self.doubled[:10]}"
        if self.open_left:
            return f"{self.open_left} exchanges are still open"
        return self.verify_output or None


def audit(home: Path, promised: Mapping[int, float]) -> Finding:
    """Look for the promised requests (and how long before the end they were answered, in seconds) in what is left.

    Args:
        home: Where Assay lived; it must have ended.
        promised: What must be there.
    """
    finding = Finding()
    verified = assay(home, "verify", timeout_s=600)
    if verified.returncode != 0:
        finding.verify_output = (verified.stdout + verified.stderr).decode()
    database = open_database(next(home.rglob("assay.db")))
    try:
        found = _found_requests(Store(database), finding)
    finally:
        database.close()
    for number, ago_s in promised.items():
        if (state := found.get(number, "missing")) != "whole":
            finding.lost[number] = f"{ago_s * 1000:.0f} ms before: {state}"
    return finding


def _found_requests(store: Store, finding: Finding) -> dict[int, str]:
    """Return what is there of each numbered request."""
    found: dict[int, str] = {}
    before: int | None = None
    while page := store.exchanges.page(500, before_id=before):
        before = page[-1].id
        for exchange in page:
            finding.states[exchange.state.value] += 1
            finding.open_left += exchange.state is ExchangeState.OPEN
            number = number_in(store.exchanges.body(exchange.id, Side.REQUEST) or b"")
            if number is None:
                continue
            if number in found:
                finding.doubled.append(number)
            answer = store.exchanges.decoded_body(exchange.id, Side.RESPONSE) or b""
            has_end = b"message_stop" in answer or b"event: error" in answer
            is_whole = exchange.state is ExchangeState.COMPLETE and has_end
            found[number] = "whole" if is_whole else f"{exchange.state}, {len(answer)} bytes of the answer"
    return found
