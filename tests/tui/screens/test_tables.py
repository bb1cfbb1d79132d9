"""Sources and sessions by keyboard."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from proxy_core.attribution.model import SourceType
from screenshots.fixture import NOW_US
from storage.metrics import SourceReader
from storage.ranges import DAY_US
from storage.store import Store
from tests.tui.dashboard_rig import FakeLive, live_screen, press, running, screen_text, settle
from tui.app import AssayApp
from tui.screens.ranged import RangedScreen
from tui.screens.sessions import SessionsScreen, sessions_text
from tui.screens.sources import SourcesScreen


def _sources(pilot: Pilot[None]) -> SourcesScreen:
    assert isinstance(pilot.app.screen, SourcesScreen)
    return pilot.app.screen


def _sessions(pilot: Pilot[None]) -> SessionsScreen:
    assert isinstance(pilot.app.screen, SessionsScreen)
    return pilot.app.screen


async def test_the_dearest_source_stands_first(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s")
        rows = _sources(pilot).table.sorted_rows
        costs = [row.total_cost_nano_usd for row in rows if row.total_cost_nano_usd is not None]
        assert costs == sorted(costs, reverse=True)
        # One of them still runs.
        assert f"{store.exchanges.count() - 1} analysed requests" in screen_text(pilot)


async def test_which_mcp_server_costs_most_is_three_keys_away(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s", "3")
        rows = _sources(pilot).table.sorted_rows
        assert {row.source_type for row in rows} == {SourceType.MCP_SERVER}
        assert rows[0].source_name == max(rows, key=lambda row: row.total_cost_nano_usd or 0).source_name
        await press(pilot, "0")
        assert len(_sources(pilot).table.sorted_rows) > len(rows)


async def test_a_kind_that_is_not_there_says_how_to_get_back(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s", "8")
        assert "0 to see all kinds" in screen_text(pilot)


async def test_before_anything_was_read_nothing_is_said_to_be_missing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SourcesScreen, "start_reading", lambda _screen: None)
    async with running(store) as pilot:
        await press(pilot, "s", "3")
        assert "No source" not in screen_text(pilot)


async def test_how_many_sources_are_shown_is_said_where_there_is_little_room(store: Store) -> None:
    async with running(store, size=(80, 24)) as pilot:
        await press(pilot, "s", "3")
        assert f"{len(_sources(pilot).table.sorted_rows)} of " in screen_text(pilot)


async def test_o_sorts_by_the_next_column_and_v_turns_it_round(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s")
        table = _sources(pilot).table
        before = table.sorted_by
        await press(pilot, "o")
        assert table.sorted_by != before
        await press(pilot, "O")
        assert table.sorted_by == before
        first = table.sorted_rows[0]
        await press(pilot, "v")
        assert table.sorted_rows[0] != first


async def test_a_click_on_a_heading_sorts_by_it(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s")
        await pilot.click("#sources", offset=(4, 0))
        await settle(pilot)
        assert _sources(pilot).table.sorted_by == "kind"


async def test_trends_are_read_for_the_rows_in_sight_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = SourceReader.trends

    def trends(self: SourceReader, source_ids: Sequence[int], *args: Any, **named: Any) -> Mapping[int, Sequence[int]]:
        asked.extend(source_ids)
        return read(self, source_ids, *args, **named)

    monkeypatch.setattr(SourceReader, "trends", trends)
    async with running(store, size=(120, 16)) as pilot:
        await press(pilot, "s")
        table = _sources(pilot).table
        in_sight = [table.sorted_rows[index].source_id for index in table.visible_rows]
        assert set(asked) == set(in_sight)
        assert len(in_sight) < len(table.sorted_rows)
        assert set("▁▂▃▄▅▆▇█") & set(screen_text(pilot))
        await press(pilot, "G")
        assert {table.sorted_rows[index].source_id for index in table.visible_rows} <= set(asked)


async def test_no_trend_is_read_where_there_is_no_room_for_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SourceReader, "trends", None)
    async with running(store, size=(80, 24)) as pilot:
        await press(pilot, "s")
        assert "trend" not in screen_text(pilot)


async def test_w_goes_through_the_periods(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s")
        names = []
        for _ in range(5):
            await press(pilot, "w")
            names.append(_sources(pilot).period.name)
        assert names == ["last 7 days", "last 30 days", "all time", "last hour", "last 24 hours"]


@pytest.mark.parametrize(("key", "expected"), [(key, "last 7 days") for key in "saci"])
async def test_a_screen_begins_with_a_time_that_has_something_to_show(store: Store, key: str, expected: str) -> None:
    app = AssayApp(store, None, clock_us=lambda: NOW_US + 3 * DAY_US)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, key)
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, RangedScreen)
        assert screen.period.name == expected
        assert expected in screen_text(pilot)
        await press(pilot, "w")
        assert screen.period.name == "last 30 days"


def test_totals_say_what_they_count() -> None:
    assert sessions_text(2, 2) == "2 active sessions"
    assert sessions_text(1, 1) == "1 active session"
    assert sessions_text(2_000, 3_500) == "the newest 2,000 of 3,500 active sessions"


async def test_enter_jumps_to_the_requests_of_a_source(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s", "w", "3")
        source = _sources(pilot).table.selected
        assert source is not None
        await press(pilot, "enter")
        await settle(pilot)
        assert f"source:={source.source_name}" in live_screen(pilot).filter_text
        assert live_screen(pilot).requests.row_count == source.usage_count


async def test_y_copies_the_table_as_text(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "s", "y")
        lines = pilot.app.clipboard.splitlines()
        assert lines[0].startswith("kind\tsource")
        assert len(lines) == len(_sources(pilot).table.sorted_rows) + 1


async def test_nothing_captured_says_how_to_look_further(empty_store: Store) -> None:
    async with running(empty_store) as pilot:
        await press(pilot, "s")
        assert "w looks further back" in screen_text(pilot)
        await press(pilot, "a")
        assert "No session was active" in screen_text(pilot)


async def test_sessions_show_totals_growth_and_agents(store: Store) -> None:
    async with running(store, size=(200, 50)) as pilot:
        await press(pilot, "a")
        assert _sessions(pilot).table.row_count == 2
        text = screen_text(pilot)
        assert "Context" in text
        assert "main" in text
        assert "code-reviewer" in text


async def test_the_cursor_selects_another_session(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "a", "j")
        session = _sessions(pilot).table.selected
        assert session is not None
        assert session.session_id in screen_text(pilot)


async def test_enter_jumps_to_the_requests_of_a_session(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "a")
        session = _sessions(pilot).table.selected
        assert session is not None
        await press(pilot, "enter")
        await settle(pilot)
        assert live_screen(pilot).requests.row_count >= session.requests


async def test_sessions_sort_copy_and_change_the_period(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "a", "o", "v", "O")
        screen = _sessions(pilot)
        assert screen.table.sorted_by == "last"
        await press(pilot, "y")
        assert screen.table.selected is not None
        assert pilot.app.clipboard == screen.table.selected.session_id
        await press(pilot, "w")
        assert screen.period.name == "last 30 days"


@pytest.mark.parametrize("key", ["s", "a", "c"])
async def test_what_arrives_is_read_by_the_screen_in_front(store: Store, key: str) -> None:
    live = FakeLive()
    async with running(store, live) as pilot:
        await press(pilot, key)
        live.callbacks[0]()
        await pilot.pause(1.3)
        await settle(pilot)
        assert pilot.app.screen.is_current
