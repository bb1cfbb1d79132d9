"""Headings of branches: pure drawing."""

import pytest

from storage.views import ExchangeSummary
from tests import factories
from tui.outline import Group
from tui.theme import inks
from tui.widgets.group_row import group_line

_INKS = inks(is_dark=True)


def _text(line: object) -> str:
    return "".join(part for part, _ in line)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "first", "words"),
    [
        (("abcdefghijk",), factories.exchange_summary(), "Why does the build fail?"),
        ((None,), None, "no session"),
        (("s", None), None, "main"),
        (("s", None), factories.exchange_summary(), "  ▾ main  "),
        (
            ("s", "a1234567890"),
            factories.exchange_summary(agent_id="a1234567890", agent_type="reviewer"),
            "↳ reviewer a1234567",
        ),
        (("s", "p1"), factories.exchange_summary(), "Why does the build fail?"),
    ],
)
def test_headings_are_named_and_counted(key: tuple[str | None, ...], first: ExchangeSummary | None, words: str) -> None:
    text = _text(group_line(Group(key, False, 3, 1, 12_345, None, 1), first, 120, _INKS))
    assert words in text
    assert "12.3k" in text
    assert "3 requests" in text
    assert "1 failed" in text


def test_a_session_has_its_id_beside_its_title_where_there_is_room() -> None:
    group = Group(("abcdefghijk",), False, 3, 1, 12_345, None, 1)
    assert "Why does the build fail?" in _text(group_line(group, factories.exchange_summary(), 120, _INKS))
    assert "abcdefgh" in _text(group_line(group, factories.exchange_summary(), 120, _INKS))
    assert "abcdefgh" not in _text(group_line(group, factories.exchange_summary(), 79, _INKS))
    assert "session abcdefgh" in _text(group_line(group, None, 79, _INKS))


@pytest.mark.parametrize("width", [60, 79, 119, 199])
def test_a_heading_is_never_cut_at_the_right(width: int) -> None:
    group = Group(("abcdefghijk",), False, 3_456, 1_234, 12_345, None, 1)
    text = _text(group_line(group, factories.exchange_summary(), width, _INKS))
    assert len(text) <= width
    assert "1,234" in text
