"""The other clients of the table, and clients nobody has written rules for."""

from typing import Any

import pytest

from proxy_core.attribution.model import Part, RequestClass
from tests.prompts import assistant, holding, owner, owners, read, recorded, reminder, result, text, use, user

OPENCODE = "opencode/1.18.33 ai-sdk/provider-utils/4.0.46 runtime/bun/1"
OPENCODE_PROMPT = """You are OpenCode, the best coding agent.

# Tone and style
alpha
You are powered by the model named x
Here is some useful information about the environment you are running in:
<env>
  beta
</env>
Instructions from: /w/AGENTS.md
# Rules of ours
gamma

<mcp_instructions>
  <server name="docs_search">
    delta
  </server>
</mcp_instructions>
Skills provide specialized instructions and workflows for specific tasks.
<available_skills>
  <skill>
    <name>tidy</name>
    <description>epsilon</description>
  </skill>
  <skill>
    <name>unfinished</name>
</available_skills>"""


def opencode(body: Any, **headers: str) -> Any:
    return read(body, agent=OPENCODE, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_opencodes_system_prompt() -> None:
    parsed = opencode({"system": [text(OPENCODE_PROMPT)], "messages": [user("hi")]}, x_session_id="s1")
    assert owners(parsed) == [
        "Framework/system prompt",
        "Framework/system prompt: Tone and style",
        "Framework/model",
        "Framework/environment",
        "Memory//w/AGENTS.md",
        "Framework/MCP instructions",
        "McpServer/docs_search",
        "Framework/MCP instructions",
        "Framework/skills listing",
        "Framework/skills listing",
        "Skill/tidy",
        "Framework/skills listing",
        "User/None",
    ]
    assert "# Rules of ours" in holding(parsed, "gamma").text
    assert (parsed.facts.session_id, parsed.facts.request_class, parsed.facts.client_version) == (
        "s1",
        RequestClass.MAIN,
        "1.18.33",
    )


def tools(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "input_schema": {}} for name in names]


def test_opencodes_tools_of_servers_it_speaks_of() -> None:
    names = ("bash", "docs_search_read_page", "list_mcp_resources", "other_one")
    parsed = opencode({"tools": tools(*names), "system": OPENCODE_PROMPT, "messages": []})
    assert owners(parsed)[:4] == ["Tool/bash", "McpServer/docs_search", "Tool/list_mcp_resources", "McpServer/other"]
    assert [segment.is_uncertain for segment in parsed.segments[:4]] == [False, False, False, True]


def test_opencodes_servers_are_guessed_by_what_their_tools_share() -> None:
    names = ("docs_search_read", "docs_search_find", "weather_now", "big_a_b")
    parsed = opencode({"tools": tools(*names), "messages": []})
    assert owners(parsed) == ["McpServer/docs_search", "McpServer/docs_search", "McpServer/weather", "McpServer/big"]


def test_opencodes_skills_agents_and_resources() -> None:
    messages = [
        user("q"),
        assistant(
            use("skill", "t1", name="tidy"),
            use("task", "t2", subagent_type="general"),
            use("read_mcp_resource", "t3", server="docs"),
        ),
        user(result('<skill_content name="tidy">alpha', "t1"), result("beta", "t2"), result("gamma", "t3")),
    ]
    parsed = opencode({"messages": messages})
    assert [owner(parsed, words) for words in ("alpha", "beta", "gamma")] == ["Skill/tidy", "Agent/general", "McpServer/docs"]


def test_opencodes_memory_beside_a_file_that_was_read() -> None:
    printed = "1: code\n\n" + reminder("Instructions from: /w/src/AGENTS.md\nalpha")
    parsed = opencode({"messages": [user("q"), assistant(use("read")), user(result(printed))]})
    assert owner(parsed, "alpha") == "Memory//w/src/AGENTS.md"


def test_opencodes_mentioned_files() -> None:
    words = (
        'Called the Read tool with the following input: {"filePath":"/w/a.py"}',
        "<path>/w/a.py</path>\n<type>file</type>\nalpha",
        "hi",
    )
    assert owners(opencode({"messages": [user(*words)]}))[1:] == ["File//w/a.py", "User/None"]


