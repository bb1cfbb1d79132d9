"""Where cached prefixes broke, who broke them, and what paying again cost, ranked over a range."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from proxy_core.attribution.cache_breaks import BILLING_LINE, BreakCause, CacheBreak, find_cache_break
from proxy_core.attribution.model import Source, SourceType
from storage.insights.findings import EVIDENCE_LIMIT
from storage.insights.turns import AnalysedTurn, conversations

_PHRASES = {
    BreakCause.ADDED: "added mid-conversation",
    BreakCause.REMOVED: "removed mid-conversation",
    BreakCause.EDITED: "edited mid-conversation",
    BreakCause.REORDERED: "reordered mid-conversation",
    BreakCause.TTL_EXPIRED: "the cache's time to live ran out",
    BreakCause.MODEL_CHANGED: "the model was changed mid-conversation",
    BreakCause.SETTINGS_CHANGED: "request settings were changed mid-conversation",
    BreakCause.UNEXPLAINED: "nothing on the wire explains it",
}

_ACTIONS = {
    BreakCause.ADDED: "Have it there from the first request on, or leave it out until the session ends.",
    BreakCause.REMOVED: "Keep it for the whole session, or leave it out from the start.",
    BreakCause.EDITED: "Edit it between sessions, not within one.",
    BreakCause.REORDERED: "Keep tools and instructions in a fixed order.",
    BreakCause.TTL_EXPIRED: "Answer sooner, or use the one-hour cache for sessions with long pauses.",
    BreakCause.MODEL_CHANGED: "Switch models between sessions: each has a cache of its own.",
    BreakCause.SETTINGS_CHANGED: "Keep thinking, effort and tool choice as they are within a session.",
    BreakCause.UNEXPLAINED: "Nothing to do on your side, unless it happens often.",
}

_GATEWAY_ACTION = "Set CLAUDE_CODE_ATTRIBUTION_HEADER=0: your gateway does not cache past a line that is new in every request."


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakStory:
    """All breaks of one cause by one source."""

    cause: BreakCause
    source: Source | None
    breaks: int
    rewritten_tokens: int
    extra_cost_nano_usd: int | None
    """What rewriting cost above reading, in 1e-9 dollars; `None`: at least one break has no price."""
    exchange_ids: tuple[str, ...]
    """Evidence: the first requests it happened in, at most five."""

    @property
    def summary(self) -> str:
        """Say who did what, in one line."""
        phrase = _PHRASES[self.cause]
        if self.is_compaction:
            return "The conversation was compacted"
        if self.source is None:
            return phrase[0].upper() + phrase[1:]
        return f"{self.source.source_type} {self.source.source_name or ''} {phrase}".replace("  ", " ")

    @property
    def action(self) -> str:
        """Say what to do about it, in one line."""
        if self.source == BILLING_LINE:
            return _GATEWAY_ACTION
        if self.is_compaction:
            return "Compact when a piece of work is done, and only then: all that is kept is written anew."
        return _ACTIONS[self.cause]

    @property
    def is_compaction(self) -> bool:
        """Tell whether the client replaced the messages by a summary of them."""
        return self.source is not None and self.source.source_type is SourceType.SUMMARY


def breaks_in_chain(chain: Sequence[AnalysedTurn]) -> list[tuple[AnalysedTurn, CacheBreak]]:
    """Find every break of one conversation; each with the request that paid for it."""
    found = []
    for before, after in pairwise(chain):
        gap_seconds = max(0.0, (after.started_us - before.ended_us) / 1e6)
        cause = find_cache_break(before.attribution, after.attribution, gap_seconds)
        if cause is not None:
            found.append((after, cause))
    return found


def break_stories(turns: Sequence[AnalysedTurn]) -> list[BreakStory]:
    """Collect the breaks of all conversations by cause and source, the dearest first."""
    groups: dict[tuple[BreakCause, Source | None], list[tuple[AnalysedTurn, CacheBreak]]] = {}
    for chain in conversations(turns):
        for turn, found in breaks_in_chain(chain):
            groups.setdefault((found.cause, found.source), []).append((turn, found))
    stories = [_story(cause, source, rows) for (cause, source), rows in groups.items()]
    return sorted(stories, key=lambda story: (-(story.extra_cost_nano_usd or 0), -story.rewritten_tokens))


def _story(cause: BreakCause, source: Source | None, rows: list[tuple[AnalysedTurn, CacheBreak]]) -> BreakStory:
    costs = [found.extra_cost_nano_usd for _, found in rows]
    return BreakStory(
        cause=cause,
        source=source,
        breaks=len(rows),
        rewritten_tokens=sum(found.rewritten_tokens for _, found in rows),
        extra_cost_nano_usd=None if any(cost is None for cost in costs) else sum(cost or 0 for cost in costs),
        exchange_ids=tuple(turn.exchange_id for turn, _ in rows[:EVIDENCE_LIMIT]),
    )
