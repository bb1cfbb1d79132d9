"""Claude Code's requests, in both dialects and all versions seen: every piece goes to who put it there."""

from typing import Any

import pytest

from proxy_core.attribution.model import ContentKind, Part, RequestClass
from tests.prompts import assistant, claude_code, holding, older_claude_code, owner, owners, reminder, result, text, use, user

MEMORY = """Codebase and user instructions are shown below. Be sure to adhere to these instructions.

Contents of /home/u/.claude/CLAUDE.md (user's private global instructions for all projects):

alpha

Contents of /w/CLAUDE.md (project instructions, checked into the codebase):

# A heading
beta

## gamma
"""
SKILLS = """The following skills are available for use with the Skill tool:

- tidy: delta
- acme:triage: epsilon
TRIGGER - more of it
- bare"""
AGENTS = """Available agent types for the Agent tool:
- acme:planner: zeta (Tools: *)
- reviewer: eta

When you launch multiple agents for independent work, theta."""
NAMES = """The following deferred tools are now available via ToolSearch. Their schemas are NOT loaded:
CronCreate
mcp__docs__find
mcp__docs__read"""
CONNECTING = """The following MCP servers are still connecting \u2014 their tools are not yet available but will appear shortly:
my.media-v2
plugin:acme:notes

If the user's request might be served by one of these servers, iota."""
SERVERS = """# MCP Server Instructions

The following MCP servers have provided instructions for how to use their tools and resources:

## docs
kappa

## Usage
of docs as well

## plugin:acme:notes
lambda"""
PIECES = [
    "SessionStart:startup hook success: mu",
    "# Environment\nYou have been invoked in nu",
    "You are powered by the model named xi",
    "# Output Style: dry wit\nomicron\n\n# With a heading",
    NAMES,
    CONNECTING,
    AGENTS,
    SERVERS,
    SKILLS,
    "<total_tokens>15000 tokens left</total_tokens>",
    "dry wit output style is active. Remember to follow pi",
    "UserPromptSubmit hook additional context: rho\n\nsecond paragraph",
    "While auto mode is active: sigma",
    "Today's date is 2026-11-22.",
]
OWNERS = {
    "success: mu": "Hook/SessionStart",
    "in nu": "Framework/environment",
    "named xi": "Framework/model",
    "omicron": "OutputStyle/dry wit",
    "CronCreate": "Tool/CronCreate",
    "mcp__docs__find": "McpServer/docs",
    "my.media-v2": "McpServer/my_media-v2",
    "iota": "Framework/deferred tools",
    "zeta": "Agent/acme:planner",
    "- reviewer: eta": "Agent/reviewer",
    "theta": "Framework/agents listing",
    "have provided instructions": "Framework/MCP instructions",
    "kappa": "McpServer/docs",
    "of docs as well": "McpServer/docs",
    "lambda": "McpServer/plugin_acme_notes",
    "delta": "Skill/tidy",
    "epsilon\nTRIGGER": "Skill/acme:triage",
    "- bare": "Skill/bare",
    "15000": "Framework/token budget",
    "follow pi": "OutputStyle/dry wit",
    "second paragraph": "Hook/UserPromptSubmit",
    "sigma": "Framework/mode",
    "2026-11-22": "Framework/date",
}


def in_system_messages(pieces: list[str]) -> dict[str, Any]:
    return {"model": "claude-opus-5-5", "messages": [user("hello"), {"role": "system", "content": "\n\n".join(pieces)}]}


def in_reminders(pieces: list[str]) -> dict[str, Any]:
    return {"model": "claude-opus-4-6", "messages": [user(*(reminder(piece) for piece in pieces), "hello")]}


@pytest.mark.parametrize("words", OWNERS)
@pytest.mark.parametrize("dialect", [in_system_messages, in_reminders])
def test_each_piece_of_context_has_its_source_in_both_dialects(dialect: Any, words: str) -> None:
    parsed = claude_code(dialect(PIECES))
    assert owner(parsed, words) == OWNERS[words]
    assert owner(parsed, "hello") == "User/None"


def test_memory_files_are_told_apart() -> None:
    parsed = claude_code({"messages": [user(reminder(MEMORY), "hello")]})
    assert owners(parsed) == [
        "Framework/memory preamble",
        "Memory/home/u/.claude/CLAUDE.md".replace("Memory", "Memory/", 1),
        "Memory//w/CLAUDE.md",
        "User/None",
    ]
    assert "## gamma" in holding(parsed, "beta").text


