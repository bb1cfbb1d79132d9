from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price

from proxy_core.attribution.prices import PriceBook, PriceQuery, Rates, Unpriced, load_price_book

BOOK = PriceBook()
OCTOBER_20 = 1_792_454_400_000_000
"""2026-10-20T00:00:00Z."""


def rates(model: str | None, **fields: object) -> Rates:
    found = BOOK.find_rates(PriceQuery(model=model, **fields))  # type: ignore[arg-type]
    assert isinstance(found, Rates)
    return found


def reason(model: str | None, **fields: object) -> str:
    found = BOOK.find_rates(PriceQuery(model=model, **fields))  # type: ignore[arg-type]
    assert isinstance(found, Unpriced)
    return found.reason


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-8", "5 25 0.5 6.25 10"),
        ("claude-opus-4-5-20251101", "5 25 0.5 6.25 10"),
        ("claude-opus-5-5", "4 20 0.2 5 8"),
        ("claude-fable-5-1", "10 50 0.25 12.5 20"),
        ("claude-mythos-5", "10 50 1 12.5 20"),
        ("claude-mythos-5-1", "10 50 0.25 12.5 20"),
        ("claude-mythos-5-2", "8 40 0.2 10 16"),
        ("claude-sonnet-5-5", "2 10 0.1 2.5 4"),
        ("claude-sonnet-4-20250514", "3 15 0.3 3.75 6"),
        ("claude-3-5-haiku-latest", "0.8 4 0.08 1 1.6"),
        ("claude-haiku-4-5-20251001", "1 5 0.1 1.25 2"),
    ],
)
def test_known_models_have_their_own_price(model: str, expected: str) -> None:
    found = rates(model)

    figures = (found.fresh, found.output, found.cache_read, found.cache_write_5m, found.cache_write_1h)
    assert [Decimal(text) for text in expected.split()] == list(figures)
    assert found.modifiers == ()


@pytest.mark.parametrize(
    "model", ["claude-haiku-4-5-turbo", "claude-opus-4-8-mini", "claude-opus-9", "gpt-4.1", "claude-mythos-preview", None, ""]
)
def test_a_model_that_only_starts_like_a_known_one_stays_unpriced(model: str | None) -> None:
    assert reason(model)


@pytest.mark.parametrize("model", ["claude-opus-4-8", "claude-haiku-5-5", "claude-sonnet-4-5", "claude-fable-5"])
def test_rates_agree_with_the_library(model: str) -> None:
    usage = Usage(
        input_tokens=150_000,
        output_tokens=777,
        cache_read_tokens=90_000,
        cache_write_tokens=30_000,
        cache_write_1h_tokens=10_000,
    )
    found = rates(model, prompt_tokens=150_000)

    ours = (
        found.fresh * 30_000
        + found.cache_read * 90_000
        + found.cache_write_5m * 20_000
        + found.cache_write_1h * 10_000
        + found.output * 777
    ) / 1_000_000
    assert ours == calc_price(usage, model, provider_id="anthropic").total_price


def test_the_cliff_of_haiku_5_5() -> None:
    assert rates("claude-haiku-5-5", prompt_tokens=100_000).fresh == Decimal("0.1")
    above = rates("claude-haiku-5-5", prompt_tokens=100_001)
    assert (above.fresh, above.output, above.modifiers) == (Decimal("0.5"), Decimal("2.5"), ("tier >100k",))


def test_batch_is_half_even_before_the_library_knew() -> None:
    listed = rates("claude-opus-4-8", is_batch=True)
    older = rates("claude-opus-4-8", is_batch=True, at_us=1_760_000_000_000_000)

    assert listed.fresh == older.fresh == Decimal("2.5")
    assert listed.modifiers == older.modifiers == ("batch",)
    assert older.web_search == Decimal(10)


def test_fast_mode_costs_its_own_price_or_is_unpriced() -> None:
    fast = rates("claude-opus-4-8", is_fast=True, at_us=OCTOBER_20)

    assert (fast.fresh, fast.modifiers) == (Decimal(10), ("fast",))
    assert "fast mode" in reason("claude-haiku-4-5", is_fast=True)
    assert "fast mode" in reason("claude-opus-4-8", is_fast=True, is_batch=True)


def test_us_only_inference_costs_a_tenth_more_from_4_6_on() -> None:
    assert rates("claude-opus-4-6", is_us_only=True).fresh == Decimal("5.5")
    assert rates("claude-opus-4-6", is_us_only=True).modifiers == ("geo us x1.1",)
    assert rates("claude-opus-4-5", is_us_only=True).fresh == Decimal(5)


def test_clouds() -> None:
    assert rates("us.anthropic.claude-opus-4-8-v1:0", provider="aws").fresh == Decimal("5.5")
    assert rates("global.anthropic.claude-opus-4-5-20251101-v1:0", provider="aws").fresh == Decimal(5)
    assert rates("claude-opus-4-5@20251101", provider="google").fresh == Decimal(5)
    assert reason("claude-opus-4-8", provider="nobody")


def test_a_price_file_goes_over_the_list(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('[models.claude-opus-4-8]\ninput = 4\n[models."house-model"]\ninput = 1\noutput = 2\n')
    book = load_price_book(str(path))

    found = book.find_rates(PriceQuery(model="claude-opus-4-8"))
    assert isinstance(found, Rates)
    assert (found.fresh, found.output, found.library) == (Decimal(4), Decimal(25), "prices.toml")
    house = book.find_rates(PriceQuery(model="house-model"))
    assert isinstance(house, Rates)
    assert (house.cache_read, house.output) == (Decimal(1), Decimal(2))
    assert isinstance(load_price_book(None).find_rates(PriceQuery(model="house-model")), Unpriced)


def test_a_list_without_an_output_price_prices_nothing() -> None:
    from types import SimpleNamespace

    from proxy_core.attribution.prices import _rates

    half = _rates(SimpleNamespace(id="claude-x"), SimpleNamespace(input_mtok=Decimal(1)), 0, Decimal(1), [])  # type: ignore[arg-type]
    whole = _rates(
        SimpleNamespace(id="claude-x"), SimpleNamespace(input_mtok=Decimal(1), output_mtok=Decimal(5)), 0, Decimal(1), []
    )  # type: ignore[arg-type]

    assert isinstance(half, Unpriced)
    assert isinstance(whole, Rates)
    assert whole.cache_read == Decimal(1)
