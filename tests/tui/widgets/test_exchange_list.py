"""The request list: it asks for what it lacks, follows what comes, and stays where it is put."""

from textual import events

from proxy_core.exchange import ExchangeState
from tests import factories
from tests.tui.widgets.stage import lines_of, staged
from tui.outline import Block, Group, Rows, Section
from tui.widgets.exchange_list import ExchangeList

_GROUP = Group(("s",), False, 2, 0, 10, None, 1)


async def test_it_asks_once_for_the_rows_in_sight() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, pilot):
        requests = stage.query_one(ExchangeList)
        requests.show_rows(Rows.flat(list(range(1, 1_001))))
        await pilot.pause()
        (wanted,) = stage.said_of(ExchangeList.RowsWanted)
        assert wanted.ids[-1] == 1_000
        assert len(wanted.ids) < 100
        assert lines_of(requests)[1] == "  ·"
        requests.supply([factories.exchange_summary(number) for number in wanted.ids])
        assert "claude-code" in lines_of(requests)[1]


async def test_it_follows_the_newest_until_the_cursor_is_moved_up() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, pilot):
        requests = stage.query_one(ExchangeList)
        requests.focus()
        requests.show_rows(Rows.flat([1, 2, 3]))
        assert requests.selected_id == 3
        requests.show_rows(Rows.flat([1, 2, 3, 4]))
        assert requests.selected_id == 4
        await pilot.press("k")
        requests.show_rows(Rows.flat([1, 2, 3, 4, 5]))
        assert requests.selected_id == 3
        await pilot.press("G")
        assert requests.is_following
        assert requests.selected_id == 5


async def test_a_row_chosen_by_mouse_is_not_left_for_what_comes_in() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, pilot):
        requests = stage.query_one(ExchangeList)
        requests.show_rows(Rows.flat([1, 2, 3]))
        await pilot.click(ExchangeList, offset=(5, 3))
        assert requests.is_following, "the newest itself was clicked"
        await pilot.click(ExchangeList, offset=(5, 1))
        requests.show_rows(Rows.flat([1, 2, 3, 4]))
        assert requests.selected_id == 1


async def test_who_scrolls_back_stays_there() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, pilot):
        requests = stage.query_one(ExchangeList)
        requests.show_rows(Rows.flat(list(range(1, 101))))
        await pilot.pause()
        await pilot._post_mouse_events([events.MouseScrollUp], requests, offset=(5, 3))
        await pilot.pause(0.3)
        first = requests.visible_rows.start
        assert first < 92
        requests.show_rows(Rows.flat(list(range(1, 111))))
        await pilot.pause()
        assert requests.visible_rows.start == first


async def test_the_heading_counts_what_came_while_the_list_stands_still() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, pilot):
        requests = stage.query_one(ExchangeList)
        requests.focus()
        requests.show_rows(Rows.flat(list(range(1, 101))))
        await pilot.press("k")
        assert "newer" not in lines_of(requests)[0]
        requests.show_rows(Rows.flat(list(range(1, 1_301))))
        await pilot.pause()
        assert lines_of(requests)[0].endswith(" 1.2k newer")
        requests.show_rows(Rows.flat([50, 1_299, 1_300]))
        await pilot.pause()
        assert "newer" not in lines_of(requests)[0], "all that passes another filter is in sight"
        requests.show_rows(Rows.flat(list(range(1, 1_311))))
        await pilot.pause()
        assert lines_of(requests)[0].endswith(" 10 newer"), "what was in sight was seen"
        await pilot.press("G")
        await pilot.pause()
        assert "newer" not in lines_of(requests)[0]


async def test_a_running_row_moves_and_others_stand_still() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, _):
        requests = stage.query_one(ExchangeList)
        running = factories.exchange_summary(2, state=ExchangeState.OPEN, status_code=None, latency_ms=None)
        requests.show_rows(Rows.flat([1, 2]))
        requests.supply([factories.exchange_summary(1), running])
        assert requests.unsettled_ids == [2]
        assert requests.settled_ids(2) == {1}
        assert requests.settled_ids(1) == set()
        before = lines_of(requests)
        requests._now_us = running.started_us + 3_000_000
        after = lines_of(requests)
        assert before[1] == after[1]
        assert before[2] != after[2]
        assert "3.00s" in after[2]


async def test_a_heading_stands_for_its_first_request_and_folds() -> None:
    async with staged(ExchangeList, (120, 10)) as (stage, pilot):
        requests = stage.query_one(ExchangeList)
        requests.focus()
        requests.arranged = "by session"
        requests.show_rows(Rows([Section([Block(_GROUP, [1, 2], 2)])]))
        await pilot.press("g")
        assert requests.selected_row == _GROUP
        assert requests.selected_id == 1
        await pilot.press("j", "space", "z")
        assert [message.key for message in stage.said_of(ExchangeList.FoldRequested)] == [("s",), None]
