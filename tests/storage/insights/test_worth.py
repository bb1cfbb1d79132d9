"""Ratings joined with cost, with an interval that admits how little a few votes say."""

import pytest

from proxy_core.attribution.model import Source, SourceType
from storage.insights.worth import SMALLEST_RANKED_VOTES, RatedUse, worths


def uses(name: str, ratings: list[float], cost_nano_usd: int | None = 1_000_000) -> list[RatedUse]:
    source = Source(SourceType.SKILL, name)
    return [RatedUse(source=source, rating=rating, cost_nano_usd=cost_nano_usd) for rating in ratings]


def test_value_per_dollar_is_the_sum_of_ratings_by_cost() -> None:
    (worth,) = worths(uses("release", [1.0, 0.5, 0.5, 1.0, 0.5]))
    assert worth.value_per_usd == pytest.approx(3.5 / 0.005)
    assert worth.average_rating == pytest.approx(0.7)
    assert worth.is_ranked


def test_two_votes_are_shown_and_not_ranked() -> None:
    found = worths(uses("loved", [1.0, 1.0]) + uses("solid", [0.3] * SMALLEST_RANKED_VOTES))
    assert [(worth.source.source_name, worth.is_ranked) for worth in found] == [("solid", True), ("loved", False)]


def test_ranked_sources_stand_by_value() -> None:
    cheap, dear = uses("cheap", [0.5] * 5, 1_000), uses("dear", [0.9] * 5, 10_000_000)
    assert [worth.source.source_name for worth in worths(dear + cheap)] == ["cheap", "dear"]


def test_one_vote_has_no_interval_and_two_equal_ones_have_a_wide_one() -> None:
    (one,) = worths(uses("a", [1.0]))
    (two,) = worths(uses("a", [1.0, 1.0]))
    assert one.interval is None
    assert two.interval == (-1.0, 1.0)


def test_the_interval_narrows_with_votes() -> None:
    (few,) = worths(uses("a", [0.4, 0.6] * 3))
    (many,) = worths(uses("a", [0.4, 0.6] * 30))
    assert few.interval is not None
    assert many.interval is not None
    assert few.interval[0] < many.interval[0] < 0.5 < many.interval[1] < few.interval[1]


@pytest.mark.parametrize("cost", [None, 0])
def test_without_a_cost_there_is_no_value_per_dollar(cost: int | None) -> None:
    (worth,) = worths(uses("a", [1.0] * 5, cost))
    assert worth.value_per_usd is None
