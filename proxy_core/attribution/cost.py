"""Cost: what an exchange cost, and each line's share of it, in whole billionths of a dollar that add up.

Exact arithmetic on fractions; rounding happens once, at the end. Which tokens were billed is the business of `billing.py`,
what a token costs that of `prices.py`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from proxy_core.attribution.billing import BilledSampling
from proxy_core.attribution.model import CostBasis, Usage, Zone
from proxy_core.attribution.prices import PROVIDERS, PriceBook, PriceQuery, Rates, Unpriced, library_name
from proxy_core.attribution.rounding import round_to_sum
from proxy_core.attribution.tokens.families import plain_model_id
from proxy_core.dialects.base import PromptParameters

NANO_PER_USD = 1_000_000_000
HOUR_US = 3_600_000_000
ZONE_WORDS = {
    Zone.CACHE_READ: "read from cache",
    Zone.CACHE_WRITE_1H: "written to cache for 1 h",
    Zone.CACHE_WRITE_5M: "written to cache for 5 min",
    Zone.FRESH: "fresh input",
    Zone.OUTPUT: "output",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostItem:
    """Something that costs: tokens of one sampling in one zone, or searches."""

    sampling: int
    """Index into the billed samplings."""
    zone: Zone
    tokens: int
    searches: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The price of an exchange."""

    nano_usd: int | None
    """Whole cost in 1e-9 dollars; `None`: unpriced."""
    item_nano_usd: tuple[int | None, ...]
    """Share of each item, summing to the whole."""
    basis: CostBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingFacts:
    """What beside tokens decides a price."""

    dialect: str
    parameters: PromptParameters
    usage: Usage
    """As the top level of the response says."""
    started_us: int | None


def price_items(items: Sequence[CostItem], samplings: Sequence[BilledSampling], facts: PricingFacts, prices: PriceBook) -> Cost:
    """Price every item and the whole.

    Args:
        items: What the ledger's lines are made of; together they are all that was billed.
        samplings: What was billed.
        facts: Tier, speed, place and time.
        prices: The price list.
    """
    rates = [prices.find_rates(_query(sampling, facts)) for sampling in samplings]
    for found in rates:
        if isinstance(found, Unpriced):
            return unpriced(len(items), found)
    priced = [found for found in rates if isinstance(found, Rates)]
    tariffs = [_tariff(found, is_free=sampling.is_free) for sampling, found in zip(samplings, priced, strict=True)]
    denominator = math.lcm(*(price.denominator for tariff in tariffs for price in tariff.values()))
    shares, whole = round_to_sum([_numerator(item, tariffs[item.sampling], denominator) for item in items], denominator)
    return Cost(
        nano_usd=whole,
        item_nano_usd=tuple(shares),
        basis=_basis(items, samplings, priced, facts, whole),
    )


def unpriced(item_count: int, why: Unpriced) -> Cost:
    """Tell that no price is known."""
    basis = CostBasis(price_model=None, library=why.library, steps=(f"unpriced: {why.reason}",))
    return Cost(nano_usd=None, item_nano_usd=(None,) * item_count, basis=basis)


def free(item_count: int, reason: str) -> Cost:
    """Tell that nothing is charged."""
    basis = CostBasis(price_model=None, library=library_name(), modifiers=("free",), steps=(reason,))
    return Cost(nano_usd=0, item_nano_usd=(0,) * item_count, basis=basis)


def unknown_yet(item_count: int) -> Cost:
    """Tell that there is no bill yet."""
    basis = CostBasis(price_model=None, library=library_name(), steps=("not billed yet",))
    return Cost(nano_usd=None, item_nano_usd=(None,) * item_count, basis=basis)


