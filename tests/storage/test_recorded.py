import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.recorded import without_half_pairs


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'"cut \\ud83d"', b'"cut \\ufffd"'),
        (b'"\\uDE00\\uD83D"', b'"\\ufffd\\ufffd"'),
        (b'"\\ud83d\\ud83d\\ude00"', b'"\\ufffd\\ud83d\\ude00"'),
    ],
)
def test_half_a_pair_is_replaced_in_its_place(body: bytes, shown: bytes) -> None:
    assert without_half_pairs(body) == shown
    json.loads(shown).encode()


@pytest.mark.parametrize("body", [b'"\\ud83d\\ude00"', b'"\\\\ud83d"', b'"\\ufffd \\n"', b"\\", b"", b"\\ud83"])
def test_everything_else_stays(body: bytes) -> None:
    assert without_half_pairs(body) == body


@given(st.text(st.characters(), max_size=30) | st.lists(st.sampled_from(["\ud83d", "\ude00", "\\", "u", "d83d"])).map("".join))
def test_every_text_becomes_one_that_can_be_stored(text: str) -> None:
    read = json.loads(without_half_pairs(json.dumps(text).encode()))
    read.encode()
    assert len(read) == len(json.loads(json.dumps(text)))
