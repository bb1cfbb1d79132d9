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


def round_to_sum(numerators: Sequence[int], denominator: int) -> tuple[list[int], int]:
    """Round fractions of one denominator to whole numbers that sum to their rounded sum.

    Returns:
        The whole numbers, and their sum: the true sum, rounded half to even.
    """
    total = round(Fraction(sum(numerators), denominator))
    floors = [numerator // denominator for numerator in numerators]
    remainders = [numerator % denominator for numerator in numerators]
    _hand_out(floors, remainders, total - sum(floors))
    return floors, total


def _hand_out(shares: list[int], remainders: Sequence[int], units: int) -> None:
    order = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
    for index in order[:units]:
        shares[index] += 1
