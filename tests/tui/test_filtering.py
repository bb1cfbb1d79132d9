"""Keys and words make one filter."""

import pytest

from proxy_core.attribution.model import SourceType
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from tui.filtering import combined_filter, cycle_range, kind_term, quote, session_filter, source_filter, toggle_errors


def test_kinds_are_an_or() -> None:
    assert kind_term({SourceType.SKILL, SourceType.MCP_SERVER}) == "kind:mcp,skill"
    assert kind_term(frozenset()) == ""


def test_line_and_kinds_must_both_hold() -> None:
    assert combined_filter("a or b", {SourceType.USER}).text == "(a or b) kind:user"
    assert combined_filter("", frozenset()).is_empty
    assert combined_filter("status:", frozenset()).is_empty


def test_errors_are_switched() -> None:
    assert toggle_errors("model:opus") == "model:opus error:yes"
    assert toggle_errors("model:opus error:yes") == "model:opus"
    assert toggle_errors("") == "error:yes"
    assert toggle_errors("a or b") == "(a or b) error:yes"
    assert toggle_errors("(a or b) error:yes") == "(a or b)"
    assert toggle_errors('text:"a  error:yes"') == 'text:"a  error:yes" error:yes'
    assert toggle_errors("(error:yes kind:mcp) a") == "(error:yes kind:mcp) a error:yes"


def test_the_time_goes_round() -> None:
    line, seen = "a or b", []
    for _ in range(6):
        line, period = cycle_range(line)
        seen.append((line, period.name))
    assert seen == [
        ("(a or b) since:1h", "last hour"),
        ("(a or b) since:24h", "last 24 hours"),
        ("(a or b) since:7d", "last 7 days"),
        ("(a or b) since:30d", "last 30 days"),
        ("(a or b)", "all time"),
        ("(a or b) since:1h", "last hour"),
    ]
    assert cycle_range("error:yes")[0] == "error:yes since:1h"
    assert cycle_range("since:2h model:opus")[0] == "model:opus since:1h"
    assert cycle_range("-since:1h")[0] == "-since:1h since:1h"
    assert isinstance(parse(cycle_range("@costly or error:yes")[0], {"costly": "cost:>1"}), Filter)


@pytest.mark.parametrize("name", ["context7", "system prompt: Tone", 'say "hi"', "/a/b (c).md", "none", "a\\b"])
def test_every_name_can_be_filtered_by(name: str) -> None:
    assert isinstance(parse(source_filter(SourceType.FRAMEWORK, name)), Filter)


def test_a_kind_alone_and_a_session() -> None:
    assert source_filter(SourceType.USER, None) == "kind:user"
    assert session_filter("14a03569-d26b") == "session:=14a03569-d26b"
    assert quote("plain") == "plain"
