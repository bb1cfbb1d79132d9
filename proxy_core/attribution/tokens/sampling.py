"""Texts that are too large or too hostile to count whole: a few slices are counted, the rest is scaled.

Hostile means that nothing language-like is in it: endless runs, noise without a space, a handful of characters. Tokenizers take
seconds on those and nobody reads them.
"""

import re

from proxy_core.attribution.tokens.counting import TokenCount, TokenCounter

MAX_WHOLE_CHARS = 262_144
"""Larger texts are sampled."""
MAX_QUICK_CHARS = 4_194_304
"""Larger texts are scaled by length alone."""
HOSTILE_FROM_CHARS = 8_192
"""Smaller texts are counted whole, whatever they are."""
SLICES = 8
SLICE_CHARS = 8_192
MIN_DISTINCT_CHARS = 8
_NOISE = re.compile(r"[!-~]{4096}")
"""Scripts without spaces are no noise; 4 kB of ASCII without one are."""
_RUN = re.compile(r"(.)\1{2047}", re.DOTALL)


def count_bounded(text: str, counter: TokenCounter, quick: TokenCounter) -> TokenCount:
    """Count a text, whole where that is sane, else by slices.

    Args:
        text: Any text.
        counter: The exact counter.
        quick: A cheap counter whose proportions are about the same.
    """
    if len(text) <= MAX_WHOLE_CHARS and not is_hostile(text):
        return TokenCount(counter.count(text))
    slices = _slices(text)
    exact = sum(counter.count(part) for part in slices)
    if len(text) <= MAX_QUICK_CHARS and not is_hostile(text):
        cheap = sum(quick.count(part) for part in slices)
        return TokenCount(round(exact * quick.count(text) / max(1, cheap)), is_sampled=True)
    return TokenCount(round(exact * len(text) / sum(map(len, slices))), is_sampled=True)


def is_hostile(text: str) -> bool:
    """Tell whether a text is long and nothing like language or code."""
    if len(text) < HOSTILE_FROM_CHARS:
        return False
    return any(
        len(set(part)) < MIN_DISTINCT_CHARS or _NOISE.search(part) is not None or _RUN.search(part) is not None
        for part in _slices(text)
    )


def _slices(text: str) -> list[str]:
    """Cut evenly spread slices out of a text; a short one comes whole, in slices."""
    if len(text) <= SLICES * SLICE_CHARS:
        count = max(1, min(SLICES, len(text) // SLICE_CHARS))
        size = min(SLICE_CHARS, len(text))
    else:
        count, size = SLICES, SLICE_CHARS
    step = (len(text) - size) // max(1, count - 1) if count > 1 else 0
    return [text[index * step : index * step + size] for index in range(count)]
