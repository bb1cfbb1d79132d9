"""Tables: columns that fit, figures near their names, sorting with what is unknown last."""

from dataclasses import dataclass, replace

import pytest

from tests.tui.widgets.stage import lines_of, staged
from tui.widgets.table import Table, TableColumn


@dataclass(frozen=True, slots=True)
class _Fruit:
    name: str
    price: int | None


_FRUITS = (_Fruit("pear", 3), _Fruit("apple", None), _Fruit("plum", 7))
_COLUMNS = (
    TableColumn[_Fruit](
        name="name",
        heading="name",
        width=8,
        draw=lambda row, inks, _: (row.name, inks.plain),
        sort_key=lambda row: row.name,
        is_right=False,
        is_flexible=True,
        is_ascending_first=True,
    ),
    TableColumn[_Fruit](
        name="price",
        heading="price",
        width=6,
        draw=lambda row, inks, _: ("–" if row.price is None else str(row.price), inks.plain),
        sort_key=lambda row: row.price,
    ),
    TableColumn[_Fruit](name="note", heading="note", width=30, draw=lambda _row, inks, _: ("sweet", inks.muted), rank=1),
)


def _table() -> Table[_Fruit]:
    return Table(_COLUMNS, lambda row: row.name, sorted_by="price")


def _names(table: Table[_Fruit]) -> list[str]:
    return [row.name for row in table.sorted_rows]


async def test_unknown_comes_last_either_way() -> None:
    async with staged(_table) as (stage, _):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        assert _names(table) == ["plum", "pear", "apple"]
        table.action_reverse_sort()
        assert _names(table) == ["pear", "plum", "apple"]


async def test_steps_through_the_columns_that_sort() -> None:
    async with staged(_table) as (stage, _):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        table.action_sort_next()
        assert table.sorted_by == "name"
        assert _names(table) == ["apple", "pear", "plum"]
        table.action_sort_previous()
        assert table.sorted_by == "price"


@pytest.mark.parametrize(("cells", "expected"), [(40, "name"), (80, "note")])
async def test_steps_over_columns_that_there_is_no_room_for(cells: int, expected: str) -> None:
    columns = [replace(column, sort_key=lambda row: row.name) for column in _COLUMNS]
    async with staged(lambda: Table(columns, lambda row: row.name, sorted_by="price"), (cells, 10)) as (stage, _):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        table.action_sort_next()
        assert table.sorted_by == expected


async def test_the_column_that_is_sorted_by_stays_however_narrow_the_window() -> None:
    columns = [replace(column, sort_key=lambda row: row.name, rank=column.name != "name") for column in _COLUMNS]
    async with staged(lambda: Table(columns, lambda row: row.name, sorted_by="note"), (44, 10)) as (stage, _):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        assert lines_of(table)[0].split() == ["name", "↓note"]
        table.action_sort_next()
        assert "note" not in lines_of(table)[0], "what is not sorted by gives way"


async def test_a_click_on_a_heading_sorts_and_marks_it() -> None:
    async with staged(_table) as (stage, pilot):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        assert "↓price" in lines_of(table)[0]
        await pilot.click(Table, offset=(2, 0))
        assert "name↑" in lines_of(table)[0]
        await pilot.click(Table, offset=(lines_of(table)[0].index("note"), 0))
        assert table.sorted_by == "name", "nothing sorts by a column without a key"


async def test_the_cursor_stays_on_its_row() -> None:
    async with staged(_table) as (stage, _):
        table = stage.query_one(Table)
        assert table.selected is None
        table.show(_FRUITS)
        table.cursor = 1
        table.show([*_FRUITS, _Fruit("fig", 99)])
        assert table.selected == _Fruit("pear", 3)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200, 300])
async def test_no_row_is_wider_than_the_table_and_narrow_ones_lose_columns(width: int) -> None:
    async with staged(_table, (width, 10)) as (stage, _):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        head, first, *_ = lines_of(table)
        assert len(head) < width
        assert first.split()[:2] == ["plum", "7"]
        assert ("note" in head) == (width >= 60)


async def test_in_a_wide_window_figures_stay_near_the_name() -> None:
    async with staged(_table, (200, 10)) as (stage, _):
        table = stage.query_one(Table)
        table.show(_FRUITS)
        line = lines_of(table)[1]
        assert line.index("7") < 120
        assert len(line) > 190, "the room that is left parts the other columns"
