from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.attribution.billing import BilledSampling
from proxy_core.attribution.cost import Cost, CostItem, PricingFacts, free, price_items, unknown_yet, usd
from proxy_core.attribution.model import Usage, Zone
from proxy_core.attribution.prices import PriceBook
from proxy_core.dialects.base import PromptParameters

BOOK = PriceBook()


def sampling(
    model: str | None = "claude-opus-4-8", *, prompt: int = 0, kind: str = "message", is_free: bool = False
) -> BilledSampling:
    return BilledSampling(kind=kind, model=model, usage=Usage(input_tokens=prompt), is_free=is_free)


def item(zone: Zone, tokens: int, *, number: int = 0, searches: int = 0) -> CostItem:
    return CostItem(sampling=number, zone=zone, tokens=tokens, searches=searches)


def price(
    items: list[CostItem], *samplings: BilledSampling, dialect: str = "anthropic", is_batch: bool = False, **usage: Any
) -> Cost:
    facts = PricingFacts(
        dialect=dialect,
        parameters=PromptParameters(model="claude-opus-4-8", is_batch=is_batch),
        usage=Usage(**usage),
        started_us=1_795_000_000_000_000,
    )
    return price_items(items, samplings or (sampling(),), facts, BOOK)


REPLY = [item(Zone.FRESH, 12), item(Zone.OUTPUT, 321), item(Zone.CACHE_WRITE_5M, 800), item(Zone.CACHE_READ, 9000)]


def test_the_reply_everybody_can_check_by_hand() -> None:
    cost = price(REPLY)

    assert cost.nano_usd == 17_585_000
    assert cost.item_nano_usd == (60_000, 8_025_000, 5_000_000, 4_500_000)
    assert cost.basis.price_model == "claude-opus-4-8"
    assert cost.basis.steps == (
        "9,000 read from cache x $0.5 per million = $0.004500",
        "800 written to cache for 5 min x $6.25 per million = $0.005000",
        "12 fresh input x $5 per million = $0.000060",
        "321 output x $25 per million = $0.008025",
        "sum = $0.017585",
    )


@pytest.mark.parametrize(
    ("usage", "nano_usd", "modifiers"),
    [
        ({"service_tier": "batch"}, 8_792_500, ("batch",)),
        ({"speed": "fast"}, 35_170_000, ("fast",)),
        ({"inference_geo": "us"}, 19_343_500, ("geo us x1.1",)),
        ({"inference_geo": "not_available"}, 17_585_000, ()),
        ({"service_tier": "priority"}, 17_585_000, ("priority tier at list price",)),
        ({"is_batch": True}, 8_792_500, ("batch",)),
        ({"dialect": "bedrock"}, 19_343_500, ()),
        ({"dialect": "vertex"}, 17_585_000, ()),
    ],
)
def test_modifiers(usage: dict[str, Any], nano_usd: int, modifiers: tuple[str, ...]) -> None:
    cost = price(REPLY, **usage)

    assert (cost.nano_usd, cost.basis.modifiers) == (nano_usd, modifiers)


@pytest.mark.parametrize(
    ("requested", "nano_usd"),
    [
        ("global.anthropic.claude-opus-4-8-v1:0", 60_000),
        ("eu.anthropic.claude-opus-4-8-v1:0", 66_000),
        ("claude-haiku-4-5", 66_000),
    ],
)
def test_on_clouds_the_requested_region_decides(requested: str, nano_usd: int) -> None:
    facts = PricingFacts(dialect="bedrock", parameters=PromptParameters(model=requested), usage=Usage(), started_us=None)

    assert price_items([item(Zone.FRESH, 12)], [sampling()], facts, BOOK).nano_usd == nano_usd


def test_an_hour_of_cache_and_searches() -> None:
    cost = price([item(Zone.CACHE_WRITE_1H, 1000), item(Zone.OUTPUT, 0, searches=3)], web_search_requests=3)

    assert cost.item_nano_usd == (10_000_000, 30_000_000)
    assert cost.basis.steps[1] == "3 web searches x $10 per thousand = $0.030000"


def test_each_sampling_has_its_own_model_and_cliff() -> None:
    cost = price(
        [item(Zone.FRESH, 100_001), item(Zone.FRESH, 1000, number=1)],
        sampling("claude-haiku-5-5", prompt=100_001),
        sampling("claude-opus-4-8", prompt=1000, kind="advisor_message"),
    )

    assert cost.item_nano_usd == (50_000_500, 5_000_000)
    assert cost.basis.modifiers == ("tier >100k",)
    assert "advisor_message by claude-opus-4-8:" in cost.basis.steps


def test_what_is_free_costs_nothing_and_says_why() -> None:
    refused = price([item(Zone.FRESH, 50)], sampling(is_free=True))

    assert refused.nano_usd == 0
    assert "refused before any output: not charged" in refused.basis.steps
    assert free(2, "counting tokens is free").item_nano_usd == (0, 0)
    assert unknown_yet(1).nano_usd is None


def test_an_unknown_model_has_tokens_but_no_dollars() -> None:
    cost = price(REPLY, sampling("claude-opus-4-8-turbo"))

    assert cost.nano_usd is None
    assert cost.item_nano_usd == (None,) * 4
    assert cost.basis.price_model is None
    assert "claude-opus-4-8-turbo" in cost.basis.steps[0]


def test_a_response_without_a_model_is_priced_as_requested() -> None:
    assert price(REPLY, sampling(None)).nano_usd == 17_585_000


@given(
    st.lists(st.builds(item, st.sampled_from(list(Zone)), st.integers(0, 10**7)), max_size=30),
    st.sampled_from(["claude-opus-4-8", "claude-haiku-5-5", "claude-fable-5-1"]),
    st.fixed_dictionaries({}, optional={"service_tier": st.just("batch"), "inference_geo": st.just("us")}),
)
def test_shares_sum_to_the_whole(items: list[CostItem], model: str, usage: dict[str, str]) -> None:
    cost = price(items, sampling(model), **usage)

    assert cost.nano_usd is not None
    assert sum(share or 0 for share in cost.item_nano_usd) == cost.nano_usd


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "$0.000000"), (17_585_000, "$0.017585"), (1_500, "$0.0000015"), (12_345_678_900_000, "$12,345.6789000")],
)
def test_dollars_are_written_out(nano: int, text: str) -> None:
    assert usd(nano).rstrip("0") == text.rstrip("0")
