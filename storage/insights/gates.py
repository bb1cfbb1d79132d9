"""Budgets that fail a build: limits on tokens and cost, of everything or of single sources."""

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from proxy_core.attribution.model import Source, SourceType
from storage.errors import StorageError
from storage.insights.turns import Amount, AnalysedTurn


class GateError(StorageError):
    """A limit could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One limit."""

    pattern: str | None
    """`mcp:context7`, `memory:*` ...; `None`: everything together."""
    max_tokens: int | None = None
    """Most input tokens that one request may carry of it; `None`: no limit on tokens."""
    max_cost_nano_usd: int | None = None
    """Most it may cost over the range, in 1e-9 dollars; `None`: no limit on cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """How one source, or everything, stands against a limit."""

    gate: Gate
    name: str
    """Which source was measured; `all` for everything."""
    measured_tokens: int
    """The largest single request's input tokens."""
    measured_cost_nano_usd: int | None
    """Over the range; `None`: no price known."""

    @property
    def is_passed(self) -> bool:
        """Within the limit; an unknown cost does not pass a limit on cost."""
        if self.gate.max_tokens is not None and self.measured_tokens > self.gate.max_tokens:
            return False
        if self.gate.max_cost_nano_usd is None:
            return True
        return self.measured_cost_nano_usd is not None and self.measured_cost_nano_usd <= self.gate.max_cost_nano_usd


_KIND_NAMES = {
    "mcp": SourceType.MCP_SERVER,
    "style": SourceType.OUTPUT_STYLE,
    **{kind.value.lower(): kind for kind in SourceType},
}

_NUMBER = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[kKmM]?)\Z")


def parse_tokens_gate(text: str) -> Gate:
    """Read `20000`, `20k` or `source:mcp:*=20000`.

    Raises:
        GateError: The text is no such limit.
    """
    pattern, number = _split(text)
    match = _NUMBER.match(number)
    if match is None:
        raise GateError(f"“{number}” is no number of tokens; write 20000 or 20k")
    factor = {"": 1, "k": 1_000, "m": 1_000_000}[match["unit"].lower()]
    return Gate(pattern=pattern, max_tokens=round(float(match["number"]) * factor))


def parse_cost_gate(text: str) -> Gate:
    """Read `1.50` or `source:mcp:*=1.50`, in dollars.

    Raises:
        GateError: The text is no such limit.
    """
    pattern, number = _split(text)
    try:
        dollars = Decimal(number.removeprefix("$"))
    except InvalidOperation as error:
        raise GateError(f"“{number}” is no amount of dollars; write 1.50") from error
    if not dollars.is_finite() or dollars < 0:
        raise GateError(f"“{number}” is no amount of dollars; write 1.50")
    return Gate(pattern=pattern, max_cost_nano_usd=int(dollars * 10**9))


def source_matches(source: Source, pattern: str) -> bool:
    """Tell whether a source fits `kind`, `kind:name` or `kind:glob*`; case counts in names only.

    Raises:
        GateError: There is no such kind.
    """
    kind, _, name = pattern.partition(":")
    expected = _KIND_NAMES.get(kind.lower())
    if expected is None and kind != "*":
        raise GateError(f"“{kind}” is no kind of source; there are {', '.join(sorted(_KIND_NAMES))}")
    if expected is not None and source.source_type is not expected:
        return False
    return not name or fnmatch.fnmatchcase(source.source_name or "", name)


def check_gates(turns: Sequence[AnalysedTurn], gates: Iterable[Gate]) -> list[GateResult]:
    """Measure every limit; a pattern gives one result for each source that fits it (none fits: one empty result)."""
    sources = _measure(turns)
    results: list[GateResult] = []
    for gate in gates:
        if gate.pattern is None:
            results.append(_result(gate, "all", _measure_all(turns)))
            continue
        fitting = [(source, rows) for source, rows in sources.items() if source_matches(source, gate.pattern)]
        results += [_result(gate, _name(source), rows) for source, rows in fitting]
        if not fitting:
            results.append(_result(gate, gate.pattern, []))
    return results


def _split(text: str) -> tuple[str | None, str]:
    pattern, separator, number = text.rpartition("=")
    if not separator:
        return None, text.strip()
    cleaned = pattern.strip().removeprefix("source:")
    source_matches(Source(SourceType.USER), cleaned)
    return cleaned, number.strip()


def _measure(turns: Sequence[AnalysedTurn]) -> dict[Source, list[Amount]]:
    """Return each source's amounts, one a request."""
    measured: dict[Source, list[Amount]] = defaultdict(list)
    for turn in turns:
        own: dict[Source, Amount] = defaultdict(Amount)
        for line in turn.input_lines:
            own[line.source] += Amount(line.tokens, line.cost_nano_usd)
        for source, amount in own.items():
            measured[source].append(amount)
    return measured


def _measure_all(turns: Sequence[AnalysedTurn]) -> list[Amount]:
    ledgers = [turn.attribution.ledger for turn in turns]
    return [Amount(ledger.total_input_tokens, ledger.cost_nano_usd) for ledger in ledgers if ledger is not None]


def _result(gate: Gate, name: str, amounts: Sequence[Amount]) -> GateResult:
    total = Amount()
    for amount in amounts:
        total += amount
    return GateResult(
        gate=gate,
        name=name,
        measured_tokens=max((amount.tokens for amount in amounts), default=0),
        measured_cost_nano_usd=total.cost_nano_usd,
    )


def _name(source: Source) -> str:
    return f"{source.source_type}:{source.source_name}" if source.source_name else str(source.source_type)
