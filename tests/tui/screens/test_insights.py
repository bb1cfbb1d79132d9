"""The insights screen by keyboard: sections, evidence, what-if, report."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from proxy_core.attribution.model import SourceType
from screenshots.fixture import NOW_US
from storage.insights.findings import Finding, FindingKind
from storage.store import Store
from tests.tui.dashboard_rig import FakeLive, live_screen, press, running, screen_text, settle
from tui.insight_columns import SECTIONS
from tui.ranges import range_of
from tui.reading_insights import what_if
from tui.screens.insights import InsightsScreen, WhatIfRead
from tui.screens.what_if import WhatIfScreen


def _insights(pilot: Pilot[None]) -> InsightsScreen:
    assert isinstance(pilot.app.screen, InsightsScreen)
    return pilot.app.screen


async def test_the_dearest_waste_stands_first_with_what_to_do(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i")
        rows = [row for row in _insights(pilot).table.sorted_rows if row.cost_nano_usd is not None]
        assert rows
        assert rows == sorted(rows, key=lambda row: (row.is_certain, row.cost_nano_usd), reverse=True)
        text = screen_text(pilot)
        assert "never used" in text
        assert "could have been saved" in text
        assert "→" in text


async def test_a_mark_at_a_heading_says_what_the_rows_are_sorted_by(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i")
        table = _insights(pilot).table
        assert "what↓" in table.render_line(0).text
        assert len({row.is_certain for row in table.sorted_rows}) == 2, "facts and readings"
        table.sort_by("cost")
        assert "↓cost" in table.render_line(0).text
        costs = [row.cost_nano_usd for row in table.sorted_rows if row.cost_nano_usd is not None]
        assert costs == sorted(costs, reverse=True)


async def test_brackets_go_through_every_section(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i")
        seen = [_insights(pilot).section.name]
        for _ in SECTIONS:
            await press(pilot, "]")
            seen.append(_insights(pilot).section.name)
        assert seen == [*[section.name for section in SECTIONS], SECTIONS[0].name]
        await press(pilot, "[")
        assert _insights(pilot).section is SECTIONS[-1]


@pytest.mark.parametrize(("presses", "size"), [(0, (200, 50)), *((number, (80, 24)) for number in range(len(SECTIONS)))])
async def test_every_section_says_its_row_in_words(store: Store, presses: int, size: tuple[int, int]) -> None:
    rated = store.exchanges.page(limit=1)[0].exchange_id
    store.feedback.rate(rated, 1.0)
    async with running(store, size=size) as pilot:
        await press(pilot, "i", "w", "w", "w", *["]"] * presses)
        screen = _insights(pilot)
        if not screen.table.row_count:
            assert screen.section.nothing in screen_text(pilot)
            return
        await press(pilot, "y")
        assert screen.app.clipboard.strip()
        await press(pilot, "o", "O", "v", "j")


async def test_enter_leads_to_the_requests_behind_a_row(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i", "w", "w", "w")  # the filter's clock is not the screen's here: all time
        row = _insights(pilot).table.selected
        await press(pilot, "enter")
        text = live_screen(pilot).filter_text
        assert row.source.source_name in text if row.kind is FindingKind.UNUSED else "id:=" in text
        assert live_screen(pilot).requests.row_count


async def test_x_says_what_leaving_a_source_out_saves(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i")
        table = _insights(pilot).table
        table.cursor = next(i for i, row in enumerate(table.sorted_rows) if row.source.source_type is SourceType.TOOL)
        await press(pilot, "x")
        assert isinstance(pilot.app.screen, WhatIfScreen)
        text = screen_text(pilot)
        assert "tokens saved" in text
        assert "Deferred" in text
        await press(pilot, "escape")
        assert _insights(pilot)


async def test_what_was_reckoned_does_not_come_up_where_somebody_has_gone_on_to(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i")
        screen = _insights(pilot)
        row = screen.table.selected
        assert row is not None
        removed, deferred = what_if(store, range_of(screen.period, NOW_US), row.source)
        await press(pilot, "l")
        screen.post_message(WhatIfRead(row, screen.period, removed, deferred))
        await settle(pilot)
        assert live_screen(pilot)


async def test_a_row_of_nobody_has_no_what_if(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "i")
        lost = Finding(
            kind=FindingKind.DISTORTION, source=None, summary="s", action="a", tokens=1, cost_nano_usd=None, share=None,
            exchanges=1, session_id="s1", exchange_ids=("x",), is_certain=False,
        )  # fmt: skip
        _insights(pilot).table.show([lost])
        await press(pilot, "x", "o")
        assert _insights(pilot).table.selected is lost


async def test_a_report_is_written(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(store) as pilot:
        await press(pilot, "i", "e")
        await press(pilot, "enter")
        await settle(pilot)
    assert [path.suffix for path in _written(tmp_path)] == [".html"]
    assert "<html" in _written(tmp_path)[0].read_text(encoding="utf-8")


def _written(directory: Path) -> list[Path]:
    return list(directory.glob("assay-report-*"))


async def test_an_empty_database_says_what_to_do(empty_store: Store) -> None:
    async with running(empty_store) as pilot:
        await press(pilot, "i")
        assert "w looks further back" in screen_text(pilot)


async def test_nothing_is_found_anew_while_nothing_changed(store: Store) -> None:
    live = FakeLive()
    async with running(store, live) as pilot:
        await press(pilot, "i")
        screen = _insights(pilot)
        found = screen._found
        screen.on_store_changed()
        screen.read()
        await settle(pilot)
        assert screen._found is found
