"""Fair whole numbers: parts that must sum to a whole, by largest remainder. Exact arithmetic only."""

from collections.abc import Sequence
from fractions import Fraction


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Share a whole number out by weight, so that the shares sum to it.

    Args:
        total: What is to be shared, 0 or more.
        weights: Not negative. When all are 0, the last part gets everything.

    Returns:
        One share for each weight. The largest remainders get the units left over, the first of equals first.
    """
    if not weights:
        return []
    whole = sum(weights)
    if whole == 0:
        return [0] * (len(weights) - 1) + [total]
    shares = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    _hand_out(shares, remainders, total - sum(shares))
    return shares


def round_to_sum(amounts: Sequence[Fraction], total: int) -> list[int]:
    """Round amounts to whole numbers that sum to `total`, which must be their sum, rounded either way."""
    floors = [amount.numerator // amount.denominator for amount in amounts]
    remainders = [amount - floor for amount, floor in zip(amounts, floors, strict=True)]
    _hand_out(floors, remainders, total - sum(floors))
    return floors


def _hand_out(shares: list[int], remainders: Sequence[int | Fraction], units: int) -> None:
    order = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
    for index in order[:units]:
        shares[index] += 1
