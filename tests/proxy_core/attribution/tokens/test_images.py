import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.tokens.images import LARGE_TIER, SMALL_TIER, ImageTier, image_tokens, tier_of


@pytest.mark.parametrize(
    ("width", "height", "tier", "tokens"),
    [
        (1000, 1000, SMALL_TIER, 1296),
        (200, 200, LARGE_TIER, 64),
        (1, 1, LARGE_TIER, 1),
        (28, 29, LARGE_TIER, 2),
        (1092, 1092, SMALL_TIER, 1521),
        (0, 50, LARGE_TIER, 0),
        (10_000, 1, SMALL_TIER, 56),
    ],
)
def test_patches(width: int, height: int, tier: ImageTier, tokens: int) -> None:
    assert image_tokens(width, height, tier) == tokens


def test_tiers() -> None:
    assert tier_of((4, 6)) is SMALL_TIER
    assert tier_of((4, 7)) is LARGE_TIER
    assert tier_of(None) is LARGE_TIER


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([SMALL_TIER, LARGE_TIER]))
def test_no_image_costs_more_than_its_tier(width: int, height: int, tier: ImageTier) -> None:
    tokens = image_tokens(width, height, tier)

    assert 1 <= tokens <= tier.max_tokens
    assert tokens == image_tokens(height, width, tier)
