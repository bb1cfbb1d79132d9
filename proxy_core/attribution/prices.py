"""The price book: what a token of a model costs, from `genai-prices` with its traps handled, and a user's file over it.

Only known model ids are priced: the library matches many by prefix, so a new model that merely starts like an old one would get
the old one's price. Here it stays unpriced, visibly. Nothing in here multiplies tokens: that is `cost.py`.
The library (0.5 s, 32 MB) is imported at the first question.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from proxy_core.attribution.tokens.families import claude_version, plain_model_id
from proxy_core.attribution.user_prices import UserPrices

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

RATE_NAMES = {
    "fresh": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "output": "output_mtok",
}
"""Our rate -> the library's price key ($ per million tokens)."""

SAME_PRICE_AS = {"claude-mythos-5": "claude-fable-5", "claude-mythos-5-1": "claude-fable-5-1"}
"""Models the library lacks -> one of the same price (Anthropic's price page, checked 2026-08-21)."""

ALLOWED_SUFFIX = re.compile(r"(-\d{8}|@\d{8}|-\d{4}-\d{2}-\d{2}|-latest|@latest)?$")
"""What may follow a known id: a date or `latest`, nothing else."""

BATCH_FACTOR = Decimal("0.5")
"""Message batches cost half on every model (documented since 2024); used where the library lists no batch price."""

GEO_FACTOR = Decimal("1.1")
"""`inference_geo: us` costs 1.1 times, all kinds of tokens, from the 4.6 generation on (Anthropic's price page, 2026-08)."""
GEO_SINCE = (4, 6)

PROVIDERS = {"bedrock": "aws", "vertex": "google"}
"""Dialect -> the library's provider; anything else is Anthropic itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuery:
    """What decides the price of a token."""

    model: str | None
    prompt_tokens: int = 0
    """All input tokens of the call: some models cost more above a limit."""
    provider: str = "anthropic"
    at_us: int | None = None
    """Time of the call, microseconds since the epoch; `None`: now."""
    is_batch: bool = False
    is_fast: bool = False
    is_us_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the tokens of one call cost, every modifier applied, in dollars per million."""

    fresh: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    output: Decimal
    web_search: Decimal
    """Dollars per thousand searches."""
    price_model: str
    library: str
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """No price is known, and why."""

    reason: str
    library: str


class PriceBook:
    """Answers what a token costs. Reads no network; the user's file is read once."""

    def __init__(self, user_prices: UserPrices | None = None) -> None:
        self._user = user_prices or UserPrices()
        self.find_rates = lru_cache(maxsize=4096)(self._find_rates)

    def _find_rates(self, query: PriceQuery) -> Rates | Unpriced:
        """Find the rates for a call, or say why there are none."""
        if not query.model:
            return Unpriced(reason="the response names no model", library=library_name())
        listed = self._listed_rates(query)
        own = self._user.rates_for(plain_model_id(query.model))
        if own is None and not self._user.has_factor:
            return listed
        return self._user.apply(query, own, listed)

    def _listed_rates(self, query: PriceQuery) -> Rates | Unpriced:
        info = _find_model(query.model or "", query.provider)
        if info is None:
            return Unpriced(reason=f"no price is known for {query.model}", library=library_name())
        at = datetime.now(UTC) if query.at_us is None else datetime.fromtimestamp(query.at_us / 1_000_000, UTC)
        modifiers: list[str] = []
        wanted = {"processing": "batch"} if query.is_batch else {"speed": "fast"} if query.is_fast else {}
        is_listed = _has_variant(info, wanted, at)
        if query.is_fast and (query.is_batch or not is_listed):
            return Unpriced(reason=f"no price is known for fast mode of {query.model}", library=library_name())
        prices = info.get_prices(at, wanted if is_listed else None)
        factor = Decimal(1)
        if query.is_batch:
            modifiers.append("batch")
            factor *= Decimal(1) if is_listed else BATCH_FACTOR
        if query.is_fast:
            modifiers.append("fast")
        if query.is_us_only and query.provider == "anthropic" and (claude_version(query.model or "") or (0,)) >= GEO_SINCE:
            modifiers.append(f"geo us x{GEO_FACTOR}")
            factor *= GEO_FACTOR
        return _rates(info, prices, query.prompt_tokens, factor, modifiers)


