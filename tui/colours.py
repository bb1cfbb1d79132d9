"""The colour, letter and legend key of each kind of source: one place, the same in every bar, chart and table.

The nine kinds with a key stay apart under the common colour blindnesses (a test simulates them); the other six are rare
and stand beside their name. Where there is no colour at all, bars are drawn with the letters instead.
Must hold nothing but this palette: no widget, no setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from proxy_core.attribution.model import SourceType, Zone


@dataclass(frozen=True, slots=True)
class KindStyle:
    """How one kind of source looks."""

    source_type: SourceType
    label: str
    """Short name for legends and tables."""
    letter: str
    """One letter that stands for the kind where there is no colour; unique."""
    dark: str
    """Colour on a dark ground, `#rrggbb`."""
    light: str
    """Colour on a light ground, `#rrggbb`."""
    key: str | None = None
    """The key that toggles it; `None` for kinds that only the filter line reaches."""


_STYLES: Final = (
    KindStyle(SourceType.USER, "User", "U", "#7cc4f5", "#2b8fd0", "1"),
    KindStyle(SourceType.FRAMEWORK, "Framework", "F", "#7d8797", "#868f9d", "2"),
    KindStyle(SourceType.MCP_SERVER, "MCP", "M", "#f0a020", "#b25000", "3"),
    KindStyle(SourceType.SKILL, "Skill", "S", "#1fa87f", "#00785a", "4"),
    KindStyle(SourceType.MEMORY, "Memory", "Y", "#e58fc0", "#b03483", "5"),
    KindStyle(SourceType.TOOL, "Tool", "T", "#3f74d8", "#1f4fb8", "6"),
    KindStyle(SourceType.AGENT, "Agent", "G", "#f2e05a", "#a98d00", "7"),
    KindStyle(SourceType.FILE, "File", "L", "#b5541c", "#7e3a0c", "8"),
    KindStyle(SourceType.ASSISTANT, "Assistant", "A", "#dfe6f0", "#2c3442", "9"),
    KindStyle(SourceType.COMMAND, "Command", "C", "#57c7c7", "#128a8a"),
    KindStyle(SourceType.HOOK, "Hook", "H", "#a8662e", "#9a5a24"),
    KindStyle(SourceType.OUTPUT_STYLE, "Style", "O", "#9a6fd0", "#7443b0"),
    KindStyle(SourceType.SUMMARY, "Summary", "Z", "#8fae5d", "#5b7a2a"),
    KindStyle(SourceType.OVERHEAD, "Overhead", "V", "#6c6460", "#9a8b84"),
    KindStyle(SourceType.UNATTRIBUTED, "Unknown", "?", "#ff4d6d", "#d6123a"),
)

KINDS: Final[Mapping[SourceType, KindStyle]] = {style.source_type: style for style in _STYLES}
"""Every kind, in legend order."""

KEYED_KINDS: Final[Mapping[str, SourceType]] = {style.key: style.source_type for style in _STYLES if style.key is not None}
"""The kind behind each of the keys 1 to 9."""

_ZONES: Final[Mapping[Zone, tuple[str, str]]] = {
    Zone.CACHE_READ: ("#2a9d8f", "#1b7f73"),
    Zone.CACHE_WRITE_1H: ("#c27ba0", "#94457a"),
    Zone.CACHE_WRITE_5M: ("#e9b44c", "#b07a00"),
    Zone.FRESH: ("#7cc4f5", "#2b78c0"),
    Zone.OUTPUT: ("#dfe6f0", "#3a4252"),
}

_MODELS: Final = (
    ("#7cc4f5", "#2b8fd0"),
    ("#f0a020", "#b25000"),
    ("#1fa87f", "#00785a"),
    ("#e58fc0", "#a8327c"),
    ("#3f74d8", "#1f4fb8"),
    ("#f2e05a", "#a98d00"),
    ("#7d8797", "#868f9d"),
)


UNNAMED: Final[Mapping[SourceType, str]] = {SourceType.USER: "what you wrote", SourceType.ASSISTANT: "earlier answers"}
"""What sources are called that have no name of their own."""


def kind_colour(kind: SourceType, *, is_dark: bool) -> str:
    """Return the colour of a kind of source."""
    style = KINDS[kind]
    return style.dark if is_dark else style.light


def zone_colour(zone: Zone, *, is_dark: bool) -> str:
    """Return the colour of a cache zone."""
    dark, light = _ZONES[zone]
    return dark if is_dark else light


def series_colour(index: int, *, is_dark: bool) -> str:
    """Return the colour of the nth series that is neither a kind nor a zone; they repeat after seven."""
    dark, light = _MODELS[index % len(_MODELS)]
    return dark if is_dark else light
