"""The pane of the selected request: one tab in front, and only what that needs is asked for."""

import pytest
from textual.widgets import ContentSwitcher

from proxy_core.exchange import ExchangeState
from tests import factories
from tests.tui.widgets.stage import lines_of, staged
from tui.widgets.detail_pane import TABS, DetailPane, Tab, TabContent
from tui.widgets.page_view import PageView


def _page(pane: DetailPane) -> str:
    return "\n".join(lines_of(pane.query_one(PageView)))


async def test_nothing_selected_says_so() -> None:
    async with staged(DetailPane, (100, 30)) as (stage, _):
        pane = stage.query_one(DetailPane)
        assert pane.front is None
        assert pane.query_one(ContentSwitcher).current == "pane-empty"


@pytest.mark.parametrize("tab", TABS)
async def test_a_tab_asks_only_for_what_it_lacks(tab: Tab) -> None:
    async with staged(DetailPane, (100, 30)) as (stage, pilot):
        pane = stage.query_one(DetailPane)
        pane.tab = tab
        pane.detail = factories.exchange_detail()
        await pilot.pause()
        asked = [message.tab for message in stage.said_of(DetailPane.ContentWanted)]
        assert asked == ([tab] if tab in {Tab.RESPONSE, Tab.JSON, Tab.DIFF} else [])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": ExchangeState.OPEN, "status_code": None}, "No answer yet"),
        ({"state": ExchangeState.FAILED, "status_code": None, "error": "reset by peer"}, "✗ reset by peer"),
        ({"state": ExchangeState.INTERRUPTED, "status_code": None, "error": None}, "ended without one"),
    ],
)
async def test_why_there_is_no_answer(changes: dict[str, object], words: str) -> None:
    async with staged(DetailPane, (100, 30)) as (stage, pilot):
        pane = stage.query_one(DetailPane)
        pane.tab = Tab.RESPONSE
        pane.detail = factories.exchange_detail(7, summary=factories.exchange_summary(7, **changes))
        pane.supply(TabContent(exchange=7, tab=Tab.RESPONSE))
        await pilot.pause()
        assert words in _page(pane)


async def test_what_comes_too_late_is_not_shown() -> None:
    async with staged(DetailPane, (100, 30)) as (stage, pilot):
        pane = stage.query_one(DetailPane)
        pane.tab = Tab.JSON
        pane.detail = factories.exchange_detail(7)
        pane.supply(TabContent(exchange=6, tab=Tab.JSON, document={"a": 1}))
        pane.supply(TabContent(exchange=7, tab=Tab.RESPONSE))
        await pilot.pause()
        assert pane.query_one(ContentSwitcher).current == "pane-empty"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attribution_version": None}, "Not read yet"),
        ({}, "Could not be read"),
    ],
)
async def test_without_a_ledger_it_says_why(changes: dict[str, object], words: str) -> None:
    async with staged(DetailPane, (100, 30)) as (stage, pilot):
        pane = stage.query_one(DetailPane)
        summary = factories.exchange_summary(7, **changes)
        pane.detail = factories.exchange_detail(7, summary=summary, ledger=None, facts=None, notes=("odd",))
        await pilot.pause()
        assert words in _page(pane)
        assert "· odd" in _page(pane)
