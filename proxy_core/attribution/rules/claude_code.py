"""Claude Code and the Claude Agent SDK, which runs it. Seen with 1.0.128, 2.0.76, 2.1.87, 2.1.197, 2.1.270 and 2.1.330 (2026-11)."""

from proxy_core.attribution.model import Part, RequestClass, Source, SourceType
from proxy_core.attribution.rules.model import (
    ClientRules,
    Frame,
    ListingRule,
    McpNaming,
    PieceRule,
    Place,
    Reader,
    ToolSpeech,
    Version,
)
from proxy_core.attribution.rules.sections import framework, piece, section

CONTEXT = Place.SYSTEM_MESSAGE | Place.REMINDER
ANYWHERE = CONTEXT | Place.FOLDED
MESSAGES_CARRY_CONTEXT: Version = (2, 1, 0)
"""Since then, MCP instructions and skills are in the messages, no more in the system prompt."""
ENVIRONMENT_LEFT_PROMPT: Version = (2, 1, 330)

USER = Source(SourceType.USER)


def _section(opener: str, name: str, places: Place = ANYWHERE, *, is_pattern: bool = False) -> PieceRule:
    return section(opener, name, places, is_pattern=is_pattern)


_MEMORY = (
    piece(SourceType.MEMORY, "Codebase and user instructions are shown below.", Reader.MEMORY_FILES, Part.BODY, CONTEXT),
    piece(
        SourceType.MEMORY,
        "As you answer the user's questions, you can use the following context:\n# claudeMd",
        Reader.MEMORY_FILES,
        Part.BODY,
        CONTEXT,
    ),
    piece(
        SourceType.MEMORY,
        r"Contents of [^\n]{1,1000} \([^\n]{1,200}\):\n",
        Reader.MEMORY_FILES,
        Part.BODY,
        CONTEXT,
        is_pattern=True,
    ),
    piece(SourceType.MEMORY, r"Contents of [^\n]{1,1000}:\n", Reader.NESTED_MEMORY, Part.BODY, ANYWHERE, is_pattern=True),
)

_LISTINGS = (
    piece(
        SourceType.AGENT, r"(?:Available|New|The following) agent types[^\n]{0,160}:\n", Reader.LISTING, Part.LISTING, ANYWHERE,
        is_pattern=True,
    ),
    _section("When you launch multiple agents for independent work", "agents listing"),
    piece(
        SourceType.SKILL, r"The following (?:additional )?skills are [^\n]{0,160}:\n", Reader.LISTING, Part.LISTING, ANYWHERE,
        is_pattern=True,
    ),
    piece(
        SourceType.TOOL, r"The following deferred tools (?:are|have) [^\n]{0,400}:\n", Reader.NAMES, Part.NAMES, ANYWHERE,
        is_pattern=True,
    ),
    piece(SourceType.TOOL, "<available-deferred-tools>", Reader.NAMES, Part.NAMES, Place.BLOCK | ANYWHERE),
    piece(
        SourceType.MCP_SERVER, r"The following MCP servers (?:are|have) (?!provided)[^\n]{0,400}:\n", Reader.SERVER_NAMES,
        Part.NAMES, ANYWHERE, is_pattern=True,
    ),
    _section("If the user's request might be served by one of these servers", "deferred tools"),
    piece(SourceType.MCP_SERVER, "# MCP Server Instructions", Reader.MCP_INSTRUCTIONS, Part.INSTRUCTIONS, ANYWHERE),
)

_FILES = (
    piece(SourceType.FILE, r"Called the \w{1,60} tool with the following input: ", Reader.FILE_CALL, Part.BODY, ANYWHERE, is_pattern=True),
    piece(SourceType.FILE, r"Result of calling the \w{1,60} tool:", Reader.FILE_RESULT, Part.BODY, ANYWHERE, is_pattern=True),
    piece(SourceType.FILE, r"Note: (?P<path>[^\n]{1,1000}?) was (?:modified|read)\b", Reader.PATH_HEADING, Part.BODY, ANYWHERE, is_pattern=True),
    piece(
        SourceType.FILE, r"The user (?:opened the file|selected the (?:lines?|following lines)[^\n]{0,60} from) (?P<path>[^\n]{1,1000}?)(?: in the IDE|:\n)",
        Reader.PATH_HEADING, Part.BODY, ANYWHERE, is_pattern=True,
    ),
    piece(SourceType.MCP_SERVER, "Full contents of resource:", Reader.RESOURCE, Part.RESOURCE, ANYWHERE),
    piece(SourceType.MCP_SERVER, "<mcp-resource ", Reader.RESOURCE, Part.RESOURCE, ANYWHERE),
    _section("Do NOT read this resource again unless", "resource note"),
)

