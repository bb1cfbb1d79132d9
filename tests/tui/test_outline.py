"""The order of the request list."""

from storage.outline import OutlineEntry
from tui.outline import Group, Grouping, build_rows, group_keys


def _entry(
    number: int, session: str | None = "s1", prompt: str | None = None, agent: str | None = None, **more: int | None
) -> OutlineEntry:
    fields: dict[str, int | None] = {"is_error": 0, "input_tokens": 10, "cost_nano_usd": 5} | more
    return OutlineEntry(number, session, prompt, agent, **fields)  # type: ignore[arg-type]


def test_flat_is_the_order_of_arrival() -> None:
    assert build_rows([_entry(1), _entry(2, "s2")], Grouping.FLAT, frozenset()) == [1, 2]


def test_sessions_keep_the_order_of_their_first_request() -> None:
    rows = build_rows([_entry(1), _entry(2, "s2"), _entry(3)], Grouping.SESSION, frozenset())
    assert [row if isinstance(row, int) else row.key for row in rows] == [("s1",), 1, 3, ("s2",), 2]


def test_a_heading_sums_up_what_is_known() -> None:
    entries = [_entry(1, is_error=1), _entry(2, input_tokens=None, cost_nano_usd=None), _entry(3, cost_nano_usd=7)]
    heading = build_rows(entries, Grouping.SESSION, frozenset())[0]
    assert heading == Group(("s1",), False, 3, 1, 20, 12, 1)
    unknown = build_rows([_entry(1, input_tokens=None, cost_nano_usd=None)], Grouping.SESSION, frozenset())[0]
    assert isinstance(unknown, Group)
    assert unknown.input_tokens is None
    assert unknown.cost_nano_usd is None


def test_prompts_and_agents_lie_below_sessions() -> None:
    entries = [_entry(1, prompt="p1"), _entry(2, prompt="p1", agent="a1"), _entry(3, prompt="p2")]
    prompts = build_rows(entries, Grouping.PROMPT, frozenset())
    assert [row if isinstance(row, int) else row.key for row in prompts] == [("s1",), ("s1", "p1"), 1, 2, ("s1", "p2"), 3]
    agents = build_rows(entries, Grouping.AGENT, frozenset())
    assert [row if isinstance(row, int) else row.key for row in agents] == [("s1",), ("s1", None), 1, 3, ("s1", "a1"), 2]


def test_what_is_folded_is_left_out() -> None:
    entries = [_entry(1, prompt="p1"), _entry(2, prompt="p2"), _entry(3, "s2")]
    rows = build_rows(entries, Grouping.PROMPT, frozenset({("s1", "p1"), ("s2",)}))
    assert [row if isinstance(row, int) else row.key for row in rows] == [("s1",), ("s1", "p1"), ("s1", "p2"), 2, ("s2",)]
    assert group_keys(rows) == {("s1",), ("s1", "p1"), ("s1", "p2"), ("s2",)}
    assert [row.depth for row in rows if isinstance(row, Group)] == [0, 1, 1, 0]