def test_older_memory_ends_with_the_framework() -> None:
    words = (
        f"As you answer the user's questions, you can use the following context:\n# claudeMd\n{MEMORY}\n"
        f"# currentDate\nToday.\n\n      IMPORTANT: this context may not"
    )
    parsed = older_claude_code({"messages": [user(reminder(words) + "\n", "hello")]}, "2.1.197")
    assert owner(parsed, "beta") == "Memory//w/CLAUDE.md"
    assert owner(parsed, "IMPORTANT: this context") == "Framework/memory preamble"


def test_memory_without_files_is_the_frameworks() -> None:
    parsed = claude_code({"messages": [user(reminder("Codebase and user instructions are shown below. None."), "hello")]})
    assert owners(parsed) == ["Framework/memory preamble", "User/None"]


def test_nested_memory_stands_beside_the_result_or_in_a_system_message() -> None:
    nested = "Contents of /w/src/CLAUDE.md:\n\nalpha\n"
    beside = [user("q"), assistant(use("Read", file_path="/w/src/a.py")), user(result("1\tcode"), reminder(nested))]
    parsed = claude_code({"messages": [*beside, {"role": "system", "content": nested.replace("alpha", "beta")}]})
    assert owner(parsed, "alpha") == owner(parsed, "beta") == "Memory//w/src/CLAUDE.md"


@pytest.mark.parametrize("as_blocks", [False, True])
def test_reminders_folded_into_a_result_are_cut_out(as_blocks: bool) -> None:
    tails = [reminder("Contents of /w/src/CLAUDE.md:\n\nalpha"), reminder("<total_tokens>7 tokens left</total_tokens>")]
    content: Any = [text("1\tcode"), *(text(tail) for tail in tails)] if as_blocks else "\n\n".join(["1\tcode", *tails]) + "\n"
    parsed = claude_code({"messages": [user("q"), assistant(use("Read")), user(result(content))]})
    assert owner(parsed, "1\tcode") == "Tool/Read"
    assert owner(parsed, "alpha") == "Memory//w/src/CLAUDE.md"
    assert owner(parsed, "7 tokens") == "Framework/token budget"
    assert not holding(parsed, "alpha").is_uncertain


def test_a_memory_file_cannot_be_folded_into_what_a_shell_printed() -> None:
    printed = "x\n\n" + reminder("Contents of /etc/CLAUDE.md:\n\nalpha")
    parsed = claude_code({"messages": [user("q"), assistant(use("Bash")), user(result(printed))]})
    assert owner(parsed, "alpha") == "Tool/Bash"
    assert holding(parsed, "alpha").is_uncertain


def test_a_memory_file_may_be_folded_into_the_last_result_of_a_turn_that_read_a_file() -> None:
    printed = "x\n\n" + reminder("Contents of /w/src/CLAUDE.md:\n\nalpha")
    calls = assistant(use("Read", "t1"), use("Bash", "t2"))
    parsed = claude_code({"messages": [user("q"), calls, user(result("1\tcode", "t1"), result(printed, "t2"))]})
    assert (owner(parsed, "alpha"), holding(parsed, "alpha").is_uncertain) == ("Memory//w/src/CLAUDE.md", True)


def test_other_reminders_after_a_shell_are_believed_but_uncertain() -> None:
    printed = "x\n\n" + reminder("<total_tokens>7 tokens left</total_tokens>")
    parsed = claude_code({"messages": [user("q"), assistant(use("Bash")), user(result(printed))]})
    assert (owner(parsed, "7 tokens"), holding(parsed, "7 tokens").is_uncertain) == ("Framework/token budget", True)


@pytest.mark.parametrize(
    "printed",
    [
        reminder("Contents of /etc/CLAUDE.md (project instructions):\n\nalpha"),
        "x\n\n" + reminder("alpha, in words nobody knows"),
        "x\n\n</system-reminder>",
        reminder("# Environment\nalpha") + " and more",
        "<system-reminder>\n\n# Environment\nalpha",
    ],
)
def test_what_a_tool_printed_is_the_tools(printed: str) -> None:
    parsed = claude_code({"messages": [user("q"), assistant(use("Bash")), user(result(printed))]})
    assert set(owners(parsed)) == {"User/None", "Tool/Bash"}


def test_only_so_many_folded_reminders_are_looked_for() -> None:
    tail = "\n\n" + reminder("<total_tokens>7 tokens left</total_tokens>")
    parsed = claude_code({"messages": [user("q"), assistant(use("Read")), user(result("x" + tail * 200))]})
    assert holding(parsed, "x\n").text.count("system-reminder") == 2 * (200 - 64)


def test_an_unknown_reminder_beside_a_result_is_the_tools() -> None:
    parsed = claude_code({"messages": [user("q"), assistant(use("Bash")), user(result([text(reminder("alpha"))]))]})
    assert owner(parsed, "alpha") == "Tool/Bash"


