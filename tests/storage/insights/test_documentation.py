"""docs/insights.md says what the code does: every kind, every cause, every threshold."""

from pathlib import Path

import pytest

from proxy_core.attribution.cache_breaks import SMALLEST_BREAK_TOKENS, TTL_SECONDS, BreakCause
from storage.insights.drift import NOTICE_GROWTH, SMALLEST_GROWTH_TOKENS
from storage.insights.duplicates import SMALLEST_DUPLICATE_CHARS
from storage.insights.findings import FindingKind
from storage.insights.reading import TURNS_LOOKED_AT
from storage.insights.results import CARRIED_LONG_TURNS, OVERSIZED_TOKENS, SMALLEST_RESULT_TOKENS
from storage.insights.waste import SMALLEST_NAMES_TOKENS
from storage.insights.worth import SMALLEST_RANKED_VOTES

TEXT = (Path(__file__).parents[3] / "docs" / "insights.md").read_text(encoding="utf-8")


def test_the_tables_list_every_kind_and_every_cause() -> None:
    first_cells = [line.split("|")[1].strip(" `") for line in TEXT.splitlines() if line.startswith("| `")]
    assert first_cells == [kind.value for kind in FindingKind] + [cause.value for cause in BreakCause]


@pytest.mark.parametrize(
    "words",
    [
        f"newest {TURNS_LOOKED_AT:,} billed model calls",
        f"from {SMALLEST_NAMES_TOKENS} tokens a request on",
        f"from {SMALLEST_DUPLICATE_CHARS} characters on",
        f"from {OVERSIZED_TOKENS:,} tokens on, still there {CARRIED_LONG_TURNS} requests later",
        f"from {SMALLEST_RESULT_TOKENS} tokens on",
        f"more than {NOTICE_GROWTH:.0%} and at least {SMALLEST_GROWTH_TOKENS} tokens".replace("%", " %"),
        f"below {SMALLEST_BREAK_TOKENS} tokens",
        f"{TTL_SECONDS['5m'] // 60} minutes or {TTL_SECONDS['1h'] // 3600} hour",
        f"Below {SMALLEST_RANKED_VOTES} votes",
    ],
)
def test_every_threshold_is_told_as_it_is(words: str) -> None:
    assert words in TEXT
