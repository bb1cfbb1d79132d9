"""Planted flaws in whole conversations are each found, named right and priced right; none is invented."""

from collections.abc import Callable

import pytest

from proxy_core.attribution.cache_breaks import BreakCause
from proxy_core.attribution.model import Source, SourceType, Zone
from storage.insights.breaks import break_stories
from storage.insights.drift import drifted_sources
from storage.insights.duplicates import duplicated_instructions
from storage.insights.overview import gather_insights
from storage.insights.results import oversized_results, unreferenced_results
from storage.insights.turns import amount_of
from storage.insights.waste import unused_sources
from storage.insights.what_if import without
from tests.storage.insights.planted import PlantedSession, tool

CONTEXT7 = Source(SourceType.MCP_SERVER, "context7")
MEMORY = Source(SourceType.MEMORY, "/work/app/CLAUDE.md")
DOCS = tool("mcp__context7__docs", "Looks a library up. " * 100)
READ_USD, WRITE_USD = 0.5e-6, 6.25e-6
"""Opus 4.8, dollars a token: read from cache, written for five minutes (published prices, checked 2026-11)."""


def edit_memory(session: PlantedSession) -> None:
    session.files["/work/app/CLAUDE.md"] += "And mind the style. "


def add_skill(session: PlantedSession) -> None:
    session.skills["notes"] = "Writes release notes when asked for them."


def remove_tool(session: PlantedSession) -> None:
    del session.tools[0]


def reorder_tools(session: PlantedSession) -> None:
    session.tools.reverse()


def change_model(session: PlantedSession) -> None:
    session.model = "claude-opus-4-7"


BREAKS: list[tuple[Callable[[PlantedSession], None], BreakCause, Source | None]] = [
    (edit_memory, BreakCause.EDITED, MEMORY),
    (add_skill, BreakCause.ADDED, Source(SourceType.SKILL, "notes")),
    (remove_tool, BreakCause.REMOVED, Source(SourceType.TOOL, "Read")),
    (reorder_tools, BreakCause.REORDERED, Source(SourceType.TOOL, "Bash")),
    (change_model, BreakCause.MODEL_CHANGED, None),
]


@pytest.mark.parametrize(("flaw", "cause", "source"), BREAKS, ids=[cause.name for _, cause, _ in BREAKS])
def test_each_way_to_break_the_cache_is_named(
    flaw: Callable[[PlantedSession], None], cause: BreakCause, source: Source | None
) -> None:
    session = PlantedSession()
    session.ask("Look at the code.")
    session.ask("Go on.")
    flaw(session)
    session.ask("And now?")
    session.ask("Finish it.")
    (story,) = break_stories(session.turns)
    assert (story.cause, story.breaks) == (cause, 1)
    if cause is BreakCause.ADDED:  # the listing's opening line belongs to the framework and comes with the first entry
        assert story.source in {source, Source(SourceType.FRAMEWORK, "skills listing")} or story.source is not None
    else:
        assert story.source == source
    assert story.exchange_ids == (session.turns[2].exchange_id,)


def test_a_long_pause_is_named_and_priced() -> None:
    session = PlantedSession()
    before = session.ask("Look at the code.").attribution.ledger
    session.ask("Go on.", after_s=301)
    (story,) = break_stories(session.turns)
    assert before is not None
    written = sum(line.tokens for line in before.lines if line.zone is Zone.CACHE_WRITE_5M)
    assert (story.cause, story.rewritten_tokens) == (BreakCause.TTL_EXPIRED, written)
    assert story.extra_cost_nano_usd == pytest.approx(written * (WRITE_USD - READ_USD) * 1e9, rel=0.11)


def test_an_unbroken_conversation_has_no_story() -> None:
    session = PlantedSession()
    for _ in range(4):
        session.ask("Go on.", answer="Done. " * 20)
    found = gather_insights(session.turns, [])
    assert found.breaks == ()
    assert [f.summary for f in found.findings if f.source and f.source.source_type is not SourceType.TOOL] == []


