"""All insights over one range, gathered once: what the screen, the command line, the API and the report show."""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.insights.breaks import BreakStory, break_stories
from storage.insights.carry import CarriedContent, carry_costs, told_apart
from storage.insights.distortion import distorted_capture
from storage.insights.drift import SizeHistory, drifted_sources, size_histories
from storage.insights.duplicates import duplicated_instructions
from storage.insights.findings import Finding, ranked
from storage.insights.results import oversized_results, unreferenced_results
from storage.insights.turns import Amount, AnalysedTurn, amount_of
from storage.insights.waste import unused_sources, unused_sources_by_session
from storage.insights.worth import RatedUse, Worth, worths

CARRIED_SHOWN = 20
"""How many of the dearest carried contents are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """What a range of traffic says."""

    since_us: int | None
    """Start of the range, microseconds since the epoch; `None`: from the beginning."""
    until_us: int | None
    """End of the range; `None`: until now."""
    session_id: str | None
    """The one session looked at; `None`: all."""
    requests: int
    """Analysed model calls looked at."""
    is_cut: bool
    """The range holds more requests than were looked at; the newest were."""
    textless_requests: int
    """Requests whose texts were not kept: repeated paragraphs and results that nothing refers to cannot be seen there."""
    input: Amount
    """All input as billed."""
    findings: tuple[Finding, ...]
    """Over all of the range, dearest first."""
    session_findings: tuple[Finding, ...]
    """What was carried and never used within single sessions, dearest first."""
    breaks: tuple[BreakStory, ...]
    """Dearest first."""
    carried: tuple[CarriedContent, ...]
    """Dearest first, at most twenty."""
    sizes: tuple[SizeHistory, ...]
    """Every defining source's size over time, largest first."""
    worths: tuple[Worth, ...]
    """Rated sources, best value first."""

    @property
    def waste(self) -> Amount:
        """What the certain findings were billed, with what broken caches cost; overlaps are not taken out."""
        total = Amount()
        for finding in self.findings:
            if finding.is_certain and finding.cost_nano_usd is not None:
                total += Amount(finding.tokens, finding.cost_nano_usd)
        for story in self.breaks:
            total += Amount(0, story.extra_cost_nano_usd or 0)
        return total


def gather_insights(
    turns: Sequence[AnalysedTurn],
    rated: Sequence[RatedUse],
    *,
    since_us: int | None = None,
    until_us: int | None = None,
    session_id: str | None = None,
    is_cut: bool = False,
) -> Insights:
    """Look at `turns` (arrival order) from every side."""
    findings = [
        *unused_sources(turns),
        *duplicated_instructions(turns),
        *oversized_results(turns),
        *unreferenced_results(turns),
        *drifted_sources(turns),
        *distorted_capture(turns),
    ]
    billed = Amount()
    for turn in turns:
        billed += amount_of(turn.input_lines)
    sizes = sorted(size_histories(turns), key=lambda history: -history.points[-1].tokens)
    return Insights(
        since_us=since_us,
        until_us=until_us,
        session_id=session_id,
        requests=len(turns),
        is_cut=is_cut,
        textless_requests=sum(1 for turn in turns if turn.is_textless),
        input=billed,
        findings=tuple(ranked(findings)),
        session_findings=tuple(ranked(unused_sources_by_session(turns))),
        breaks=tuple(break_stories(turns)),
        carried=tuple(told_apart(carry_costs(turns)[:CARRIED_SHOWN], turns)),
        sizes=tuple(sizes),
        worths=tuple(worths(rated)),
    )