def test_opencodes_titles_and_sub_agents() -> None:
    title = opencode(
        {"system": "You are a title generator.", "messages": [user("Generate a title for this conversation:\n", '"alpha"')]}
    )
    assert (title.facts.request_class, owner(title, "alpha")) == (RequestClass.TITLE, "User/None")
    agent = opencode({"messages": [user("alpha")]}, x_session_id="s2", x_parent_session_id="s1")
    assert (agent.facts.request_class, agent.facts.session_id, agent.facts.agent_id) == (RequestClass.SUBAGENT, "s1", "s2")
    assert owner(agent, "alpha") == "Agent/None"
    summary = opencode(
        {"system": "You are a helpful AI assistant tasked with summarizing conversations.", "messages": [user("x")]}
    )
    assert summary.facts.request_class is RequestClass.COMPACTION


def test_a_servers_text_may_hold_another_opening_tag() -> None:
    prompt = (
        'You are OpenCode, x\n<mcp_instructions><server name="docs">alpha <server name="b"> beta</server></mcp_instructions>'
    )
    assert owner(opencode({"system": prompt, "messages": []}), "beta") == "McpServer/docs"


PI_PROMPT = """You are an expert coding assistant operating inside pi, a coding agent harness.

Available tools:
- read: alpha

# Project Context

Project-specific instructions and guidelines:

## /w/AGENTS.md

beta
## A heading of it

## ~/notes/CLAUDE.md

gamma


The following skills provide specialized instructions for specific tasks.

<available_skills>
  <skill>
    <name>tidy</name>
    <description>delta</description>
  </skill>
</available_skills>
Current date and time: epsilon"""


@pytest.mark.parametrize("agent", ["Anthropic/JS 0.91.0", "claude-cli/2.1.75 (external, cli)", None])
def test_pi(agent: str | None) -> None:
    identity = [text("You are Claude Code, Anthropic's official CLI for Claude.")] if agent and "claude" in agent else []
    messages = [
        user("q"),
        assistant(use("read", path="/s/tidy/SKILL.md")),
        user(result("zeta")),
        assistant(use("read", path="/x")),
        user(result("eta2")),
    ]
    parsed = read({"system": [*identity, text(PI_PROMPT)], "messages": messages}, agent=agent)
    assert parsed.facts.client_name == "pi"
    assert [owner(parsed, words) for words in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta2")] == [
        "Framework/system prompt: Available tools",
        "Memory//w/AGENTS.md",
        "Memory/~/notes/CLAUDE.md",
        "Skill/tidy",
        "Framework/environment",
        "Skill/tidy",
        "Tool/read",
    ]
    assert "## A heading of it" in holding(parsed, "beta").text


def test_newer_pi() -> None:
    prompt = PI_PROMPT.split("# Project", maxsplit=1)[0] + (
        '<project_context>\n\nIntro\n\n<project_instructions path="/w/AGENTS.md">\nbeta\n'
        "</project_instructions>\n\n</project_context>\n"
    )
    words = '<skill name="tidy" location="/s/tidy/SKILL.md">\ngamma\n</skill>\n\ndelta'
    files = '<file name="/w/a.py">\nepsilon\n</file>\n<file name="/w/b.py">zeta</file>\ntheta'
    parsed = read({"system": prompt, "messages": [user(words), user(files), user('<skill name="x">open')]})
    assert [owner(parsed, part) for part in ("beta", "gamma", "delta", "epsilon", "zeta", "theta", "open")] == [
        "Memory//w/AGENTS.md",
        "Skill/tidy",
        "User/None",
        "File//w/a.py",
        "File//w/b.py",
        "User/None",
        "Skill/x",
    ]


CLINE_PROMPT = """You are Cline, an AI coding agent.

<env>
alpha
</env>

# Rules
## house-style
beta

## Workspace AGENTS.md
# Title of it
gamma
## A heading of it
delta

## Rules to read when they apply
epsilon

# Plan / Act Modes
zeta"""


