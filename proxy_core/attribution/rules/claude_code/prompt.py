"""Claude Code's system prompt: its sections, and what older versions put between them."""

from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.rules.model import PieceRule, Place, Reader, Version
from proxy_core.attribution.rules.sections import framework, section

MESSAGES_CARRY_SERVERS: Version = (2, 1, 197)
"""Since then MCP instructions are in the messages."""
MESSAGES_CARRY_CONTEXT: Version = (2, 1, 330)
"""Since then the git status and the output style are, too."""

_HEADINGS = (
    "Harness",
    "System",
    "Doing tasks",
    "Executing actions with care",
    "Using your tools",
    "Tone and style",
    "Output efficiency",
    "Session-specific guidance",
    "Memory",
    "auto memory",
    "Context management",
    "Scratchpad Directory",
    "Function Result Clearing",
    "Language",
    "Task Management",
    "Tool usage policy",
    "Code References",
    "Looking up your own documentation:",
    "Professional objectivity",
    "Planning without timelines",
    "Asking questions as you work",
    "Proactiveness",
    "Following conventions",
    "Code style",
)

PIECES = (
    section("x-anthropic-billing-header:", "billing line", Place.PROMPT),
    section(
        r"You are (?:Claude Code, Anthropic's official CLI for Claude|"
        r"a Claude agent, built on Anthropic's Claude Agent SDK)[^\n]{0,80}\Z",
        "identity",
        Place.PROMPT,
        is_pattern=True,
    ),
    *(section(f"# {heading}\n", f"system prompt: {heading.rstrip(':')}", Place.PROMPT) for heading in _HEADINGS),
    section("# Environment\n", "environment", Place.PROMPT),
    section("Here is useful information about the environment you are running in:", "environment", Place.PROMPT),
    section("<claude_background_info>", "environment", Place.PROMPT),
    section("CWD: ", "environment", Place.PROMPT),
    section("You can use the following tools without requiring user approval:", "permissions", Place.PROMPT),
    section("IMPORTANT: Always use the TodoWrite tool", "system prompt: Task Management", Place.PROMPT),
    section(r"IMPORTANT: Assist with [^\n]+", "system prompt: security", Place.PROMPT, is_pattern=True),
    section("Messages from the agent that launched you", "agent notes", Place.PROMPT),
    section("Notes:\n- ", "agent notes", Place.PROMPT),
    PieceRule(
        opener="gitStatus: This is the git status",
        places=Place.PROMPT,
        source=framework("git status"),
        reader=Reader.GIT_STATUS,
        until=MESSAGES_CARRY_CONTEXT,
    ),
    PieceRule(
        opener=r"# Output Style: (?P<name>[^\n]{1,200})\n?",
        is_pattern=True,
        places=Place.PROMPT,
        source=Source(SourceType.OUTPUT_STYLE),
        reader=Reader.OUTPUT_STYLE,
        part=Part.BODY,
        is_foreign=True,
        until=MESSAGES_CARRY_CONTEXT,
    ),
    PieceRule(
        opener="# MCP Server Instructions\n",
        places=Place.PROMPT,
        source=Source(SourceType.MCP_SERVER),
        reader=Reader.MCP_INSTRUCTIONS,
        part=Part.INSTRUCTIONS,
        is_foreign=True,
        until=MESSAGES_CARRY_SERVERS,
    ),
)
