"""The first line: places and state."""

import pytest

from storage.views import CaptureCounters
from tests.tui.widgets.stage import lines_of, staged
from tui.widgets.title_bar import Standing, TitleBar

_BUSY = CaptureCounters(captured=9, stored=1_234, in_flight=3, queued=40)


def _bar() -> TitleBar:
    return TitleBar("live")


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (None, ""),
        (Standing(_BUSY, "127.0.0.1:8080"), "● capturing · 127.0.0.1:8080 · 1,234 stored · 3 running · 40 queued"),
        (Standing(CaptureCounters(is_paused=True), "x"), "‖ paused · x · 0 stored"),
        (Standing(CaptureCounters(dropped=1), "x"), "! some lost · x · 0 stored"),
        (Standing(CaptureCounters(writer_errors=1), "x"), "! some lost · x · 0 stored"),
        (Standing(_BUSY, "x", failure="the proxy stopped: why"), "✗ stopped · x"),
        (Standing(_BUSY, "x", failure="storing fails, trying again: why"), "✗ not stored · x"),
        (Standing(None, "assay.db"), "○ viewing · assay.db"),
    ],
)
async def test_the_state_is_told_in_sign_and_words(standing: Standing | None, words: str) -> None:
    async with staged(_bar, (140, 3)) as (stage, _):
        bar = stage.query_one(TitleBar)
        bar.standing = standing
        assert words in lines_of(bar)[0]


@pytest.mark.parametrize("width", range(60, 140, 4))
async def test_narrow_windows_lose_details_before_the_state_and_nothing_is_cut(width: int) -> None:
    async with staged(_bar, (width, 3)) as (stage, _):
        bar = stage.query_one(TitleBar)
        bar.standing = Standing(_BUSY, "127.0.0.1:8080")
        line = lines_of(bar)[0]
        assert "Insights" in line
        assert line.endswith(("Insights", "capturing", "8080", "stored", "running", "queued"))


async def test_a_click_leads_to_the_place() -> None:
    async with staged(_bar) as (stage, pilot):
        at = lines_of(stage.query_one(TitleBar))[0].index("Charts")
        await pilot.click(TitleBar, offset=(at, 0))
        assert [message.mode for message in stage.said_of(TitleBar.PlaceClicked)] == ["charts"]
        before = stage.query_one(TitleBar).render_line(0)
        await pilot.press("ctrl+t")
        assert stage.query_one(TitleBar).render_line(0) != before