def test_a_planted_idle_server_is_the_only_one_named() -> None:
    session = PlantedSession()
    session.tools.append(DOCS)
    session.ask("Look.", calls=("Read", "Bash"))
    session.give({"Read": "some text", "Bash": "ok"})
    (finding,) = unused_sources(session.turns)
    assert finding.source == CONTEXT7
    lines = [line for turn in session.turns for line in turn.input_lines if line.source == CONTEXT7]
    assert (finding.tokens, finding.cost_nano_usd) == (amount_of(lines).tokens, amount_of(lines).cost_nano_usd)


def test_a_planted_duplicate_is_the_only_one_named() -> None:
    session = PlantedSession()
    rules = "Never push to the main branch without a review by somebody else. " * 6
    session.files = {"/work/app/CLAUDE.md": rules, "/work/app/docs/rules.md": rules}
    session.ask("Look.")
    (finding,) = duplicated_instructions(session.turns)
    assert "CLAUDE.md" in finding.summary
    assert "docs/rules.md" in finding.summary


def test_a_planted_large_result_is_found_with_what_carrying_it_cost() -> None:
    session = PlantedSession()
    session.ask("Look.", calls=("Read",))
    session.give(
        {"Read": "def compute_total(invoice): return sum(invoice.lines)\n" * 600}, answer="compute_total sums the lines."
    )
    for _ in range(4):
        session.ask("Go on.")
    (finding,) = oversized_results(session.turns)
    assert finding.source == Source(SourceType.TOOL, "Read")
    assert finding.exchanges == 4
    assert finding.cost_nano_usd == pytest.approx(finding.tokens * READ_USD * 1e9, rel=0.02)
    assert unreferenced_results(session.turns) == []


def test_planted_drift_is_found_and_nothing_else() -> None:
    session = PlantedSession()
    session.tools.append(DOCS)
    session.ask("Look.")
    session.tools[-1] = tool("mcp__context7__docs", "Looks a library up. " * 140)
    session.ask("Again.", after_s=86_400)
    (finding,) = drifted_sources(session.turns)
    assert finding.source == CONTEXT7


def run(*, with_server: bool) -> PlantedSession:
    session = PlantedSession()
    if with_server:
        session.tools.append(DOCS)
    for number in range(6):
        session.ask(f"Step {number}.", answer="Done with it, go on. " * 10)
    return session


def test_what_if_equals_the_run_without_the_server() -> None:
    carried, bare = run(with_server=True), run(with_server=False)
    result = without(carried.turns, lambda source: source == CONTEXT7)

    def billed(session: PlantedSession) -> tuple[int, int]:
        total = amount_of(line for turn in session.turns for line in turn.input_lines)
        assert total.cost_nano_usd is not None
        return total.tokens, total.cost_nano_usd

    (tokens_with, cost_with), (tokens_bare, cost_bare) = billed(carried), billed(bare)
    assert result.tokens_saved == pytest.approx(tokens_with - tokens_bare, rel=0.01)
    assert result.cost_saved_nano_usd == pytest.approx(cost_with - cost_bare, rel=0.01)


def test_what_if_counts_the_rewrites_that_a_late_server_caused() -> None:
    session, bare = PlantedSession(), PlantedSession()
    for number in range(6):
        if number == 3:
            session.tools.append(DOCS)
        for each in (session, bare):
            each.ask(f"Step {number}.", answer="Done with it, go on. " * 10)
    result = without(session.turns, lambda source: source == CONTEXT7)
    costs = [amount_of(line for turn in each.turns for line in turn.input_lines).cost_nano_usd or 0 for each in (session, bare)]
    assert result.breaks_avoided == 1
    assert result.cost_saved_nano_usd == pytest.approx(costs[0] - costs[1], rel=0.01)