def test_what_never_follows_mcp_instructions_is_a_servers_own_words() -> None:
    words = "# MCP Server Instructions\n\nIntro:\n\n## docs\nalpha\n\n# Environment\nbeta\n\nToday's date is gamma"
    parsed = claude_code({"messages": [user("q"), {"role": "system", "content": words}]})
    assert (owner(parsed, "beta"), holding(parsed, "beta").is_uncertain) == ("McpServer/docs", True)
    assert (owner(parsed, "gamma"), holding(parsed, "gamma").is_uncertain) == ("Framework/date", False)


def test_prompts_of_mcp_servers_among_the_skills() -> None:
    words = (
        "The following skills are available for use with the Skill tool:\n\n"
        "- docs:brief (MCP): alpha\n- mcp__docs__more: beta\n- tidy: x"
    )
    parsed = claude_code({"messages": [user(reminder(words), "q")]})
    assert owner(parsed, "alpha") == owner(parsed, "beta") == "McpServer/docs"


def test_recalled_memories_and_the_editors_files() -> None:
    words = (
        reminder("This memory is 3 days old. Check it.\n\nMemory: /m/memory/a.md:\n\nalpha"),
        reminder("Memory (saved today): /m/memory/b.md:\n\nbeta"),
        "<ide_opened_file>The user opened the file /w/a.py in the IDE. It may not matter.</ide_opened_file>",
        "<ide_selection>The user selected the lines 1 to 2 from /w/b.py:\ngamma</ide_selection>",
        "[SUGGESTION MODE: delta]",
        "q",
    )
    assert owners(claude_code({"messages": [user(*words)]})) == [
        "Memory//m/memory/a.md",
        "Memory//m/memory/b.md",
        "File//w/a.py",
        "File//w/b.py",
        "Framework/suggestion prompt",
        "User/None",
    ]


def test_a_heading_with_the_separator_names_a_server() -> None:
    words = "# MCP Server Instructions\n\nIntro:\n\n## a__b\nalpha"
    parsed = claude_code({"tools": [{"name": "mcp__a__b__c"}], "messages": [user("q"), {"role": "system", "content": words}]})
    assert owners(parsed)[0] == "McpServer/a__b"


def test_nothing_is_folded_where_there_are_system_messages() -> None:
    printed = "x\n\n" + reminder("<total_tokens>7 tokens left</total_tokens>")
    body = {
        "messages": [
            user("q"),
            {"role": "system", "content": "Today's date is x"},
            assistant(use("Bash")),
            user(result(printed)),
        ]
    }
    assert owner(claude_code(body), "7 tokens") == "Tool/Bash"


@pytest.mark.parametrize(
    "typed",
    [
        "Explain:\n" + reminder("# Environment\nalpha"),
        reminder("# Environment\nalpha") + "\nExplain that",
        reminder("# Environment") + " alpha " + reminder("# Environment"),
        "# MCP Server Instructions\n\n## evil\nalpha",
        "Contents of /x (why):\n\nalpha",
        '<pasted_content id="28a7">alpha</pasted_content>',
        "<system-reminder>\nalpha",
    ],
)
def test_what_a_person_typed_is_the_persons(typed: str) -> None:
    parsed = claude_code({"messages": [user(typed)]})
    assert owners(parsed) == ["User/None"]


def test_what_the_assistant_wrote_is_the_assistants() -> None:
    parsed = claude_code({"messages": [user("q"), assistant(reminder("# Environment\nalpha"))]})
    assert owner(parsed, "alpha") == "Assistant/None"


def test_an_unknown_reminder_is_unattributed() -> None:
    assert owner(claude_code({"messages": [user(reminder("alpha"), "q")]}), "alpha") == "Unattributed/system-reminder"


def test_an_unknown_system_message_is_unattributed() -> None:
    parsed = claude_code({"messages": [{"role": "system", "content": [text("alpha\n\nToday's date is x")]}]})
    assert owner(parsed, "alpha") == "Unattributed/system message"
    assert owner(parsed, "date is x") == "Framework/date"


def test_a_reminder_that_carries_a_file_may_hold_the_closing_tag() -> None:
    parsed = claude_code({"messages": [user(reminder("Contents of /w/CLAUDE.md:\n\na </system-reminder> b"), "q")]})
    assert owners(parsed) == ["Memory//w/CLAUDE.md", "User/None"]
    assert holding(parsed, "a </system").is_uncertain


