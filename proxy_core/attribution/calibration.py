"""Calibration: estimates between two exact positions become whole numbers that sum to what lies between them.

What is left over is not smeared: each piece moves as far as its own uncertainty says (the conditional mean of independent
errors plus one error that all texts share, since a tokenizer that is off is off for every text). A tool prompt of unsure size
thus takes what an exactly counted text does not. Pure arithmetic: nothing here knows sources, zones or bills.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from proxy_core.attribution.rounding import share_out

_WEIGHT_SCALE = 1 << 20
"""Amounts are shared out in integers; this keeps six digits of a token."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing between two exact positions."""

    estimate: float
    """Tokens expected, 0 or more."""
    variance: float
    """Of the piece's own error, in tokens squared; 0: the figure is certain."""
    is_text: bool = False
    """Shares the error of the tokenizer."""


def calibrate(pieces: Sequence[Piece], target: int, tokenizer_error: float) -> list[int] | None:
    """Fit pieces to the exact size of their interval.

    Args:
        pieces: What lies in the interval, in order.
        target: Its exact size in tokens.
        tokenizer_error: Relative standard error shared by all texts, such as 0.001.

    Returns:
        Tokens of each piece, summing to `target`; `None` when nothing in the interval can hold a token.
    """
    if not any(piece.estimate > 0 or piece.variance > 0 for piece in pieces):
        return [0] * len(pieces) if target == 0 else None
    fitted = _fit(pieces, float(target), tokenizer_error)
    return share_out(target, [round(value * _WEIGHT_SCALE) for value in fitted])


def spread_of(pieces: Sequence[Piece], tokenizer_error: float) -> float:
    """Return the standard error of the sum of pieces, in tokens."""
    text = sum(piece.estimate for piece in pieces if piece.is_text)
    return math.sqrt(sum(piece.variance for piece in pieces) + (tokenizer_error * text) ** 2)


def _fit(pieces: Sequence[Piece], target: float, tokenizer_error: float) -> list[float]:
    """Move the pieces by their share of the residual; a piece that would fall below 0 stays there and the rest moves on."""
    free = list(range(len(pieces)))
    fitted = [piece.estimate for piece in pieces]
    while abs(residual := target - sum(fitted)) >= 0.5:
        text = sum(pieces[index].estimate for index in free if pieces[index].is_text)
        gains = [_gain(pieces[index], text, tokenizer_error) for index in free]
        if not any(gains):
            gains = [fitted[index] for index in free]
        whole = sum(gains) or 1.0
        moved = {index: fitted[index] + residual * gain / whole for index, gain in zip(free, gains, strict=True)}
        for index, value in moved.items():
            fitted[index] = max(0.0, value)
        still_free = [index for index in free if moved[index] >= 0]
        if len(still_free) == len(free):
            break
        free = still_free
    return fitted


def _gain(piece: Piece, text: float, tokenizer_error: float) -> float:
    shared = tokenizer_error**2 * piece.estimate * text if piece.is_text else 0.0
    return piece.variance + shared
