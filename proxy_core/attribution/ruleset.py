"""The rules that hold for one client, version and kind of call, made ready for matching.

Matching is one anchored regular expression per place, with bounded repetitions only: hostile text cannot make it slow.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from proxy_core.attribution.rules.choose import rules_of
from proxy_core.attribution.rules.model import ClientRules, PieceRule, Place, Version

_NAMED_GROUP = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True, slots=True, eq=False)
class Matcher:
    """All markers believed in one place."""

    expression: re.Pattern[str] | None
    rules: tuple[PieceRule, ...]

    def match(self, text: str, position: int = 0) -> PieceRule | None:
        """Return the first rule whose marker stands at a position."""
        found = self.expression.match(text, position) if self.expression else None
        return self.rules[found.lastindex - 1] if found and found.lastindex else None


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """What to believe where, for one kind of call."""

    client: ClientRules
    is_side_call: bool
    matchers: dict[Place, Matcher]
    key: str
    """Stands for all that the rules depend on."""

    def rule_at(self, place: Place, text: str, position: int = 0) -> PieceRule | None:
        """Return the rule whose marker stands at a position of a text, if it is believed in this place."""
        return self.matchers[place].match(text, position)


@lru_cache(maxsize=64)
def ruleset_for(client_name: str | None, version: Version | None, *, is_side_call: bool) -> Ruleset:
    """Choose and prepare the rules for a client.

    Args:
        client_name: As `clients.identify` says; `None` for an unknown one.
        version: Its version; `None` when unknown, then every rule holds.
        is_side_call: The client made the call by itself, so its own wrappers are believed in user messages.
    """
    client = rules_of(client_name)
    pieces = client.pieces + (client.side_pieces if is_side_call else ())
    valid = tuple(rule for rule in pieces if version is None or rule.since <= version < rule.until)
    matchers = {place: _matcher(tuple(rule for rule in valid if place in rule.places)) for place in Place}
    return Ruleset(client, is_side_call, matchers, f"{client_name}/{version}/{is_side_call}")


@lru_cache(maxsize=512)
def expression_of(rule: PieceRule) -> re.Pattern[str]:
    """Return the rule's own expression, with its named parts."""
    return re.compile(rule.opener if rule.is_pattern else re.escape(rule.opener))


def _matcher(rules: tuple[PieceRule, ...]) -> Matcher:
    if not rules:
        return Matcher(None, ())
    sources = (_NAMED_GROUP.sub("(?:", rule.opener) if rule.is_pattern else re.escape(rule.opener) for rule in rules)
    return Matcher(re.compile("|".join(f"({source})" for source in sources)), rules)
