"""Assay's own two themes: calm grounds, one accent, colour kept for what it says.

Must hold colours of the interface only; those of the sources are in `colours.py`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.style import Style
from textual.theme import Theme

DARK: Final = Theme(
    name="assay-dark",
    primary="#6fa8dc",
    secondary="#8a94a6",
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
        "block-cursor-background": "#2a3a4f",
        "block-cursor-foreground": "#eef2f8",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#222a36",
        "block-cursor-blurred-foreground": "#d3d9e3",
        "footer-background": "#171b22",
        "footer-key-foreground": "#e0b25b",
        "footer-description-foreground": "#9aa4b4",
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
    secondary="#5d6675",
    accent="#9a6400",
    foreground="#252b36",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#e9e6df",
    success="#1b7f4f",
    warning="#9a6400",
    error="#c22f2f",
    dark=False,
    variables={
        "border": "#d5d0c5",
        "border-blurred": "#e0dcd2",
        "block-cursor-background": "#d3e2f2",
        "block-cursor-foreground": "#141922",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e6e9ec",
        "block-cursor-blurred-foreground": "#252b36",
        "footer-background": "#f3f1ec",
        "footer-key-foreground": "#9a6400",
        "footer-description-foreground": "#5d6675",
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
    """Rules, empty bars, dashes."""
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
        faint=Style(color="#4a5260" if is_dark else "#b9b4a8"),
        accent=Style(color=theme.accent),
        good=Style(color=theme.success),
        warning=Style(color=theme.warning),
        error=Style(color=theme.error),
        cursor=Style(bgcolor=theme.variables["block-cursor-background"]),
        blurred_cursor=Style(bgcolor=theme.variables["block-cursor-blurred-background"]),
    )


@lru_cache(maxsize=256)
def ink(colour: str) -> Style:
    """Return the style that writes in a colour."""
    return Style(color=colour)