def test_a_skill_called_by_the_model() -> None:
    messages = [
        user("q"),
        assistant(use("Skill", "t1", skill="acme:triage"), use("Skill", "t2", skill="tidy"), use("Skill", "t3", skill="hi")),
        user(
            result("Launching skill: tidy", "t2"),
            result("Launching skill: acme:triage", "t1"),
            result("Launching skill: hi", "t3"),
            "Base directory for this skill: /p/skills/triage\n\nalpha",
            "Base directory for this skill: /s/tidy/\n\nbeta",
            "gamma",
        ),
    ]
    parsed = claude_code({"messages": messages})
    assert [owner(parsed, words) for words in ("alpha", "beta", "gamma")] == ["Skill/acme:triage", "Skill/tidy", "Command/hi"]
    assert owner(parsed, "Launching skill: tidy") == "Skill/tidy"
    assert [s.part for s in parsed.segments if s.source.source_name == "tidy"] == [Part.CALL, Part.CALL, Part.RESULT, Part.BODY]


def test_skill_bodies_that_name_another_folder_go_by_order() -> None:
    messages = [
        user("q"),
        assistant(use("Skill", skill="tidy")),
        user(result("Launching skill: tidy"), "Base directory for this skill: /x\n\nalpha"),
        user("Base directory for this skill: /s/lost\n\nbeta"),
    ]
    parsed = claude_code({"messages": messages})
    assert (owner(parsed, "alpha"), holding(parsed, "alpha").is_uncertain) == ("Skill/tidy", True)
    assert (owner(parsed, "beta"), holding(parsed, "beta").is_uncertain) == ("Skill/lost", True)


def test_a_body_after_more_launches_than_calls_has_no_name() -> None:
    messages = [user("q"), user(result("Launching skill: x", "unknown"), "alpha")]
    assert owner(claude_code({"messages": messages}), "alpha") == "Command/None"


COMMAND = "<command-message>{0}</command-message>\n<command-name>/{0}</command-name>\n<command-args>{1}</command-args>\n"


def test_a_command_called_by_the_user() -> None:
    parsed = claude_code({"messages": [user(COMMAND.format("acme:hi", "to Bob"), "alpha\n\nARGUMENTS: to Bob", "and then")]})
    assert owner(parsed, "<command-message>") == "Command/acme:hi"
    assert owner(parsed, "alpha") == "Command/acme:hi"
    assert owner(parsed, "and then") == "User/None"
    typed = [s for s in parsed.segments if s.text == "to Bob"]
    assert [s.source.source_type for s in typed] == ["User", "User"]


def test_a_command_whose_body_holds_its_arguments() -> None:
    parsed = claude_code({"messages": [user(COMMAND.format("go", "x"), "alpha x beta")]})
    assert owner(parsed, "alpha x beta") == "Command/go"


def test_a_skill_called_by_the_user() -> None:
    parsed = claude_code({"messages": [user(COMMAND.format("tidy", ""), "Base directory for this skill: /s/other\n\nalpha")]})
    assert owner(parsed, "alpha") == "Skill/tidy"


def test_an_older_command_is_running() -> None:
    words = "<command-message>review is running\u2026</command-message>"
    parsed = older_claude_code({"messages": [user(words, "alpha")]}, "1.0.128")
    assert owner(parsed, "alpha") == "Command/review"


@pytest.mark.parametrize("name", ["mcp__docs__brief", "docs:brief (MCP)"])
def test_a_prompt_of_an_mcp_server(name: str) -> None:
    parsed = claude_code({"messages": [user(COMMAND.format(name, ""), "alpha", "beta")]})
    assert owner(parsed, "alpha") == owner(parsed, "beta") == owner(parsed, "<command-message>") == "McpServer/docs"


def test_a_command_without_a_name() -> None:
    assert owner(claude_code({"messages": [user("<command-message>alpha")]}), "alpha") == "Command/None"


def test_a_local_command() -> None:
    words = (
        "<local-command-caveat>alpha</local-command-caveat>",
        (
            "<command-name>/compact</command-name>\n  <command-message>compact</command-message>\n"
            "  <command-args>keep it</command-args>"
        ),
        "<local-command-stdout>beta</local-command-stdout>",
        "<bash-input>gamma</bash-input>",
        "<bash-stdout>zeta</bash-stdout>",
        "hello",
    )
    parsed = claude_code({"messages": [user(*words)]})
    assert owner(parsed, "alpha") == "Framework/local command caveat"
    assert owner(parsed, "beta") == "Command/compact"
    assert owner(parsed, "gamma") == owner(parsed, "keep it") == owner(parsed, "hello") == "User/None"
    assert owner(parsed, "zeta") == "Tool/Bash"
    assert parsed.facts.title == "hello"


