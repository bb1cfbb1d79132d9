"""Which program sent a request."""

import pytest

from proxy_core.attribution.clients import Client, header_map, identify


@pytest.mark.parametrize(
    ("agent", "name", "version"),
    [
        ("claude-cli/2.1.330 (external, sdk-cli)", "claude-code", "2.1.330"),
        ("claude-cli/2.1.330 (external, sdk-py, agent-sdk/0.2.187)", "claude-agent-sdk", "2.1.330"),
        ("claude-code/2.1.330", "claude-code", "2.1.330"),
        ("Anthropic/Python 2.12.0", "anthropic-py", "2.12.0"),
        ("AsyncAnthropic/Python 2.12.0", "anthropic-py", "2.12.0"),
        ("Anthropic/JS 1.12.0", "anthropic-ts", "1.12.0"),
        ("opencode/1.18.33 ai-sdk/x", "opencode", "1.18.33"),
        ("QwenCode/0.14 (linux)", "qwen-code", "0.14"),
        ("codex_exec/0.169.0 (Debian)", "codex", "0.169.0"),
        ("curl/8.5.0", "curl", "8.5.0"),
        ("", None, None),
        ("(strange)", None, None),
    ],
)
def test_by_its_user_agent(agent: str, name: str | None, version: str | None) -> None:
    assert identify({"user-agent": agent}, ()) == Client(name, version)


def test_by_its_prompt_behind_a_library_or_another_name() -> None:
    assert identify({"user-agent": "litellm/1.81"}, ("Act as an expert software developer.\n",)).name == "aider"
    heads = ("You are Claude Code", "You are an expert coding assistant operating inside pi, a")
    assert identify({"user-agent": "claude-cli/2.1.75"}, heads) == Client("pi", None)
    assert identify({"user-agent": "opencode/1.2"}, ("You are OpenCode, x",)) == Client("opencode", "1.2")


def test_claude_code_by_its_prompt_only_where_no_header_names_anyone() -> None:
    line = ("x-anthropic-billing-header: cc_version=2.1.330",)
    assert identify({}, line).name == "claude-code"
    assert identify({"user-agent": "Anthropic/JS 1.0"}, line).name == "anthropic-ts"
    assert identify({}, ("anything",)) == Client(None, None)


@pytest.mark.parametrize(
    ("version", "numbers"), [("2.1.330", (2, 1, 330)), ("1.0-beta.2", (1, 0, 2)), (None, None), ("x", None)]
)
def test_versions_as_numbers(version: str | None, numbers: tuple[int, ...] | None) -> None:
    assert Client("x", version).version_numbers == numbers


def test_of_repeated_headers_the_first_counts() -> None:
    assert header_map((("A", "1"), ("a", "2"), ("B", "3"))) == {"a": "1", "b": "3"}
