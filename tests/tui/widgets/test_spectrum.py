"""The spectrum bar: pure drawing."""

from proxy_core.attribution.model import SourceType
from tui.theme import inks
from tui.widgets.spectrum import spectrum_bar

_INKS = inks(is_dark=True)


def _text(line: object) -> str:
    return "".join(part for part, _ in line)  # type: ignore[attr-defined]


def test_a_bar_is_in_legend_order_whatever_the_view_says() -> None:
    bar = spectrum_bar(((SourceType.TOOL, 10), (SourceType.USER, 10)), 10, is_dark=True, has_colour=False)
    assert _text(bar) == "UUUUUTTTTT"


def test_an_empty_bar_is_blank() -> None:
    assert _text(spectrum_bar((), 5, is_dark=True)) == "     "


def test_what_is_not_put_forward_is_dimmed() -> None:
    bar = spectrum_bar(((SourceType.TOOL, 1), (SourceType.USER, 1)), 10, is_dark=True, highlighted={SourceType.TOOL})
    assert bar[0][1] == _INKS.dimmed
    assert bar[1][1] != _INKS.dimmed


def test_without_colour_letters_are_read_as_text_is() -> None:
    kinds = ((SourceType.OVERHEAD, 1), (SourceType.USER, 1))
    assert {style for _, style in spectrum_bar(kinds, 10, is_dark=True, has_colour=False)} == {_INKS.plain}
    bar = spectrum_bar(kinds, 10, is_dark=True, highlighted={SourceType.USER}, has_colour=False)
    assert [style for _, style in bar] == [_INKS.plain, _INKS.faint]