def test_mentioned_files() -> None:
    call = 'Called the Read tool with the following input: {"file_path":"/w/notes.txt"}'
    messages = [
        {"role": "user", "content": reminder(call)},
        user(
            reminder("Result of calling the Read tool:\n1\talpha\n") + "\n",
            reminder('Called the Read tool with the following input: {"file_path":"/w/a.png"}'),
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
            reminder('Called the Bash tool with the following input: {"command":"ls /w/src","description":"Lists"}'),
            reminder("Result of calling the Bash tool:\nbeta"),
            reminder("Called the Read tool with the following input: [1]"),
            reminder("Called the Read tool with the following input: not json"),
            "Summarise @notes.txt",
        ),
    ]
    parsed = claude_code({"messages": messages})
    assert owner(parsed, "alpha") == "File//w/notes.txt"
    assert owner(parsed, "beta") == owner(parsed, '"ls /w/src"') == "File//w/src"
    assert owner(parsed, "[1]") == "File/[1]"
    assert owner(parsed, "not json") == "File/not json"
    assert [str(s.source.source_name) for s in parsed.segments if s.content_kind is ContentKind.IMAGE] == ["/w/a.png"]


def test_a_memory_file_read_again_after_a_compaction_is_memory() -> None:
    words = [
        reminder(f'Called the Read tool with the following input: {{"file_path":"{path}"}}')
        for path in ("/w/CLAUDE.md", "/w/b.md")
    ]
    results = [reminder("Result of calling the Read tool:\nalpha"), reminder("Result of calling the Read tool:\nbeta")]
    parsed = claude_code({"messages": [user(words[0], results[0], words[1], results[1], "q")]})
    assert owner(parsed, "alpha") == "Memory//w/CLAUDE.md"
    assert owner(parsed, "beta") == "File//w/b.md"


def test_a_result_nobody_asked_for_is_some_file() -> None:
    parsed = claude_code({"messages": [user(reminder("Result of calling the Read tool:\nalpha"), "q")]})
    assert owner(parsed, "alpha") == "File/None"


def test_files_changed_and_opened() -> None:
    words = (
        reminder("Note: /w/a.py was modified, either by the user:\nalpha"),
        reminder("The user opened the file /w/b.py in the IDE."),
        reminder("The user selected the lines 1 to 2 from /w/c.py:\nbeta"),
        "q",
    )
    assert owners(claude_code({"messages": [user(*words)]})) == ["File//w/a.py", "File//w/b.py", "File//w/c.py", "User/None"]


def test_resources_go_to_the_server_the_user_named() -> None:
    typed = "See @docs:docs://retry and @plugin:acme:notes:notes://1 please"
    system = (
        "Full contents of resource:\n\nalpha\n\nDo NOT read this resource again unless beta\n\n"
        "Full contents of resource:\n\ngamma"
    )
    parsed = claude_code({"messages": [user(typed), {"role": "system", "content": system}]})
    assert [owner(parsed, words) for words in ("alpha", "beta", "gamma")] == [
        "McpServer/docs",
        "Framework/resource note",
        "McpServer/plugin_acme_notes",
    ]


def test_a_resource_in_reminders_of_its_own() -> None:
    words = (reminder("Full contents of resource:"), reminder("alpha"), reminder("beta"), "@docs:x://y")
    parsed = claude_code({"messages": [user(*words)]})
    assert [owner(parsed, part) for part in ("alpha", "beta")] == ["McpServer/docs", "Unattributed/system-reminder"]


def test_a_resource_that_names_its_server_and_one_nobody_named() -> None:
    words = (
        reminder('<mcp-resource server="my.docs" uri="x://y">alpha</mcp-resource>'),
        reminder("Full contents of resource:\nbeta"),
        "q",
    )
    parsed = claude_code({"messages": [user(*words)]})
    assert [owner(parsed, part) for part in ("alpha", "beta")] == ["McpServer/my_docs", "McpServer/None"]


def test_a_resource_read_by_tool() -> None:
    messages = [user("q"), assistant(use("ReadMcpResourceTool", server="docs", uri="x://y")), user(result("alpha"))]
    parsed = claude_code({"messages": messages})
    assert (owner(parsed, "alpha"), holding(parsed, "alpha").part) == ("McpServer/docs", Part.RESOURCE)
    assert owner(parsed, "x://y") == "Tool/ReadMcpResourceTool"


def test_hooks_of_the_oldest_version_and_of_stop() -> None:
    words = ("<session-start-hook>alpha</session-start-hook>", "<user-prompt-submit-hook>beta", "Stop hook feedback:\n- gamma")
    parsed = older_claude_code({"messages": [user(*words)]}, "1.0.128")
    assert owners(parsed) == ["Hook/SessionStart", "User/None", "Hook/Stop"]


