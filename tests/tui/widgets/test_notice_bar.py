"""The place for notices: there when there is something to say, and never cut short of what to do about it."""

import pytest

from tests.tui.widgets.stage import staged
from tui.notices import Gravity, Notice
from tui.widgets.notice_bar import NoticeBar


async def test_nothing_to_say_takes_no_room() -> None:
    async with staged(NoticeBar) as (stage, _):
        bar = stage.query_one(NoticeBar)
        bar.notice = Notice(Gravity.INFO, "So it is", "do this")
        assert bar.display
        bar.notice = None
        assert not bar.display


@pytest.mark.parametrize(("gravity", "sign"), [(Gravity.INFO, "i"), (Gravity.WARNING, "!"), (Gravity.ERROR, "✗")])
async def test_gravity_is_told_by_sign_and_class(gravity: Gravity, sign: str) -> None:
    async with staged(NoticeBar) as (stage, _):
        bar = stage.query_one(NoticeBar)
        bar.notice = Notice(gravity, "So it is", "do this")
        assert str(bar.render()) == f"{sign} So it is  ·  do this"
        assert bar.has_class(f"-{gravity.value}")
        assert not bar.can_focus


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (80, "✗ The disk is full: nothing is recorded  ·  free space, or: assay prune"),
        (60, "✗ The disk is full: nothing is recorded\n  free space, or: assay prune"),
        (30, "✗ The disk is full: nothing is recorded  ·  free space, or: assay prune"),
    ],
)
async def test_a_command_to_type_is_not_torn_apart_where_it_fits_a_line(cells: int, expected: str) -> None:
    async with staged(NoticeBar, (cells, 10)) as (stage, pilot):
        bar = stage.query_one(NoticeBar)
        bar.notice = Notice(Gravity.ERROR, "The disk is full: nothing is recorded", "free space, or: assay prune")
        assert str(bar.render()) == expected
        await pilot.resize_terminal(200, 10)
        await pilot.pause()
        assert "\n" not in str(bar.render())
