"""Claude Code as a whole: its pieces, tools, kinds of calls."""

from proxy_core.attribution.model import RequestClass, SourceType
from proxy_core.attribution.rules.claude_code import blocks, context, prompt
from proxy_core.attribution.rules.model import ClientRules, ListingRule, McpNaming, Reader, ToolSpeech

RULES = ClientRules(
    client="claude-code",
    pieces=context.PIECES + blocks.PIECES + prompt.PIECES,
    side_pieces=blocks.SIDE_PIECES,
    listings=(
        ListingRule(
            tools=("Task", "Agent"),
            opener="Available agent types and the tools they have access to:\n",
            source_type=SourceType.AGENT,
        ),
        ListingRule(
            tools=("Task", "Agent"), opener="Available agent types for the Agent tool:\n", source_type=SourceType.AGENT
        ),
        ListingRule(tools=("SlashCommand",), opener="Available Commands:\n", source_type=SourceType.COMMAND),
        ListingRule(
            tools=("Skill", "SlashCommand"),
            opener="<available_skills>\n",
            source_type=SourceType.SKILL,
            reader=Reader.XML_SKILLS,
        ),
    ),
    speech=ToolSpeech(
        skill=frozenset({"Skill"}),
        agent=frozenset({"Agent", "Task"}),
        resource=frozenset({"ReadMcpResourceTool", "ReadMcpResourceDirTool", "ReadMcpResource"}),
        command=frozenset({"SlashCommand"}),
        numbered=frozenset({"Read"}),
        file=frozenset({"Read", "Edit", "Write", "MultiEdit", "NotebookEdit", "NotebookRead", "Glob", "Grep", "LS", "LSP"}),
    ),
    naming=McpNaming.PREFIXED,
    has_sections=True,
    prompt_openers=(
        "You are an interactive",
        "You are an agent working with the user",
        "When you use a pronoun",
        "Write code that reads like",
        "For actions that are hard to reverse",
        "You are an agent for Claude Code",
        "You are a file search specialist for Claude Code",
        "You are a software architect and planning specialist for Claude Code",
        "You are a command execution specialist for Claude Code",
    ),
    agent_markers=("\n- Agent threads always have their cwd reset", "Messages from the agent that launched you"),
    agent_openers={
        "You are an agent for Claude Code": "general-purpose",
        "You are a file search specialist for Claude Code": "Explore",
        "You are a software architect and planning specialist for Claude Code": "Plan",
    },
    title_markers=(
        "You are naming a coding session",
        "Generate a short kebab-case name",
        "Analyze if this message indicates a new conversation topic",
        "Generate a concise",
        "Summarize this coding conversation",
    ),
    side_questions={
        "Web page content:\n---\n": RequestClass.WEB_FETCH,
        "Perform a web search for the query: ": RequestClass.WEB_SEARCH,
        "<session>\n": RequestClass.TITLE,
        "<conversation>\n": RequestClass.TITLE,
    },
    compaction_markers=("CRITICAL: Respond with TEXT ONLY", "Your task is to create a detailed summary of "),
    states_class_since=(2, 1, 330),
    reminder_tag="system-reminder",
)