_HOOKS = (
    piece(
        SourceType.HOOK, r"(?P<event>[A-Z][A-Za-z]{2,40})(?::[^\n]{0,200}?)? hook "
        r"(?:success|additional context|blocking error|non-blocking|error|feedback|stopped|cancelled|denied|warning)",
        Reader.HOOK, Part.OUTPUT, ANYWHERE, is_pattern=True,
    ),
    piece(SourceType.HOOK, r"(?P<event>(?:Subagent)?Stop|TeammateIdle|TaskCompleted) hook feedback:", Reader.HOOK, Part.OUTPUT, Place.BLOCK, is_pattern=True),
    piece(SourceType.HOOK, r"<(?P<event>[a-z]{2,20}(?:-[a-z]{2,20}){0,4})-hook>", Reader.TAGGED_HOOK, Part.OUTPUT, Place.BLOCK | ANYWHERE, is_pattern=True),
)  # fmt: skip

_STYLE = (
    piece(SourceType.OUTPUT_STYLE, r"# Output Style: (?P<name>[^\n]{1,200})\n?", Reader.OUTPUT_STYLE, Part.BODY, ANYWHERE, is_pattern=True),
    piece(
        SourceType.OUTPUT_STYLE, r"(?P<name>[^\n]{1,200}?) output style is active\. Remember", Reader.ACTIVE_STYLE, Part.CONTEXT, ANYWHERE,
        is_pattern=True,
    ),
)  # fmt: skip

_NOTICES = (
    piece(
        SourceType.AGENT, r"(?:<tools-used-before-summary>[^\n]{0,2000}\n)?\[SYSTEM NOTIFICATION - NOT USER INPUT\]", Reader.TASK_NOTICE,
        Part.RESULT, ANYWHERE | Place.BLOCK, is_pattern=True,
    ),
    piece(SourceType.AGENT, r"(?:A background agent completed a task:\n)?<task-notification>", Reader.TASK_NOTICE, Part.RESULT, ANYWHERE | Place.BLOCK, is_pattern=True),
    piece(SourceType.USER, r"The user sent (?:a new|the following) message[^\n]{0,80}:\n", Reader.USER_AFTER, Part.PROMPT, ANYWHERE | Place.BLOCK, is_pattern=True),
)  # fmt: skip

_FRAMEWORK = (
    _section("As you answer the user's questions, you can use the following context:\n# gitStatus", "git status", CONTEXT),
    _section("# Environment\n", "environment"),
    _section("Here is useful information about the environment you are running in:", "environment"),
    _section("You are powered by the model", "model"),
    _section(r"(?:Today's date is|The date has changed\.)", "date", is_pattern=True),
    _section("Attribution for git commits and pull requests", "commit rules"),
    _section(
        r"(?:While (?:auto|plan) mode is active|Plan mode (?:is|still) active|(?:## )?Exited (?:Plan|Auto) Mode|## Auto Mode Active|"
        r"Auto mode |You have exited plan mode|## (?:Re-entering|Exited) Plan Mode)",
        "mode",
        is_pattern=True,
    ),
    _section(r"(?:<total_tokens>|Token usage: |USD budget: |<budget:)", "token budget", is_pattern=True),
    _section(r"<tools-used-before-summary>", "tools used", is_pattern=True),
    _section(r"<new-diagnostics>", "diagnostics", is_pattern=True),
    _section(
        r"(?:The user hasn't heard from you in a while|The (?:TodoWrite tool hasn't|task tools haven't) been used recently|"
        r"Your todo list has changed|This is a reminder that your todo list|Here are the existing contents of your todo list|"
        r"Whenever you read a file, you should consider|Warning: the file exists|Warning: This (?:Bash )?command|"
        r"The file [^\n]{1,1000} is (?:empty|too large)|"
        r"Background (?:Bash|bash|shell|command|task)|You have \d{1,4} pending|Ultracode )",
        "nudge",
        is_pattern=True,
    ),
)

