"""The charts screen by keyboard."""

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from screenshots.fixture import NOW_US
from storage.store import Store
from storage.views import SeriesGroup, TimeBucket
from tests.tui.dashboard_rig import press, running, screen_text
from tui.charting import Measure
from tui.ranges import PERIODS
from tui.screens.charts import ChartsScreen, ChartView, SeriesRead, buckets_of, draw_chart, window_title
from tui.theme import inks


def _charts(pilot: Pilot[None]) -> ChartsScreen:
    assert isinstance(pilot.app.screen, ChartsScreen)
    return pilot.app.screen


async def test_tokens_by_kind_and_the_window_are_drawn(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "c")
        text = screen_text(pilot)
        assert "Tokens by kind of source" in text
        assert "█" in text
        assert "Framework" in text
        assert "Context window: " in text


async def test_it_is_legible_at_80_columns(store: Store) -> None:
    async with running(store, size=(80, 24)) as pilot:
        await press(pilot, "c")
        text = screen_text(pilot)
        assert "█" in text
        assert "Context window" in text


async def test_t_stacks_by_model_and_cache(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "c", "t")
        assert _charts(pilot).view.group is SeriesGroup.MODEL
        assert "haiku" in screen_text(pilot)
        await press(pilot, "t")
        assert _charts(pilot).view.group is SeriesGroup.ZONE
        assert "cache read" in screen_text(pilot)


async def test_u_shows_dollars_which_the_cache_has_not(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "c", "u")
        assert "Dollars by kind" in screen_text(pilot)
        await press(pilot, "t", "t")
        assert _charts(pilot).view.measure is Measure.TOKENS
        await press(pilot, "u")
        assert _charts(pilot).view.group is SeriesGroup.KIND


async def test_w_and_b_choose_time_and_columns(store: Store) -> None:
    async with running(store) as pilot:
        await press(pilot, "c", "b")
        assert _charts(pilot).view.bucket is TimeBucket.MINUTE
        await press(pilot, "w")
        assert _charts(pilot).view.period.name == "last 7 days"
        assert _charts(pilot).view.bucket is TimeBucket.HOUR


_ALL_TIME = PERIODS[-1]


@pytest.mark.parametrize(
    ("view", "requests", "said"),
    [
        (ChartView(), 0, ["Nothing was captured in the last 24 hours.", "w looks further back, l shows how to begin."]),
        (ChartView(_ALL_TIME), 0, ["Nothing was captured so far.", "l shows how to begin."]),
        (ChartView(), 3, ["No request in the last 24 hours has tokens.", "w shows another time."]),
        (ChartView(_ALL_TIME, measure=Measure.COST), 3, ["No request so far has a price.", "u shows tokens."]),
    ],
)
def test_where_nothing_can_be_drawn_it_says_why_and_what_to_do(
    store: Store, view: ChartView, requests: int, said: list[str]
) -> None:
    read = SeriesRead(view, (), replace(store.sources.summary(), total_requests=requests), None, None, NOW_US)
    lines = draw_chart(read, 80, 10, inks(is_dark=True), has_colour=True)
    assert ["".join(text for text, _ in line) for line in lines] == ["", *(f"  {line}" for line in said)]


async def test_nothing_captured_is_said(empty_store: Store) -> None:
    async with running(empty_store) as pilot:
        await press(pilot, "c")
        text = screen_text(pilot)
        assert "Nothing was captured" in text
        assert "no session yet" in text


def test_every_period_has_widths_that_make_sense() -> None:
    assert {period.name: buckets_of(period) for period in PERIODS} == {
        "last hour": (TimeBucket.MINUTE,),
        "last 24 hours": (TimeBucket.MINUTE, TimeBucket.HOUR),
        "last 7 days": (TimeBucket.HOUR, TimeBucket.DAY),
        "last 30 days": (TimeBucket.HOUR, TimeBucket.DAY),
        "all time": (TimeBucket.DAY, TimeBucket.HOUR),
    }


def test_a_window_without_a_session_is_said() -> None:
    assert window_title(None, None) == " Context window: no session yet"
