"""What an image costs: by its size in pixels, never by its bytes.

The rule (Anthropic, "Vision", 2026-08-21; confirmed on recorded bills): scale down until neither side exceeds the tier's edge
and the 28-pixel patches do not exceed the tier's tokens; each patch is a token.
"""

import math
from dataclasses import dataclass

PATCH_PX = 28


@dataclass(frozen=True, slots=True)
class ImageTier:
    """How large an image a generation looks at."""

    max_edge_px: int
    max_tokens: int


SMALL_TIER = ImageTier(1568, 1568)
"""Up to the 4.6 generation."""
LARGE_TIER = ImageTier(2576, 4784)
"""From the 4.7 generation on."""


def tier_of(version: tuple[int, int] | None) -> ImageTier:
    """Name the tier of a model's generation; unknown models get the newest."""
    return SMALL_TIER if version is not None and version < (4, 7) else LARGE_TIER


def image_tokens(width_px: int, height_px: int, tier: ImageTier) -> int:
    """Count the tokens of an image, scaled down to the tier first."""
    if width_px <= 0 or height_px <= 0:
        return 0
    width, height = _scaled(width_px, height_px, tier)
    return _patches(width, height)


def _scaled(width_px: int, height_px: int, tier: ImageTier) -> tuple[int, int]:
    """Find the largest long edge that fits the tier, by bisection."""
    long_px, short_px = max(width_px, height_px), min(width_px, height_px)
    low, high = 1, min(long_px, tier.max_edge_px)
    while low < high:
        middle = (low + high + 1) // 2
        if _patches(middle, _short_edge(middle, long_px, short_px)) <= tier.max_tokens:
            low = middle
        else:
            high = middle - 1
    return low, _short_edge(low, long_px, short_px)


def _short_edge(edge_px: int, long_px: int, short_px: int) -> int:
    return max(1, round(edge_px * short_px / long_px))


def _patches(width_px: int, height_px: int) -> int:
    return math.ceil(width_px / PATCH_PX) * math.ceil(height_px / PATCH_PX)