def test_a_message_sent_while_working() -> None:
    words = (
        "The user sent a new message while you were working:\nalpha\nbeta\n\n"
        "IMPORTANT: After completing your current task, go on."
    )
    parsed = claude_code({"messages": [user("q"), assistant(use("Bash")), user(result("x"), words)]})
    assert owners(parsed)[-3:] == ["Framework/nudge", "User/None", "Framework/nudge"]
    assert parsed.facts.title == "alpha"


def test_a_background_agent_reports() -> None:
    note = (
        "[SYSTEM NOTIFICATION - NOT USER INPUT]\nEvent.\n\n<task-notification>\n<task-id>a1</task-id>\n"
        "<tool-use-id>{}</tool-use-id>\nalpha"
    )
    body = {
        "messages": [
            user("q"),
            assistant(use("Agent", "t1", subagent_type="Explore"), use("Bash", "t2")),
            user(result("started", "t1")),
            {"role": "system", "content": "<tools-used-before-summary>Read</tools-used-before-summary>\n" + note.format("t1")},
            {"role": "system", "content": note.format("t2").replace("alpha", "beta")},
            {"role": "system", "content": note.format("gone").replace("alpha", "gamma")},
            user("<task-notification>\ndelta</task-notification>"),
        ]
    }
    parsed = claude_code(body)
    assert [owner(parsed, words) for words in ("started", "alpha", "beta", "gamma", "delta")] == [
        "Agent/Explore",
        "Agent/Explore",
        "Tool/Bash",
        "Agent/None",
        "Agent/None",
    ]


def test_after_a_compaction() -> None:
    summary = (
        "This session is being continued from a previous conversation.\n\n"
        + reminder("<tools-used-before-summary>")
        + ("\nalpha\n\nIf you need specific details from before compaction, beta")
    )
    parsed = claude_code({"messages": [{"role": "user", "content": summary}, assistant("x"), user("q")]})
    assert owner(parsed, "alpha") == "Summary/None"
    assert owner(parsed, ", beta") == "Framework/compaction note"


def test_a_compaction_itself() -> None:
    words = "CRITICAL: Respond with TEXT ONLY. alpha\n\nAdditional Instructions:\nkeep it\n\nREMINDER: Do NOT call any tools."
    parsed = claude_code({"messages": [user("q"), assistant("a"), user(words)]}, x_claude_code_request_class="compaction")
    assert parsed.facts.request_class is RequestClass.COMPACTION
    assert owner(parsed, "alpha") == "Framework/compaction prompt"
    assert owner(parsed, "keep it") == "User/None"


def test_small_notes() -> None:
    words = (
        "Tool loaded.",
        "[Image: source: /tmp/1.png]",
        "[Request interrupted by user]",
        "[structured-output-enforce] x",
        "Tool loaded. Or so",
    )
    parsed = claude_code({"messages": [user(*words)]})
    assert owners(parsed) == [
        "Framework/nudge",
        "Framework/image note",
        "Framework/interruption",
        "Framework/nudge",
        "User/None",
    ]


BILLING = "x-anthropic-billing-header: cc_version=2.1.330.2af; cc_entrypoint=cli; cc_prev_req=req_1; cc_prompt_id=p1;"
PROMPT = (
    "\nYou are an interactive agent.\n\n# Harness\nalpha\n```sh\n# no heading\n```\n# Something new\nbeta\n\n"
    "# Environment\ngamma"
)


def test_the_system_prompt_by_section() -> None:
    identity = "You are Claude Code, Anthropic's official CLI for Claude."
    parsed = claude_code(
        {"system": [text(BILLING), text(identity), text(PROMPT), text("Just this.\n\n# Harness\ndelta")], "messages": []}
    )
    assert owners(parsed) == [
        "Framework/billing line",
        "Framework/identity",
        "Framework/system prompt",
        "Framework/system prompt: Harness",
        "Framework/system prompt: Something new",
        "Framework/environment",
        "Framework/custom system prompt",
        "Framework/system prompt: Harness",
    ]
    assert "# no heading" in holding(parsed, "alpha").text


def test_a_custom_system_prompt_keeps_its_own_headings() -> None:
    parsed = claude_code({"system": [text("Be a teacher.\n\n# Of geography\nalpha")], "messages": []})
    assert owners(parsed) == ["Framework/custom system prompt"]