_BLOCKS = (
    piece(SourceType.COMMAND, "<command-message>", Reader.COMMAND, Part.CALL, Place.BLOCK),
    piece(SourceType.COMMAND, "<command-name>", Reader.LOCAL_COMMAND, Part.CALL, Place.BLOCK),
    piece(SourceType.COMMAND, r"<local-command-std(?:out|err)>", Reader.LOCAL_OUTPUT, Part.RESULT, Place.BLOCK, is_pattern=True),
    piece(SourceType.SKILL, "Base directory for this skill: ", Reader.SKILL_BODY, Part.BODY, Place.BLOCK),
    _section(r"(?:<local-command-caveat>|Caveat: The messages below were generated by the user while running local commands)",
             "local command caveat", Place.BLOCK | Place.REMINDER, is_pattern=True),
    PieceRule(opener="<bash-input>", places=Place.BLOCK, source=USER, part=Part.PROMPT),
    PieceRule(
        opener=r"<bash-std(?:out|err)>", is_pattern=True, places=Place.BLOCK, source=Source(SourceType.TOOL, "Bash"), part=Part.RESULT
    ),
    _section(r"Tools? loaded\.\s*\Z", "nudge", Place.BLOCK, is_pattern=True),
    _section("[structured-output-enforce] ", "nudge", Place.BLOCK),
    _section(r"\[Image: source: [^\n]*\s*\Z", "image note", Place.BLOCK, is_pattern=True),
    _section(r"\[Request interrupted by user[^\n\]]{0,40}\]\s*\Z", "interruption", Place.BLOCK, is_pattern=True),
    PieceRule(
        opener="This session is being continued from a previous conversation",
        places=Place.BLOCK | Place.REMINDER,
        source=Source(SourceType.SUMMARY),
        part=Part.TEXT,
        reader=Reader.BETWEEN,
        is_foreign=True,
        frames=(
            Frame(
                before="\n\nIf you need specific details from before compaction", after="", source=framework("compaction note"),
                part=Part.CONTEXT,
            ),
        ),
    ),
    PieceRule(
        opener=r"(?:CRITICAL: Respond with TEXT ONLY|Your task is to create a detailed summary of (?:the|this) conversation)",
        is_pattern=True,
        places=Place.BLOCK,
        source=framework("compaction prompt"),
        reader=Reader.BETWEEN,
        frames=(Frame(before="\nAdditional Instructions:\n", after="\n\nREMINDER: Do NOT call", source=USER, part=Part.PROMPT),),
    ),
)  # fmt: skip

_PROMPT_HEADINGS = (
    "Harness", "System", "Doing tasks", "Executing actions with care", "Using your tools", "Tone and style", "Output efficiency",
    "Session-specific guidance", "Memory", "auto memory", "Context management", "Scratchpad Directory", "Function Result Clearing",
    "Language", "Task Management", "Tool usage policy", "Code References", "Looking up your own documentation:", "Professional objectivity",
    "Planning without timelines", "Asking questions as you work", "Proactiveness", "Following conventions", "Code style",
)  # fmt: skip

_PROMPT = (
    _section("x-anthropic-billing-header:", "billing line", Place.PROMPT),
    _section(r"You are (?:Claude Code, Anthropic's official CLI for Claude|a Claude agent, built on Anthropic's Claude Agent SDK)[^\n]{0,80}\Z",
             "identity", Place.PROMPT, is_pattern=True),
    *(_section(f"# {heading}\n", f"system prompt: {heading.rstrip(':')}", Place.PROMPT) for heading in _PROMPT_HEADINGS),
    _section("# Environment\n", "environment", Place.PROMPT),
    _section("Here is useful information about the environment you are running in:", "environment", Place.PROMPT),
    _section("<claude_background_info>", "environment", Place.PROMPT),
    _section("CWD: ", "environment", Place.PROMPT),
    _section("You can use the following tools without requiring user approval:", "permissions", Place.PROMPT),
    _section("IMPORTANT: Always use the TodoWrite tool", "system prompt: Task Management", Place.PROMPT),
    _section(r"IMPORTANT: Assist with [^\n]+", "system prompt: security", Place.PROMPT, is_pattern=True),
    _section("Messages from the agent that launched you", "agent notes", Place.PROMPT),
    _section("Notes:\n- ", "agent notes", Place.PROMPT),
    PieceRule(
        opener="gitStatus: This is the git status", places=Place.PROMPT, source=framework("git status"), reader=Reader.GIT_STATUS,
        until=ENVIRONMENT_LEFT_PROMPT,
    ),
    PieceRule(
        opener=r"# Output Style: (?P<name>[^\n]{1,200})\n?", is_pattern=True, places=Place.PROMPT, source=Source(SourceType.OUTPUT_STYLE),
        reader=Reader.OUTPUT_STYLE, part=Part.BODY, is_foreign=True, until=ENVIRONMENT_LEFT_PROMPT,
    ),
    PieceRule(
        opener="# MCP Server Instructions\n", places=Place.PROMPT, source=Source(SourceType.MCP_SERVER),
        reader=Reader.MCP_INSTRUCTIONS, part=Part.INSTRUCTIONS, is_foreign=True, until=(2, 1, 197),
    ),
)  # fmt: skip

