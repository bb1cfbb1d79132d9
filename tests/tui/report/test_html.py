"""The page is whole in itself, shows what it was given, and lets no name from the traffic become markup."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from proxy_core.attribution.model import Source, SourceType
from storage.database import Database, open_database
from storage.insights.worth import RatedUse, worths
from storage.ranges import ALL_TIME
from tests.storage.insights.planted import PlantedSession, record, tool
from tui.report.contents import Report
from tui.report.gathering import gather_report
from tui.report.html import render_html
from tui.report.markdown import render_markdown

HOSTILE = '</title><script>alert("x")</script>|*`\x1b[2J'


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "assay.db")
    yield opened
    opened.close()


@pytest.fixture
def report(database: Database) -> Report:
    session = PlantedSession()
    session.tools.append(tool("mcp__context7__docs", "Looks a library up. " * 100))
    session.ask("Look.")
    session.files["/work/app/CLAUDE.md"] += "Changed."
    session.ask("Go on.")
    session.ask("Later.", after_s=4000)
    record(session, database)
    return gather_report(database, ALL_TIME, None)


class _Balance(HTMLParser):
    """Counts open tags."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_fetches_nothing(report: Report) -> None:
    page = render_html(report)
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    assert not {"script", "link", "img", "iframe"} & parser.names
    assert not re.search(r"(?:src|href)=|url\(|@import", page)


def test_it_tells_what_was_planted(report: Report) -> None:
    page = render_html(report)
    assert "McpServer context7: definition carried in 3 requests, never used" in page
    assert "Memory /work/app/CLAUDE.md edited mid-conversation" in page
    assert "Tokens over time" in page


def test_no_name_becomes_markup(report: Report) -> None:
    source = replace(report.sources[0], source_name=HOSTILE)
    rated = [RatedUse(source=Source(SourceType.SKILL, HOSTILE), rating=0.5, cost_nano_usd=10)] * 2
    hostile = replace(
        report,
        title=HOSTILE,
        range_text=HOSTILE,
        sources=(source,),
        insights=replace(report.insights, worths=tuple(worths(rated))),
    )
    parser = _Balance()
    page = render_html(hostile)
    parser.feed(page)
    assert "\x1b" not in page + render_markdown(hostile)
    assert "script" not in parser.names
    assert parser.open == []
    assert "<script" not in render_markdown(hostile).replace("\\<", "")


def test_an_empty_report_says_so(database: Database) -> None:
    empty = gather_report(database, ALL_TIME, None)
    assert "Nothing was found that was carried in vain." in render_html(empty)
    assert render_markdown(empty).startswith("# Where the context went")
