"""The charts screen by keyboard."""

from textual.pilot import Pilot

from storage.store import Store
from storage.views import SeriesGroup, TimeBucket
from tests.tui.dashboard_rig import press, running, screen_text
from tui.charting import Measure
from tui.ranges import PERIODS
from tui.screens.charts import ChartsScreen, buckets_of, window_title


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