_WEB_FETCH = Source(SourceType.TOOL, "WebFetch")

SIDE_PIECES = (
    PieceRule(
        opener="<session>\n", places=Place.BLOCK, source=framework("title prompt"), reader=Reader.BETWEEN,
        frames=(Frame(before="<session>\n", after="\n</session>", source=USER, part=Part.PROMPT),),
    ),
    PieceRule(
        opener="<conversation>\n", places=Place.BLOCK, source=framework("title prompt"), reader=Reader.BETWEEN,
        frames=(Frame(before="<conversation>\n", after="\n</conversation>", source=USER, part=Part.TEXT),),
    ),
    PieceRule(
        opener=r"\s*Web page content:\n---\n", is_pattern=True, places=Place.BLOCK, source=framework("web fetch prompt"),
        reader=Reader.BETWEEN,
        frames=(
            Frame(before="Web page content:\n---\n", after="\n---\n\n", source=_WEB_FETCH, part=Part.RESULT),
            Frame(before="\n---\n\n", after="\n\nProvide a concise response", source=_WEB_FETCH, part=Part.CALL),
        ),
    ),
    PieceRule(
        opener="Perform a web search for the query: ", places=Place.BLOCK, source=framework("web search prompt"), reader=Reader.BETWEEN,
        frames=(Frame(before="query: ", after="", source=Source(SourceType.TOOL, "WebSearch"), part=Part.CALL),),
    ),
    PieceRule(opener="Command: ", places=Place.BLOCK, source=Source(SourceType.TOOL, "Bash"), part=Part.RESULT),
    PieceRule(
        opener="<policy_spec>", places=Place.BLOCK, source=framework("command policy"), reader=Reader.BETWEEN,
        frames=(Frame(before="\n\nCommand: ", after="", source=Source(SourceType.TOOL, "Bash"), part=Part.CALL),),
    ),
    _section("Files modified by user:", "git history", Place.BLOCK),
    _section(r"quota\Z", "quota probe", Place.BLOCK, is_pattern=True),
)  # fmt: skip
"""Believed only in calls the client makes by itself: in a conversation the same words would be the person's."""

RULES = ClientRules(
    client="claude-code",
    pieces=_MEMORY + _LISTINGS + _FILES + _HOOKS + _STYLE + _NOTICES + _FRAMEWORK + _BLOCKS + _PROMPT,
    side_pieces=SIDE_PIECES,
    listings=(
        ListingRule(
            tools=("Task", "Agent"), opener="Available agent types and the tools they have access to:\n", source_type=SourceType.AGENT
        ),
        ListingRule(tools=("Task", "Agent"), opener="Available agent types for the Agent tool:\n", source_type=SourceType.AGENT),
        ListingRule(tools=("SlashCommand",), opener="Available Commands:\n", source_type=SourceType.COMMAND),
        ListingRule(
            tools=("Skill", "SlashCommand"), opener="<available_skills>\n", source_type=SourceType.SKILL, reader=Reader.XML_SKILLS
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
        "You are an interactive", "You are an agent working with the user", "When you use a pronoun", "Write code that reads like",
        "For actions that are hard to reverse", "You are an agent for Claude Code", "You are a file search specialist for Claude Code",
        "You are a software architect and planning specialist for Claude Code", "You are a command execution specialist for Claude Code",
    ),
    agent_markers=("\n- Agent threads always have their cwd reset", "Messages from the agent that launched you"),
    agent_openers={
        "You are an agent for Claude Code": "general-purpose",
        "You are a file search specialist for Claude Code": "Explore",
        "You are a software architect and planning specialist for Claude Code": "Plan",
    },
    title_markers=("You are naming a coding session", "Generate a short kebab-case name", "Analyze if this message indicates a new conversation topic",
                   "Generate a concise", "Summarize this coding conversation"),
    side_questions={
        "Web page content:\n---\n": RequestClass.WEB_FETCH,
        "Perform a web search for the query: ": RequestClass.WEB_SEARCH,
        "<session>\n": RequestClass.TITLE,
        "<conversation>\n": RequestClass.TITLE,
    },
    compaction_markers=("CRITICAL: Respond with TEXT ONLY", "Your task is to create a detailed summary of "),
    states_class_since=(2, 1, 270),
    reminder_tag="system-reminder",
)  # fmt: skip