def _query(sampling: BilledSampling, facts: PricingFacts) -> PriceQuery:
    usage, parameters = facts.usage, facts.parameters
    at_us = None if facts.started_us is None else facts.started_us // HOUR_US * HOUR_US
    provider = next((provider for word, provider in PROVIDERS.items() if word in facts.dialect), "anthropic")
    return PriceQuery(
        model=_priced_model(sampling.model, parameters.model, provider),
        prompt_tokens=sampling.usage.total_input_tokens or 0,
        provider=provider,
        at_us=at_us,
        is_batch=usage.service_tier == "batch" or parameters.is_batch,
        is_fast=(sampling.usage.speed or usage.speed) == "fast",
        is_us_only=usage.inference_geo == "us",
    )


def _priced_model(answered: str | None, requested: str | None, provider: str) -> str | None:
    """Name the model to look up: on clouds only the requested id says in which region, and regions differ in price."""
    is_same = requested is not None and plain_model_id(requested) == plain_model_id(answered or requested)
    return requested if provider != "anthropic" and is_same else answered or requested


def _rate(rates: Rates, zone: Zone) -> Decimal:
    """Return dollars per million tokens in a zone."""
    return {
        Zone.CACHE_READ: rates.cache_read,
        Zone.CACHE_WRITE_1H: rates.cache_write_1h,
        Zone.CACHE_WRITE_5M: rates.cache_write_5m,
        Zone.FRESH: rates.fresh,
        Zone.OUTPUT: rates.output,
    }[zone]


@lru_cache
def _tariff(rates: Rates, *, is_free: bool) -> Mapping[Zone | None, Fraction]:
    """Return billionths of a dollar per token of each zone ($1 per million is 1,000 of them), and per search under `None`."""
    factor = 0 if is_free else 1
    tokens: dict[Zone | None, Fraction] = {zone: Fraction(_rate(rates, zone)) * 1000 * factor for zone in Zone}
    return tokens | {None: Fraction(rates.web_search) * 1_000_000 * factor}


def _numerator(item: CostItem, tariff: Mapping[Zone | None, Fraction], denominator: int) -> int:
    price = tariff[item.zone]
    amount = item.tokens * price.numerator * (denominator // price.denominator)
    if item.searches:
        search = tariff[None]
        amount += item.searches * search.numerator * (denominator // search.denominator)
    return amount


def _basis(
    items: Sequence[CostItem], samplings: Sequence[BilledSampling], rates: Sequence[Rates], facts: PricingFacts, whole: int
) -> CostBasis:
    modifiers = dict.fromkeys(modifier for found in rates for modifier in found.modifiers)
    if facts.usage.service_tier == "priority":
        modifiers["priority tier at list price"] = None
    steps: list[str] = []
    for index, (sampling, found) in enumerate(zip(samplings, rates, strict=True)):
        if len(samplings) > 1:
            steps.append(f"{sampling.kind} by {found.price_model}:")
        if sampling.is_free:
            steps.append("refused before any output: not charged")
            continue
        steps += _steps([item for item in items if item.sampling == index], found)
    steps.append(f"sum = {usd(whole)}")
    return CostBasis(price_model=rates[0].price_model, library=rates[0].library, modifiers=tuple(modifiers), steps=tuple(steps))


def _steps(items: Sequence[CostItem], rates: Rates) -> list[str]:
    steps: list[str] = []
    for zone, words in ZONE_WORDS.items():
        tokens = sum(item.tokens for item in items if item.zone is zone)
        if tokens:
            rate = _rate(rates, zone)
            steps.append(f"{tokens:,} {words} x ${rate:f} per million = {usd(Fraction(rate) * 1000 * tokens)}")
    searches = sum(item.searches for item in items)
    if searches:
        amount = Fraction(rates.web_search) * 1_000_000 * searches
        steps.append(f"{searches:,} web searches x ${rates.web_search:f} per thousand = {usd(amount)}")
    return steps


def usd(nano_usd: Fraction | int) -> str:
    """Write billionths of a dollar as dollars, all digits, no trailing zeros beyond the micro-dollar."""
    whole, rest = divmod(round(nano_usd), NANO_PER_USD)
    digits = f"{rest:09d}"
    return f"${whole:,}.{digits[:6]}{digits[6:].rstrip('0')}"
