"""The order of the request list."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.outline import OutlineEntry
from tui.outline import GROUPINGS, Arrangement, Group, Grouping, GroupKey, Rows


def _entry(
    number: int, session: str | None = "s1", prompt: str | None = None, agent: str | None = None, **more: int | None
) -> OutlineEntry:
    fields: dict[str, int | None] = {"is_error": 0, "input_tokens": 10, "cost_nano_usd": 5} | more
    return OutlineEntry(number, session, prompt, agent, **fields)  # type: ignore[arg-type]


def _rows(entries: Sequence[OutlineEntry], grouping: Grouping, folded: frozenset[GroupKey] = frozenset()) -> Rows:
    """Arrange requests once."""
    arrangement = Arrangement(grouping)
    arrangement.replace_newest(0, entries, 0)
    return arrangement.rows(folded)


def test_flat_is_the_order_of_arrival() -> None:
    assert Rows.flat([2, 1]) == [2, 1]


def test_sessions_keep_the_order_of_their_first_request() -> None:
    rows = _rows([_entry(1), _entry(2, "s2"), _entry(3)], Grouping.SESSION)
    assert [row if isinstance(row, int) else row.key for row in rows] == [("s1",), 1, 3, ("s2",), 2]


def test_a_heading_sums_up_what_is_known() -> None:
    entries = [_entry(1, is_error=1), _entry(2, input_tokens=None, cost_nano_usd=None), _entry(3, cost_nano_usd=7)]
    heading = _rows(entries, Grouping.SESSION)[0]
    assert heading == Group(("s1",), False, 3, 1, 20, 12, 1)
    unknown = _rows([_entry(1, input_tokens=None, cost_nano_usd=None)], Grouping.SESSION)[0]
    assert isinstance(unknown, Group)
    assert unknown.input_tokens is None
    assert unknown.cost_nano_usd is None


def test_prompts_and_agents_lie_below_sessions() -> None:
    entries = [_entry(1, prompt="p1"), _entry(2, prompt="p1", agent="a1"), _entry(3, prompt="p2")]
    prompts = _rows(entries, Grouping.PROMPT)
    assert [row if isinstance(row, int) else row.key for row in prompts] == [("s1",), ("s1", "p1"), 1, 2, ("s1", "p2"), 3]
    agents = _rows(entries, Grouping.AGENT)
    assert [row if isinstance(row, int) else row.key for row in agents] == [("s1",), ("s1", None), 1, 3, ("s1", "a1"), 2]


def test_what_is_folded_is_left_out() -> None:
    entries = [_entry(1, prompt="p1"), _entry(2, prompt="p2"), _entry(3, "s2")]
    rows = _rows(entries, Grouping.PROMPT, frozenset({("s1", "p1"), ("s2",)}))
    assert [row if isinstance(row, int) else row.key for row in rows] == [("s1",), ("s1", "p1"), ("s1", "p2"), 2, ("s2",)]
    assert [heading.key for heading in rows.headings] == [("s1",), ("s1", "p1"), ("s1", "p2"), ("s2",)]
    assert rows.top_keys == {("s1",), ("s2",)}
    assert [row.depth for row in rows if isinstance(row, Group)] == [0, 1, 1, 0]


_ENTRIES = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["s1", "s2", None]), st.sampled_from(["p1", "p2", None]), st.integers(0, 3)),
    max_size=30,
    unique_by=lambda entry: entry[0],
)


@given(st.lists(_ENTRIES, min_size=1, max_size=5), st.sampled_from(GROUPINGS[1:]), st.data())
def test_an_arrangement_that_is_kept_current_is_the_one_made_anew(
    turns: list[list[tuple[int, str | None, str | None, int]]], grouping: Grouping, data: st.DataObject
) -> None:
    arrangement = Arrangement(grouping)
    seen = 0
    known: list[OutlineEntry] = []
    for number, turn in enumerate(turns):
        # What is older than what may change stays; the rest is as it is given now.
        known = [entry for entry in known if entry.id <= seen]
        known += [
            _entry(seen + place, session, prompt, prompt, is_error=figure % 2, input_tokens=figure or None, cost_nano_usd=None)
            for place, session, prompt, figure in sorted(turn)
        ]
        keep = data.draw(st.integers(seen, known[-1].id if known else seen), label=f"kept after turn {number}")
        folded = frozenset(data.draw(st.sets(st.sampled_from([("s1",), ("s2", "p1"), (None,), ("s1", None)]), max_size=3)))
        arrangement.replace_newest(seen, [entry for entry in known if entry.id > seen], keep)
        rows = arrangement.rows(folded)
        assert list(rows) == list(_rows(known, grouping, folded))
        assert len(rows) == len(list(rows))
        assert rows[:] == list(rows)
        assert [rows.place_of(row) for row in rows] == list(range(len(rows)))
        seen = max((entry.id for entry in known if entry.id <= keep), default=seen)


def test_rows_stand_still_while_more_comes() -> None:
    arrangement = Arrangement(Grouping.SESSION)
    arrangement.replace_newest(0, [_entry(1), _entry(2, "s2")], 0)
    before = arrangement.rows(frozenset())
    shown = list(before)
    arrangement.replace_newest(0, [_entry(1, "s2"), _entry(3, "s2")], 0)
    assert list(before) == shown
    assert [row if isinstance(row, int) else row.exchanges for row in arrangement.rows(frozenset())] == [2, 1, 3]
    ids = [1, 2]
    flat = Rows.flat(ids)
    ids.append(3)
    assert list(flat) == [1, 2]


def test_rows_are_a_sequence() -> None:
    rows = _rows([_entry(1), _entry(2, "s2"), _entry(3)], Grouping.SESSION)
    assert rows[-1] == 2
    assert rows[1:3] == [1, 3]
    assert [heading.key for heading in rows.headings] == [("s1",), ("s2",)]
    assert rows.branch_at(2) == ("s1",)
    assert rows.branch_at(9) is None
    assert rows.place_of(7) is None
    assert rows == list(rows)
    assert rows != [1]
    assert rows.exchange_count == 3
    assert _rows([_entry(1), _entry(2)], Grouping.PROMPT, frozenset({("s1",)})).exchange_count == 2
    assert Rows.flat([4, 5]).exchange_count == 2
    with pytest.raises(IndexError):
        rows[5]
    assert Rows.flat([4, 5]).branch_at(0) is None
    assert len(Rows()) == 0
