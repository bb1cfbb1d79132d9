"""Made-up contents of files, logs and tables, so that tool results have the size and the look of real ones."""

import json
import random

_VERBS = ("load", "merge", "check", "group", "round", "post", "settle", "split")
_NOUNS = ("entries", "totals", "days", "batches", "limits", "owners", "rates", "moves")


def file_text(chance: random.Random, area: str, lines: int | None = None) -> str:
    """Return a module about `area`, with line numbers as a Read tool prints them."""
    wanted = lines or chance.randint(40, 160)
    written = [f'"""{area.title()}: what is kept for a day and how it is settled."""', "", "from datetime import date", ""]
    while len(written) < wanted:
        written += _function(chance, area)
    return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(written[:wanted], 1))


def log_text(chance: random.Random, area: str, *, failed: bool) -> str:
    """Return what a test run prints."""
    count = chance.randint(6, 30)
    shown = [f"tests/test_{area}.py " + "." * count]
    if failed:
        shown += [
            f"FAILED tests/test_{area}.py::test_{chance.choice(_VERBS)}_{chance.choice(_NOUNS)} - assert {count} == 0",
            *(f"    {line}" for line in _function(chance, area)),
        ]
    return "\n".join([*shown, f"{1 if failed else 0} failed, {count} passed in {chance.uniform(0.2, 4):.2f}s"])


def query_rows(chance: random.Random) -> str:
    """Return the rows of a query as JSON."""
    rows = [
        {"day": f"2026-{month:02d}-{day:02d}", "entries": chance.randint(900, 40_000)}
        for month in (9, 10)
        for day in range(1, 21)
    ]
    return json.dumps({"rows": rows, "row_count": len(rows)})


def _function(chance: random.Random, area: str) -> list[str]:
    verb, noun = chance.choice(_VERBS), chance.choice(_NOUNS)
    limit = chance.randint(2, 900)
    return [
        "",
        f"def {verb}_{noun}({noun}: list[int], day: date) -> int:",
        f'    """{verb.title()} the {noun} of one day in {area}."""',
        f"    kept = [value for value in {noun} if value < {limit} and is_open(day)]",
        f"    if len(kept) != len({noun}):",
        f'        log.info("{area}: left out %d", len({noun}) - len(kept))',
        "    with lock:",
        f"        state = read_{area}()",
        f"        state.{verb}(kept, limit={limit})",
        "    return sum(kept)",
    ]
