"""A user's own price file: negotiated rates, a discount on everything, models that no list knows.

TOML. Every figure is dollars per million tokens (`web_search`: per thousand searches); what a model leaves out stays as listed.

    discount_factor = 0.85            # on everything, listed or not

    [models.claude-opus-4-8]
    input = 4.5
    output = 22.5
    cache_read = 0.45
    cache_write_5m = 5.625
    cache_write_1h = 9.0
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from proxy_core.attribution.prices import PriceQuery, Rates, Unpriced

FIELDS = {
    "input": "fresh",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "web_search": "web_search",
}
"""Name in the file -> name of the rate."""


class PriceFileError(Exception):
    """The user's price file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPrices:
    """What the user's file says."""

    models: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Model id -> rate name -> dollars."""
    discount_factor: Decimal = Decimal(1)
    name: str = "user prices"
    """Name of the file, for the cost basis."""

    @property
    def has_factor(self) -> bool:
        """Whether the file changes every price."""
        return self.discount_factor != 1

    @classmethod
    def read(cls, path: str) -> "UserPrices":
        """Read a price file.

        Raises:
            PriceFileError: It is not there, no TOML, or holds something that is no price.
        """
        try:
            parsed = tomllib.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
        except (OSError, ValueError) as error:
            raise PriceFileError(f"cannot read the price file {path}: {error}") from error
        unknown = set(parsed) - {"models", "discount_factor"}
        if unknown:
            raise PriceFileError(f"{path}: unknown keys {', '.join(sorted(unknown))}")
        models = parsed.get("models", {})
        if not isinstance(models, dict):
            raise PriceFileError(f"{path}: models must be a table")
        return cls(
            models={model.lower(): _read_model(path, model, table) for model, table in models.items()},
            discount_factor=_price(path, "discount_factor", parsed.get("discount_factor", 1)),
            name=Path(path).name,
        )

    def rates_for(self, model: str) -> Mapping[str, Decimal] | None:
        """Return the rates of a model, by its id or its id without the date."""
        if model in self.models:
            return self.models[model]
        stem, _, date = model.replace("@", "-").rpartition("-")
        return self.models.get(stem) if len(date) == 8 and date.isdigit() else None

    def apply(self, query: "PriceQuery", own: Mapping[str, Decimal] | None, listed: "Rates | Unpriced") -> "Rates | Unpriced":
        """Put the user's rates and discount over the listed ones."""
        from proxy_core.attribution.prices import BATCH_FACTOR, Rates, Unpriced

        if isinstance(listed, Unpriced):
            if own is None or not {"fresh", "output"} <= set(own) or query.is_fast:
                return listed
            base = {name: own.get(name, own["fresh"]) for name in FIELDS.values() if name != "web_search"}
            base["web_search"] = own.get("web_search", Decimal(10))
            modifiers: tuple[str, ...] = ("batch",) if query.is_batch else ()
            price_model = query.model or ""
        else:
            modifiers, price_model = listed.modifiers, listed.price_model
            base = {name: getattr(listed, name) for name in FIELDS.values()}
        scale = BATCH_FACTOR if query.is_batch else Decimal(1)
        final = {name: (own[name] * scale if own and name in own else price) for name, price in base.items()}
        if self.has_factor:
            modifiers = (*modifiers, f"discount x{self.discount_factor}")
            final = {name: price * self.discount_factor for name, price in final.items()}
        library = self.name if own else f"{listed.library}, {self.name}"
        return Rates(**final, price_model=price_model, library=library, modifiers=modifiers)


def _read_model(path: str, model: str, table: Any) -> dict[str, Decimal]:
    if not isinstance(table, dict):
        raise PriceFileError(f"{path}: models.{model} must be a table")
    unknown = set(table) - set(FIELDS)
    if unknown:
        raise PriceFileError(f"{path}: models.{model} has unknown keys {', '.join(sorted(unknown))}")
    return {FIELDS[key]: _price(path, f"models.{model}.{key}", value) for key, value in table.items()}


def _price(path: str, key: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise PriceFileError(f"{path}: {key} must be a number")
    price = Decimal(value)
    if not price.is_finite() or price < 0:
        raise PriceFileError(f"{path}: {key} must not be negative")
    return price
