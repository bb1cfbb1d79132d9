"""Source colours: complete, unique where they must be, and apart under colour blindness."""

import itertools
from collections.abc import Mapping

import pytest
from textual.color import Color

from proxy_core.attribution.model import SourceType, Zone
from tui.colours import KEYED_KINDS, KINDS, kind_colour, series_colour, zone_colour
from tui.theme import DARK, LIGHT, contrast

_LEAST_DISTANCE = 12.0
"""CIE76 distance below which two neighbouring bars would be taken for one."""

_LEAST_BAR_CONTRAST = 3.0
"""What WCAG 2 AA asks of graphics."""

_SERIES = 7

_VISIONS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""Machado, Oliveira and Fernandes 2009, full severity, for linear RGB."""


def _linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _lab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    def root(value: float) -> float:
        return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

    x = root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047)
    y = root(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    z = root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _seen(colour: str, vision: str) -> tuple[float, float, float]:
    linear = _linear(colour)
    seen = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in _VISIONS[vision]]
    return _lab(*seen)


@pytest.mark.parametrize("vision", _VISIONS)
@pytest.mark.parametrize("is_dark", [True, False])
def test_keyed_kinds_stay_apart_in_every_vision(vision: str, is_dark: bool) -> None:
    _assert_apart({str(kind): kind_colour(kind, is_dark=is_dark) for kind in KEYED_KINDS.values()}, vision)


@pytest.mark.parametrize("vision", _VISIONS)
@pytest.mark.parametrize("is_dark", [True, False])
def test_series_stay_apart_in_every_vision(vision: str, is_dark: bool) -> None:
    _assert_apart({str(index): series_colour(index, is_dark=is_dark) for index in range(_SERIES)}, vision)


@pytest.mark.parametrize("vision", _VISIONS)
@pytest.mark.parametrize("is_dark", [True, False])
def test_overhead_stays_apart_from_the_keyed_kinds(vision: str, is_dark: bool) -> None:
    overhead = kind_colour(SourceType.OVERHEAD, is_dark=is_dark)
    for kind in KEYED_KINDS.values():
        _assert_apart({"overhead": overhead, str(kind): kind_colour(kind, is_dark=is_dark)}, vision)


@pytest.mark.parametrize("is_dark", [True, False])
def test_every_bar_stands_out_from_the_ground(is_dark: bool) -> None:
    ground = Color.parse((DARK if is_dark else LIGHT).background or "")
    bars = {str(kind): kind_colour(kind, is_dark=is_dark) for kind in SourceType}
    bars |= {str(zone): zone_colour(zone, is_dark=is_dark) for zone in Zone}
    bars |= {f"series {index}": series_colour(index, is_dark=is_dark) for index in range(_SERIES)}
    faint = {name: colour for name, colour in bars.items() if contrast(Color.parse(colour), ground) < _LEAST_BAR_CONTRAST}
    assert not faint


def _assert_apart(colours: Mapping[str, str], vision: str) -> None:
    seen = {name: _seen(colour, vision) for name, colour in colours.items()}
    for (one, first), (other, second) in itertools.combinations(seen.items(), 2):
        distance = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5
        assert distance >= _LEAST_DISTANCE, f"{one} and {other} look alike ({vision})"


def test_every_kind_has_a_style_and_a_letter_of_its_own() -> None:
    assert set(KINDS) == set(SourceType)
    assert len({style.letter for style in KINDS.values()}) == len(KINDS)


def test_the_keys_are_1_to_9_in_legend_order() -> None:
    assert list(KEYED_KINDS) == [str(number) for number in range(1, 10)]


def test_every_zone_has_two_colours() -> None:
    assert {zone_colour(zone, is_dark=True) for zone in Zone}.isdisjoint({zone_colour(zone, is_dark=False) for zone in Zone})


def test_other_series_repeat_after_seven() -> None:
    assert series_colour(0, is_dark=True) == series_colour(7, is_dark=True)
    assert series_colour(0, is_dark=True) != series_colour(1, is_dark=True)