def test_the_older_system_prompt_carries_others_text() -> None:
    prompt = (
        "\nYou are an interactive CLI tool.\n\n# Output Style: dry\nalpha\n\n# Mine\n\n"
        "# MCP Server Instructions\n\nIntro:\n\n## docs\nbeta\n\n"
        "## notes\ngamma\n\ngitStatus: This is the git status at the start.\n\nStatus:\n?? x\n\nRecent commits:\n"
        "abc delta\n\nappended"
    )
    parsed = older_claude_code(
        {"system": [text("You are Claude Code, Anthropic's official CLI for Claude."), text(prompt)], "messages": []}, "2.0.76"
    )
    assert owners(parsed) == [
        "Framework/identity",
        "Framework/system prompt",
        "OutputStyle/dry",
        "Framework/MCP instructions",
        "McpServer/docs",
        "McpServer/notes",
        "Framework/git status",
        "Framework/appended system prompt",
    ]
    assert "# Mine" in holding(parsed, "alpha").text


def test_a_git_status_without_commits() -> None:
    parsed = older_claude_code(
        {"system": [text("gitStatus: This is the git status at the start. None.")], "messages": []}, "2.0.76"
    )
    assert owners(parsed) == ["Framework/git status"]


def test_newer_versions_believe_no_servers_in_the_system_prompt() -> None:
    parsed = claude_code({"system": [text("Mine.\n\n# MCP Server Instructions\n\n## docs\nalpha")], "messages": []})
    assert owners(parsed) == ["Framework/custom system prompt"]


def test_git_status_and_commit_rules_in_reminders() -> None:
    git = "As you answer the user's questions, you can use the following context:\n# gitStatus\nalpha"
    parsed = claude_code(
        {"messages": [user(reminder(git), reminder("Attribution for git commits and pull requests beta") + "\n", "q")]}
    )
    assert owners(parsed) == ["Framework/git status", "Framework/commit rules", "User/None"]


def test_deferred_names_of_2_1_87() -> None:
    names = "<available-deferred-tools>\nCronCreate\nmcp__docs__find\n</available-deferred-tools>"
    body = {"messages": [{"role": "user", "content": names}, user(reminder(SKILLS), "q")]}
    parsed = older_claude_code(body, "2.1.87")
    assert owners(parsed)[:4] == ["Framework/deferred tools", "Tool/CronCreate", "McpServer/docs", "Framework/deferred tools"]
    assert owner(parsed, "delta") == "Skill/tidy"


def test_listings_inside_tool_descriptions() -> None:
    tools = [
        {
            "name": "Task",
            "description": (
                "Launch.\n\nAvailable agent types and the tools they have access to:\n- reviewer: alpha\n\nWhen using"
            ),
            "input_schema": {},
        },
        {
            "name": "SlashCommand",
            "description": "Usage:\nAvailable Commands:\n- /review-diff [focus]: beta (project)\n- /hi\n",
            "input_schema": {},
        },
        {
            "name": "Skill",
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
            "input_schema": {"type": "object"},
            "description": (
                "Execute\n<available_skills>\n<skill>\n<name>\ntidy\n</name>\n<description>\ngamma\n"
                "</description>\n</skill>\n</available_skills>\nEnd"
            ),
        },
        {"name": "Skill", "description": "<available_skills>\nnone"},
        {"name": "Task", "description": "no listing"},
    ]
    parsed = older_claude_code({"tools": tools, "messages": []}, "2.0.76")
    assert [owner(parsed, words) for words in ("alpha", "beta", "- /hi", "gamma")] == [
        "Agent/reviewer",
        "Command/review-diff",
        "Command/hi",
        "Skill/tidy",
    ]
    assert owner(parsed, "When using") == "Tool/Task"
    assert [s.cache_ttl for s in parsed.segments if s.pointer.startswith("/tools/2")][-1] == "1h"


def test_tool_definitions_and_deferral() -> None:
    tools = [
        {"name": "Read", "input_schema": {}},
        {"name": "mcp__a__b__c", "input_schema": {}},
        {"name": "mcp__docs__find", "defer_loading": True},
        {"name": "mcp__docs__read", "defer_loading": True},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "later"},
        7,
        {"type": "mcp_toolset", "mcp_server_name": "weather"},
    ]
    loaded = user(result([{"type": "tool_reference", "tool_name": "mcp__docs__find"}]))
    parsed = claude_code({"tools": tools, "messages": [user("q"), assistant(use("ToolSearch")), loaded]})
    assert owners(parsed)[:8] == [
        "Tool/Read",
        "McpServer/a",
        "McpServer/docs",
        "McpServer/docs",
        "Tool/web_search",
        "Tool/later",
        "Unattributed/None",
        "McpServer/weather",
    ]
    assert [s.content_kind for s in parsed.segments[1:4]] == [
        ContentKind.TOOL_DEFINITION,
        ContentKind.TOOL_DEFINITION,
        ContentKind.NOT_RENDERED,
    ]
    assert parsed.segments[1].is_uncertain
    assert parsed.parameters.tool_types[4:6] == ("web_search_20250305", "later")