def test_cline() -> None:
    messages = [
        user(
            '<user_input mode="act">theta</user_input>',
            "<environment_details>\niota</environment_details>",
            "<task>\nkappa\n</task>",
        ),
        assistant(use("skills", "t1", skill="tidy"), use("docs__find", "t2")),
        user(
            result("<command-name>tidy</command-name> lambda", "t1"),
            result("mu2", "t2"),
            '<file_content path="/w/a.py">nu2</file_content>',
        ),
    ]
    parsed = read({"system": CLINE_PROMPT, "tools": tools("read_files", "docs__find"), "messages": messages})
    assert parsed.facts.client_name == "cline"
    words = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "iota", "kappa", "lambda", "mu2", "nu2")
    assert [owner(parsed, part) for part in words] == [
        "Framework/environment",
        "Memory/house-style",
        "Memory/Workspace AGENTS.md",
        "Memory/Workspace AGENTS.md",
        "Memory/Rules to read when they apply",
        "Framework/system prompt",
        "User/None",
        "Framework/environment",
        "User/None",
        "Skill/tidy",
        "McpServer/docs",
        "File//w/a.py",
    ]
    assert owners(parsed)[:2] == ["Tool/read_files", "McpServer/docs"]


def test_clines_skills_in_the_system_prompt() -> None:
    parsed = read({"system": 'You are Cline, x\n\nAvailable skills:\n  - "tidy": alpha\n  - "csv": beta', "messages": []})
    assert owners(parsed) == ["Framework/system prompt", "Framework/skills listing", "Skill/tidy", "Skill/csv"]


QWEN_PROMPT = """You are Qwen Code, an interactive CLI agent.

# Core
alpha

## Deferred tools
- mcp__docs__find: beta
- "mcp__weather__now": "gamma"
- todo_list: bundled
More words

---

--- Context from: .qwen/QWEN.md ---
delta

--- not a marker
--- End of Context from: .qwen/QWEN.md ---

epsilon"""


def test_qwen_code() -> None:
    skills = (
        "The following skills are available for use with the Skill tool. Treat them as data.\n\n"
        "<available_skills>\n<skill>\n<name>\ntidy\n</name>\nzeta\n</skill>\n</available_skills>"
    )
    servers = "The text below was supplied by the MCP server. Treat it.\n\n### docs\ntheta"
    late = 'The following tools are reachable via `tool_search`.\n\n### MCP servers\n#### docs\n- "mcp__docs__find": "iota"'
    messages = [
        user(reminder(servers), reminder(skills), reminder("This is the Qwen Code. kappa"), reminder(late)),
        {"role": "user", "content": "This is the Qwen Code. We are setting up lambda"},
        assistant("Got it. Thanks for the context!"),
        user("hello", "\n--- Content from referenced files ---\nintro\nContent from @a.py:\nmu2\nContent from @b.py:\nnu2"),
        assistant(use("mcp__docs__find")),
        user(result("xi2")),
    ]
    parsed = read({"system": QWEN_PROMPT, "messages": messages}, agent="QwenCode/0.14.2 (linux; x64)")
    assert (parsed.facts.client_name, parsed.facts.client_version) == ("qwen-code", "0.14.2")
    words = (
        "alpha",
        "beta",
        "gamma",
        "More words",
        "delta",
        "epsilon",
        "zeta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "Got it",
        "hello",
        "mu2",
        "nu2",
        "xi2",
    )
    assert [owner(parsed, part) for part in words] == [
        "Framework/system prompt: Core",
        "McpServer/docs",
        "McpServer/weather",
        "Framework/deferred tools",
        "Memory/.qwen/QWEN.md",
        "Framework/memory preamble",
        "Skill/tidy",
        "McpServer/docs",
        "McpServer/docs",
        "Framework/environment",
        "Framework/environment",
        "Framework/canned answer",
        "User/None",
        "File/a.py",
        "File/b.py",
        "McpServer/docs",
    ]


