from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.rounding import round_to_sum, share_out


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_shares_sum_to_the_whole_and_stay_near_their_due(total: int, weights: list[int]) -> None:
    shares = share_out(total, weights)

    assert sum(shares) == total
    if sum(weights):
        assert all(
            abs(share - Fraction(total * weight, sum(weights))) < 1 for share, weight in zip(shares, weights, strict=True)
        )


def test_nothing_to_share_by_goes_to_the_last() -> None:
    assert share_out(7, [0, 0, 0]) == [0, 0, 7]
    assert share_out(7, []) == []


def test_the_largest_remainders_get_the_rest() -> None:
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]
    assert share_out(10, [10, 15, 5]) == [3, 5, 2]


@given(st.lists(st.integers(0, 10**12), max_size=30), st.integers(1, 10**6))
def test_rounded_fractions_sum_to_their_rounded_sum(numerators: list[int], denominator: int) -> None:
    parts, whole = round_to_sum(numerators, denominator)

    assert sum(parts) == whole == round(Fraction(sum(numerators), denominator))
    assert all(abs(part - Fraction(top, denominator)) < 1 for part, top in zip(parts, numerators, strict=True))
