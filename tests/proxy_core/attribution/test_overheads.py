from typing import Any

import pytest

from proxy_core.attribution.overheads import CONNECTOR, HISTORY, TOOL_PROMPT_NAME, OverheadBook
from proxy_core.dialects.base import PromptParameters
from tests.hidden_bills import our_context


def book(model: str, context: Any = None, **parameters: Any) -> OverheadBook:
    return OverheadBook(context or our_context(), PromptParameters(model=model, **parameters), model)


def sizes(found: OverheadBook) -> dict[str, float]:
    return {overhead.name: overhead.piece.estimate for overhead in found.overheads()}


@pytest.mark.parametrize(
    ("model", "choice", "tokens"),
    [
        ("claude-opus-4-8", None, 290),
        ("claude-opus-4-8", "any", 410),
        ("claude-opus-4-5-20251101", "auto", 496),
        ("claude-opus-4-20250514", None, 313),
        ("claude-opus-5-5", None, 320),
        ("claude-zephyr", "tool", 400),
    ],
)
def test_the_tool_prompt(model: str, choice: str | None, tokens: int) -> None:
    assert sizes(book(model, tool_choice=choice, tool_types=("custom",))) == {TOOL_PROMPT_NAME: tokens}


def test_no_tools_no_overhead() -> None:
    assert sizes(book("claude-opus-4-8")) == {}


def test_server_tools_have_hidden_definitions() -> None:
    found = sizes(book("claude-opus-4-8", tool_types=("custom", "bash_20250124", "bash_20250124", "web_search_20250305")))

    assert found["hidden definition of bash_20250124"] == 325
    assert found["hidden definition of web_search_20250305"] == 1710
    assert sizes(book("claude-opus-4-5", tool_types=("bash_20250124",)))["hidden definition of bash_20250124"] == 244


def test_settings_that_are_rendered() -> None:
    assert sizes(book("claude-opus-4-5", thinking="enabled", has_output_schema=True)) == {
        "thinking setting": 28,
        "output schema prompt": 117,
    }
    assert sizes(book("claude-opus-4-8", thinking="enabled")) == {}


def test_what_is_held_elsewhere_is_opaque() -> None:
    found = book("claude-opus-4-8", has_thread=True, tool_types=("mcp_toolset",)).overheads()

    assert {overhead.name for overhead in found if overhead.is_opaque} == {HISTORY, CONNECTOR}
    assert [overhead.name for overhead in found if not overhead.at_start] == [HISTORY]


def test_a_bill_teaches_once_for_each_prefix() -> None:
    context = our_context()
    first = book("claude-opus-4-8", context, tool_types=("custom",))
    first.learn({TOOL_PROMPT_NAME: (351, 9.0), "unheard of": (5, 1.0)}, "prefix-a")

    second = book("claude-opus-4-8", context, tool_types=("custom",))
    assert sizes(second) == {TOOL_PROMPT_NAME: 351}
    second.learn({TOOL_PROMPT_NAME: (999, 9.0)}, "prefix-a")
    assert sizes(book("claude-opus-4-8", context, tool_types=("custom",))) == {TOOL_PROMPT_NAME: 351}
    second.learn({TOOL_PROMPT_NAME: (355, 4.0)}, "prefix-b")
    assert sizes(book("claude-opus-4-8", context, tool_types=("custom",))) == {TOOL_PROMPT_NAME: 355}


def test_each_model_and_choice_learns_for_itself() -> None:
    context = our_context()
    book("claude-opus-4-8", context, tool_types=("custom",)).learn({TOOL_PROMPT_NAME: (351, 9.0)}, "p")

    assert sizes(book("claude-opus-4-8", context, tool_types=("custom",), tool_choice="any")) == {TOOL_PROMPT_NAME: 410}
    assert sizes(book("claude-opus-5", context, tool_types=("custom",))) == {TOOL_PROMPT_NAME: 286}


def test_a_bill_that_says_no_more_than_the_prior_teaches_nothing() -> None:
    context = our_context()
    opaque = book("claude-opus-4-8", context, has_thread=True, tool_types=("custom",))
    opaque.learn({TOOL_PROMPT_NAME: (351, 1e9), HISTORY: (5000, 1.0)}, "p")

    assert sizes(book("claude-opus-4-8", context, has_thread=True, tool_types=("custom",))) == {
        TOOL_PROMPT_NAME: 290,
        HISTORY: 0,
    }


def test_an_untested_tokenizer_teaches_only_what_is_near_the_expected() -> None:
    context = our_context()
    unsure = book("claude-opus-4-8", context, tool_types=("custom",))
    unsure.learn({TOOL_PROMPT_NAME: (1300, 9.0)}, "a", is_sure=False)
    assert sizes(book("claude-opus-4-8", context, tool_types=("custom",))) == {TOOL_PROMPT_NAME: 290}

    unsure.learn({TOOL_PROMPT_NAME: (340, 9.0)}, "b", is_sure=False)
    assert sizes(book("claude-opus-4-8", context, tool_types=("custom",))) == {TOOL_PROMPT_NAME: 340}