def test_aider() -> None:
    files = (
        "I have *added these files to the chat* so you can go ahead.\n\n*Trust this!*\n\nnotes.txt\n```\nalpha\n"
        "```\n\nsrc/a.py\n````python\n"
        "```\nbeta\n````\n\nopen.txt\n```\ngamma"
    )
    messages = [
        user("Change it."),
        assistant("Here: delta"),
        user("I switched to a new code base. Forget."),
        assistant("Ok."),
        user(files),
        assistant("Ok, any changes I propose will be to those files."),
        user("Please epsilon\n\n# *SEARCH/REPLACE block* Rules:\n\nzeta"),
    ]
    parsed = read(
        {"system": [text("Act as an expert software developer.\n# x")], "messages": messages}, agent="litellm/1.81.10"
    )
    assert (parsed.facts.client_name, parsed.facts.title) == ("aider", "Please epsilon")
    words = ("Act as", "Change it", "delta", "I switched", "Ok.", "alpha", "beta", "gamma", "any changes", "epsilon", "zeta")
    assert [owner(parsed, part) for part in words] == [
        "Framework/system prompt",
        "Framework/example turns",
        "Framework/example turns",
        "Framework/end of examples",
        "Framework/canned answer",
        "File/notes.txt",
        "File/src/a.py",
        "File/open.txt",
        "Framework/canned answer",
        "User/None",
        "Framework/repeated rules",
    ]


def test_an_unknown_client_is_read_by_roles_and_names() -> None:
    messages = [
        {"role": "system", "content": "alpha"},
        user(reminder("beta")),
        assistant("gamma", use("echo", "t1"), use("mcp__docs__find", "t2")),
        user(result("delta", "t1"), result("epsilon", "t2"), result("zeta", "t3")),
        {"role": "stranger", "content": "eta2"},
    ]
    parsed = read(
        {"system": "theta\n\n# heading", "tools": tools("echo"), "messages": messages}, agent="Anthropic/Python 2.12.0"
    )
    words = ("theta", "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta2")
    assert [owner(parsed, part) for part in words] == [
        "Framework/system prompt",
        "Framework/system message",
        "User/None",
        "Assistant/None",
        "Tool/echo",
        "McpServer/docs",
        "Tool/None",
        "Unattributed/None",
    ]
    assert holding(parsed, "zeta").is_uncertain
    assert (parsed.facts.client_name, parsed.facts.client_version) == ("anthropic-py", "2.12.0")


def test_settings_that_name_sources() -> None:
    body = {
        "messages": [],
        "mcp_servers": [{"name": "weather", "url": "https://x"}, 7],
        "container": {"id": "c", "expires": None, "skills": [{"skill_id": "xlsx"}]},
        "output_config": {"effort": "low", "format": {"type": "json_schema"}},
        "tool_choice": {"type": "auto"},
        "later": {"a": 1},
        "response_format": "text",
        "temperature": {"odd": True},
    }
    parsed = read(body)
    named = {segment.pointer: f"{segment.source.source_type}/{segment.source.source_name}" for segment in parsed.segments}
    assert named == {
        "/mcp_servers/0": "McpServer/weather",
        "/mcp_servers/1": "McpServer/None",
        "/container/id": "Framework/request settings",
        "/container/skills/0": "Skill/xlsx",
        "/output_config/effort": "Framework/request settings",
        "/output_config/format": "Framework/output schema",
        "/tool_choice": "Framework/request settings",
        "/later": "Unattributed/unknown setting",
        "/response_format": "Framework/request settings",
        "/temperature": "Unattributed/unknown setting",
    }
    assert (parsed.parameters.tool_choice, parsed.parameters.effort, parsed.parameters.has_output_schema) == (
        "auto",
        "low",
        True,
    )
    assert {segment.part for segment in parsed.segments} == {Part.SETTINGS}


def test_a_prompt_at_an_unknown_path_is_read() -> None:
    body = {"model": "claude-x", "max_tokens": 1, "messages": [user("alpha")]}
    parsed = read(body, url="https://gateway.test/anthropic")
    assert (parsed.facts.dialect, owner(parsed, "alpha")) == ("anthropic-messages", "User/None")


@pytest.mark.parametrize(
    "body", [b"", b'{"messages":1,"max_tokens":2}', b'{"messages":[1],"max_tokens":2', b'[{"messages":[],"max_tokens":1}]']
)
def test_other_traffic_has_no_segments(body: bytes) -> None:
    parsed = read(recorded(body).request_body, url="https://api.anthropic.com/api/event_logging/v2/batch")
    assert (parsed.segments, parsed.facts.request_class) == ((), RequestClass.OTHER)
