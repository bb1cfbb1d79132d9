from decimal import Decimal
from pathlib import Path

import pytest

from proxy_core.attribution.prices import PriceBook, PriceQuery, Rates, Unpriced
from proxy_core.attribution.user_prices import PriceFileError, UserPrices


def book(tmp_path: Path, text: str) -> PriceBook:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return PriceBook(UserPrices.read(str(path)))


def test_a_discount_is_on_everything(tmp_path: Path) -> None:
    found = book(tmp_path, "discount_factor = 0.8").find_rates(PriceQuery(model="claude-opus-4-8"))

    assert isinstance(found, Rates)
    assert (found.fresh, found.cache_read) == (Decimal("4.0"), Decimal("0.40"))
    assert found.modifiers == ("discount x0.8",)
    assert found.library.endswith(", mine.toml")


def test_own_rates_halve_for_batches_and_cover_dated_ids(tmp_path: Path) -> None:
    prices = book(tmp_path, "[models.claude-house-1]\ninput = 3\noutput = 9\nweb_search = 20\n")

    found = prices.find_rates(PriceQuery(model="claude-house-1-20261101", is_batch=True))

    assert isinstance(found, Rates)
    assert (found.fresh, found.output) == (Decimal("1.5"), Decimal("4.5"))
    assert found.modifiers == ("batch",)


def test_own_rates_without_a_list_need_input_and_output(tmp_path: Path) -> None:
    prices = book(tmp_path, "[models.claude-house-1]\ninput = 3\n[models.other]\ninput=1\noutput=1\n")

    assert isinstance(prices.find_rates(PriceQuery(model="claude-house-1")), Unpriced)
    assert isinstance(prices.find_rates(PriceQuery(model="other", is_fast=True)), Unpriced)
    assert isinstance(prices.find_rates(PriceQuery(model="claude-house-1-x")), Unpriced)


@pytest.mark.parametrize(
    "text",
    [
        "models = 3",
        "[models]\nx = 3",
        "[models.x]\ncolour = 3",
        "[models.x]\ninput = 'a'",
        "[models.x]\ninput = -1",
        "[models.x]\ninput = true",
        "[models.x]\ninput = inf",
        "other = 1",
        "= nonsense",
    ],
)
def test_what_is_no_price_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(PriceFileError, match=r"mine\.toml"):
        book(tmp_path, text)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(PriceFileError):
        UserPrices.read("/nonexistent/prices.toml")
