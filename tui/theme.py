"""Assay's own two themes: calm grounds, one accent, colour kept for what it says.

Must hold colours of the interface only; those of the sources are in `colours.py`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

LEAST_CONTRAST: Final = 4.5
"""What WCAG 2 AA asks of text."""

DARK: Final = Theme(
    name="assay-dark",
    primary="#6fa8dc",
    secondary="#98a2b4",
    accent="#e0b25b",
    foreground="#d3d9e3",
    background="#12151b",
    surface="#171b22",
    panel="#1f242d",
    success="#4fb286",
    warning="#e0b25b",
    error="#ff6b6b",
    dark=True,
    variables={
        "border": "#2b323d",
        "border-blurred": "#232933",
        "block-cursor-background": "#24344a",
        "block-cursor-foreground": "#eef2f8",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#222a36",
        "block-cursor-blurred-foreground": "#d3d9e3",
        "footer-background": "#171b22",
        "footer-key-foreground": "#e0b25b",
        "footer-description-foreground": "#98a2b4",
        "footer-item-background": "#171b22",
        "scrollbar": "#2b323d",
        "scrollbar-hover": "#3a4351",
        "scrollbar-active": "#4a5566",
        "scrollbar-background": "#12151b",
        "scrollbar-background-hover": "#12151b",
        "scrollbar-background-active": "#12151b",
        "scrollbar-corner-color": "#12151b",
        "input-selection-background": "#6fa8dc 35%",
    },
)

LIGHT: Final = Theme(
    name="assay-light",
    primary="#1f5f9f",
    secondary="#565f6d",
    accent="#805300",
    foreground="#252b36",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e9e6df",
    success="#156a41",
    warning="#805300",
    error="#b02525",
    dark=False,
    variables={
        "border": "#d5d0c5",
        "border-blurred": "#e0dcd2",
        "block-cursor-background": "#d6e4f2",
        "block-cursor-foreground": "#141922",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e6e9ec",
        "block-cursor-blurred-foreground": "#252b36",
        "footer-background": "#f3f1ec",
        "footer-key-foreground": "#805300",
        "footer-description-foreground": "#565f6d",
        "footer-item-background": "#f3f1ec",
        "scrollbar": "#d5d0c5",
        "scrollbar-hover": "#bfb9ac",
        "scrollbar-active": "#a59f92",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "scrollbar-corner-color": "#fbfaf7",
        "input-selection-background": "#1f5f9f 25%",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inks:
    """The text styles of a theme, for widgets that draw their lines themselves."""

    is_dark: bool
    plain: Style
    strong: Style
    """Titles and the figure that matters."""
    muted: Style
    """What is there to be found, not to be read first."""
    faint: Style
    """Rules, axes, dashes: what needs not be read."""
    dimmed: Style
    """Bars that are not put forward."""
    accent: Style
    good: Style
    warning: Style
    error: Style
    cursor: Style
    """Ground of the selected line in the focused list."""
    blurred_cursor: Style
    """Ground of the selected line elsewhere."""


@lru_cache(maxsize=4)
def inks(*, is_dark: bool) -> Inks:
    """Return the text styles of the dark or the light theme."""
    theme = DARK if is_dark else LIGHT
    foreground = theme.foreground or "default"
    return Inks(
        is_dark=is_dark,
        plain=Style(color=foreground),
        strong=Style(color=foreground, bold=True),
        muted=Style(color=theme.secondary),
        faint=Style(color="#5b6475" if is_dark else "#968f82"),
        dimmed=Style(color="#39414e" if is_dark else "#d3cec3"),
        accent=Style(color=theme.accent),
        good=Style(color=theme.success),
        warning=Style(color=theme.warning),
        error=Style(color=theme.error),
        cursor=Style(bgcolor=theme.variables["block-cursor-background"]),
        blurred_cursor=Style(bgcolor=theme.variables["block-cursor-blurred-background"]),
    )


@lru_cache(maxsize=128)
def readable(colour: str, *, is_dark: bool) -> Style:
    """Return an ink as near to a colour as can be read as text on every ground, that of the cursor included.

    What is bright enough for a bar is often too dark, or too pale, for letters.
    """
    theme = DARK if is_dark else LIGHT
    grounds = [Color.parse(theme.background or ""), Color.parse(theme.variables["block-cursor-background"])]
    own, aim = Color.parse(colour), Color.parse("#ffffff" if is_dark else "#000000")
    for step in range(21):
        mixed = own.blend(aim, step / 20)
        if min(contrast(mixed, ground) for ground in grounds) >= LEAST_CONTRAST:
            return Style(color=mixed.hex6)
    return inks(is_dark=is_dark).plain


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours as WCAG 2 defines it: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    parts = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@lru_cache(maxsize=256)
def ink(colour: str) -> Style:
    """Return the style that writes in a colour."""
    return Style(color=colour)