def load_price_book(user_file: str | None = None) -> PriceBook:
    """Open the price book.

    Args:
        user_file: Path of the user's TOML price file; `None`: the library's prices alone.

    Raises:
        PriceFileError: The file cannot be read or says something that is no price.
    """
    return PriceBook(UserPrices.read(user_file) if user_file else None)


@lru_cache(maxsize=1)
def library_name() -> str:
    """Name and version of the price list."""
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')}"


@lru_cache(maxsize=1024)
def _find_model(model: str, provider_id: str) -> "ModelInfo | None":
    from genai_prices.data_snapshot import get_snapshot

    reference = SAME_PRICE_AS.get(plain_model_id(model), model).lower()
    if provider_id == "anthropic":
        reference = SAME_PRICE_AS.get(plain_model_id(model), plain_model_id(model))
    try:
        _, info = get_snapshot().find_provider_model(reference, None, provider_id, None)
    except LookupError:
        return None
    plain = plain_model_id(reference)
    is_known = any(_is_dated_form(plain, known) for known in _known_ids(info))
    return info if is_known else None


def _is_dated_form(model: str, known: str) -> bool:
    return model.startswith(known) and ALLOWED_SUFFIX.fullmatch(model[len(known) :]) is not None


def _known_ids(info: "ModelInfo") -> set[str]:
    """Collect the ids that the library's own rules spell out."""
    found = {info.id}
    clauses: list[Any] = [info.match]
    while clauses:
        clause = clauses.pop()
        clauses += getattr(clause, "or_", []) + getattr(clause, "and_", [])
        found |= {getattr(clause, name) for name in ("equals", "starts_with", "contains") if hasattr(clause, name)}
    plain = {re.sub(r"([-@]|-latest|@latest)$", "", plain_model_id(known)) for known in found}
    return {known for known in plain if known.count("-") >= 1}


def _has_variant(info: "ModelInfo", wanted: dict[str, str], at: datetime) -> bool:
    """Tell whether the library lists a price of its own for this: without one it silently prices the standard."""
    return bool(wanted) and any(
        variant.when == wanted and (variant.constraint is None or variant.constraint.active(at))
        for variant in info.price_variants or ()
    )


def _rates(info: "ModelInfo", prices: Any, prompt_tokens: int, factor: Decimal, modifiers: list[str]) -> Rates | Unpriced:
    found: dict[str, Decimal] = {}
    for name, key in RATE_NAMES.items():
        price, limit = _tiered(getattr(prices, key, None), prompt_tokens)
        if price is None and (name in ("fresh", "output")):
            return Unpriced(reason=f"the price list has no {name} price for {info.id}", library=library_name())
        if limit is not None and (text := f"tier >{limit // 1000}k") not in modifiers:
            modifiers.append(text)
        found[name] = (found["fresh"] / factor if price is None else price) * factor
    search, _ = _tiered(getattr(prices, "web_searches_kcount", None), prompt_tokens)
    return Rates(
        **found, web_search=search or Decimal(10), price_model=info.id, library=library_name(), modifiers=tuple(modifiers)
    )


def _tiered(price: Any, prompt_tokens: int) -> tuple[Decimal | None, int | None]:
    """Return the price for a prompt of this size, and the limit it is above (the whole call costs the tier's price)."""
    tiers = [tier for tier in getattr(price, "tiers", ()) if prompt_tokens > tier.start]
    if tiers:
        return tiers[-1].price, tiers[-1].start
    return getattr(price, "base", price), None