def test_a_server_with_the_separator_in_its_name_is_known_by_the_lists() -> None:
    body = {
        "tools": [{"name": "mcp__a__b__picture"}],
        "messages": [{"role": "system", "content": CONNECTING.replace("my.media-v2", "a__b")}],
    }
    parsed = claude_code(body)
    assert (owners(parsed)[0], parsed.segments[0].is_uncertain) == ("McpServer/a__b", False)


def test_a_sub_agent() -> None:
    prompt = (
        "You review.\n\nMessages from the agent that launched you alpha\n\nNotes:\n"
        "- Agent threads always have their cwd reset\n"
    )
    body = {
        "system": [text(BILLING + " cc_is_subagent=true;"), text(prompt)],
        "messages": [user("do it"), assistant("ok"), user("go on")],
    }
    known = claude_code(
        body, x_claude_code_request_class="subagent", x_claude_code_agent_type="Explore", x_claude_code_agent_id="a1"
    )
    assert [owner(known, words) for words in ("You review", "alpha", "do it", "go on")] == [
        "Agent/Explore",
        "Framework/agent notes",
        "Agent/Explore",
        "Agent/Explore",
    ]
    assert (known.facts.request_class, known.facts.agent_id, known.facts.agent_type) == (RequestClass.SUBAGENT, "a1", "Explore")
    own = claude_code(body, x_claude_code_request_class="subagent", x_claude_code_agent_type="custom")
    assert [owner(own, words) for words in ("You review", "do it")] == ["Framework/agent prompt", "Agent/None"]
    older = older_claude_code(body, "1.0.128")
    assert older.facts.request_class is RequestClass.SUBAGENT


def test_a_built_in_sub_agent_is_known_by_its_prompt() -> None:
    prompt = "You are a file search specialist for Claude Code. alpha"
    parsed = older_claude_code({"system": [text("You are Claude Code"), text(prompt)], "messages": [user("Warmup")]}, "2.0.76")
    assert (owner(parsed, "alpha"), owner(parsed, "Warmup"), parsed.facts.agent_type) == (
        "Agent/Explore",
        "Agent/Explore",
        "Explore",
    )
    main = claude_code({"system": [text(prompt)], "messages": [user("hi")]})
    assert owner(main, "alpha") == "Framework/system prompt"


def test_calls_of_its_own() -> None:
    side = {"x_claude_code_request_class": "auxiliary"}
    web = "\nWeb page content:\n---\nalpha\n---\n\nbeta?\n\nProvide a concise response based on"
    parsed = claude_code({"messages": [user(web)]}, **side)
    assert parsed.facts.request_class is RequestClass.WEB_FETCH
    assert [s.part for s in parsed.segments if s.source.source_type == "Tool"] == [Part.RESULT, Part.CALL]
    title = claude_code({"messages": [user("<session>\nalpha\n</session>\n\nWrite the title.")]}, **side)
    assert (title.facts.request_class, owner(title, "alpha"), title.facts.title) == (RequestClass.TITLE, "User/None", "alpha")
    search = {
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
        "messages": [user("Perform a web search for the query: alpha")],
    }
    assert claude_code(search, **side).facts.request_class is RequestClass.WEB_SEARCH
    assert owner(claude_code(search, **side), "alpha") == "Tool/WebSearch"
    quota = claude_code({"max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}, **side)
    assert (quota.facts.request_class, owners(quota)) == (RequestClass.QUOTA, ["Framework/quota probe"])
    other = claude_code({"messages": [user("anything")]}, **side)
    assert (other.facts.request_class, owners(other)) == (RequestClass.AUXILIARY, ["User/None"])


def test_older_calls_of_its_own() -> None:
    for words, name in (
        ("Command: ls\nOutput: alpha", "Tool/Bash"),
        ("Files modified by user: alpha", "Framework/git history"),
    ):
        parsed = older_claude_code({"system": [text("Extract.")], "messages": [{"role": "user", "content": words}]}, "1.0.128")
        assert (parsed.facts.request_class, owner(parsed, "alpha")) == (RequestClass.AUXILIARY, name)
    policy = older_claude_code({"messages": [user("<policy_spec>x</policy_spec>\n\nCommand: alpha")]}, "2.0.76")
    assert owner(policy, "alpha") == "Tool/Bash"


def test_a_web_page_in_a_conversation_is_what_the_user_typed() -> None:
    parsed = claude_code(
        {"tools": [{"name": "Read", "input_schema": {}}], "messages": [user("Web page content:\n---\nalpha\n---\n\n")]}
    )
    assert owners(parsed)[1:] == ["User/None"]
