"""From an insight to the requests behind it, in a filter that is understood."""

from dataclasses import replace

import pytest

from proxy_core.attribution.cache_breaks import BreakCause
from proxy_core.attribution.model import Part, Source, SourceType
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.insights.breaks import BreakStory
from storage.insights.carry import CarriedContent
from storage.insights.findings import Finding, FindingKind
from storage.insights.turns import Amount
from tui.insight_columns import FINDINGS, InsightRow, row_name
from tui.insight_evidence import requests_filter
from tui.ranges import PERIODS
from tui.theme import inks

GITHUB = Source(SourceType.MCP_SERVER, "github")
CARRIED = CarriedContent(
    content_hash="0" * 32,
    source=GITHUB,
    part=Part.DEFINITION,
    entered_id=7,
    entered_exchange_id="0c",
    entered_turn=0,
    turns_carried=1,
    tokens_each=100,
    entry=Amount(100, 50_000_000),
    carried=Amount(),
)

STORY = BreakStory(
    cause=BreakCause.ADDED, source=None, breaks=1, rewritten_tokens=10, extra_cost_nano_usd=None, exchange_ids=("0d",)
)


def finding(kind: FindingKind, source: Source | None = GITHUB) -> Finding:
    return Finding(
        kind=kind,
        source=source,
        summary="",
        action="",
        tokens=1,
        cost_nano_usd=None,
        share=None,
        exchanges=2,
        session_id=None,
        exchange_ids=("0a", "0b"),
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (finding(FindingKind.UNUSED), "kind:mcp source:=github since:24h"),
        (finding(FindingKind.UNUSED, None), "id:=0a or id:=0b"),
        (finding(next(kind for kind in FindingKind if kind is not FindingKind.UNUSED)), "id:=0a or id:=0b"),
        (STORY, "id:=0d"),
        (CARRIED, "id:=0c"),
    ],
)
def test_a_row_leads_to_its_requests(row: InsightRow, expected: str) -> None:
    line = requests_filter(row, PERIODS[1])
    assert line == expected
    assert isinstance(parse(line), Filter)


def test_results_of_one_tool_are_told_apart_by_what_they_were_asked_with() -> None:
    assert row_name(replace(CARRIED, about="get_issue\n7")) == "github: get_issue 7"
    assert row_name(replace(finding(FindingKind.UNREFERENCED), about="/a.py")) == "github: /a.py"
    draw = next(column.draw for column in FINDINGS.columns if column.name == "source")
    long = replace(finding(FindingKind.UNREFERENCED), about="/work/harbour/tests/test_berths.py")
    assert draw(long, inks(is_dark=True), 24)[0] == "github: …/test_berths.py"
    assert draw(long, inks(is_dark=True), 80)[0].rstrip() == "github: /work/harbour/tests/test_berths.py"
    assert row_name(finding(FindingKind.UNUSED)) == row_name(CARRIED) == "github"
