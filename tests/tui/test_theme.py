"""Both themes can be read: all text has the contrast that WCAG 2 AA asks for, on every ground it stands on."""

import pytest
from textual.color import Color

from proxy_core.attribution.model import SourceType, Zone
from tui.colours import kind_colour, zone_colour
from tui.theme import DARK, LEAST_CONTRAST, LIGHT, contrast, inks, readable

_THEMES = {True: DARK, False: LIGHT}


def _grounds(*, is_dark: bool) -> list[Color]:
    theme = _THEMES[is_dark]
    names = [theme.background, theme.surface, theme.panel, theme.variables["block-cursor-background"]]
    names.append(theme.variables["block-cursor-blurred-background"])
    return [Color.parse(name) for name in names if name is not None]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)
    assert contrast(Color.parse("#ffffff"), Color.parse("#ffffff")) == 1


@pytest.mark.parametrize("is_dark", [True, False])
@pytest.mark.parametrize("name", ["plain", "strong", "muted", "accent", "good", "warning", "error"])
def test_every_ink_can_be_read_on_every_ground(name: str, is_dark: bool) -> None:
    colour = getattr(inks(is_dark=is_dark), name).color
    for ground in _grounds(is_dark=is_dark):
        assert contrast(Color.parse(colour.name), ground) >= LEAST_CONTRAST, f"{name} on {ground.hex}"


@pytest.mark.parametrize("is_dark", [True, False])
def test_every_kind_and_zone_can_be_read_as_text(is_dark: bool) -> None:
    colours = [kind_colour(kind, is_dark=is_dark) for kind in SourceType] + [zone_colour(z, is_dark=is_dark) for z in Zone]
    theme = _THEMES[is_dark]
    grounds = [Color.parse(theme.background or ""), Color.parse(theme.variables["block-cursor-background"])]
    for colour in colours:
        text = readable(colour, is_dark=is_dark).color
        assert text is not None
        for ground in grounds:
            assert contrast(Color.parse(text.name), ground) >= LEAST_CONTRAST, f"{colour} on {ground.hex}"


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    style = readable("#e58fc0", is_dark=True)
    assert style.color is not None
    assert style.color.name == "#e58fc0"


@pytest.mark.parametrize("is_dark", [True, False])
@pytest.mark.parametrize("name", ["warning", "error"])
def test_notices_can_be_read_on_their_own_ground(name: str, is_dark: bool) -> None:
    theme = _THEMES[is_dark]
    colour = Color.parse(getattr(theme, name))
    assert contrast(colour, Color.parse(theme.background or "").blend(colour, 0.2)) >= LEAST_CONTRAST
