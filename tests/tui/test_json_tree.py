"""The JSON tree."""

from hypothesis import given
from hypothesis import strategies as st

from tui.json_tree import branches, first_unfolded, flatten, pointer, value_at

_DOCUMENT = {
    "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "empty": {}},
    "n": 1,
    "f": None,
    "a": [],
}


def test_folded_is_one_line() -> None:
    assert [row.text.split()[0] for row in flatten(_DOCUMENT, set())] == ["{4}"]


def test_rows_come_in_document_order() -> None:
    rows = flatten(_DOCUMENT, first_unfolded(_DOCUMENT))
    assert [row.label for row in rows] == ["", "request", "model", "messages", "empty", "n", "f", "a"]
    assert [row.kind for row in rows][-3:] == ["number", "literal", "array"]
    assert not rows[-1].is_branch
    assert rows[3].depth == 2


def test_objects_are_named_by_what_tells_them_apart() -> None:
    rows = flatten({"messages": [{"role": "user", "type": "x"}]}, {(), ("messages",)})
    assert rows[-1].text == "{2}  x user"


def test_pointers_are_escaped() -> None:
    assert pointer(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"
    assert pointer(()) == ""


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c), max_leaves=30
)


@given(json)
def test_every_row_leads_to_its_value(document: object) -> None:
    for row in flatten(document, branches(document)):
        value = value_at(document, row.path)
        assert row.is_branch == (isinstance(value, (dict, list)) and bool(value))


def test_depth_is_no_danger() -> None:
    document: object = 1
    for _ in range(5_000):
        document = [document]
    assert len(branches(document)) == 2_000
    assert len(flatten(document, branches(document))) > 1_000
