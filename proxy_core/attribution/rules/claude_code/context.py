"""What Claude Code tells the model beside the conversation: in system messages, in reminders, and folded into tool results."""

from dataclasses import replace

from proxy_core.attribution.model import Part, SourceType
from proxy_core.attribution.rules.model import PieceRule, Place, Reader
from proxy_core.attribution.rules.sections import piece, section

CONTEXT = Place.SYSTEM_MESSAGE | Place.REMINDER
ANYWHERE = CONTEXT | Place.FOLDED


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
        r"Contents of [^\n]{1,1000}? \([^()\n]{1,200}\):\n",
        Reader.MEMORY_FILES,
        Part.BODY,
        CONTEXT,
        is_pattern=True,
    ),
    piece(
        SourceType.MEMORY,
        r"(?:This memory is [^\n]{0,1000}\n\n)?Memory(?: \([^)\n]{1,100}\))?: (?P<path>[^\n]{1,1000}?):\n",
        Reader.PATH_HEADING,
        Part.BODY,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(SourceType.MEMORY, r"Contents of [^\n]{1,1000}:\n", Reader.NESTED_MEMORY, Part.BODY, ANYWHERE, is_pattern=True),
)

_LISTINGS = (
    piece(
        SourceType.AGENT,
        r"(?:Available|New|The following) agent types[^\n]{0,160}:\n",
        Reader.LISTING,
        Part.LISTING,
        ANYWHERE,
        is_pattern=True,
    ),
    _section("When you launch multiple agents for independent work", "agents listing"),
    piece(
        SourceType.SKILL,
        r"The following (?:additional )?skills are [^\n]{0,160}:\n",
        Reader.LISTING,
        Part.LISTING,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(
        SourceType.TOOL,
        r"The following deferred tools (?:are|have) [^\n]{0,400}:\n",
        Reader.NAMES,
        Part.NAMES,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(SourceType.TOOL, "<available-deferred-tools>", Reader.NAMES, Part.NAMES, Place.BLOCK | ANYWHERE),
    piece(
        SourceType.MCP_SERVER,
        r"The following MCP servers (?:are|have) (?!provided)[^\n]{0,400}:\n",
        Reader.SERVER_NAMES,
        Part.NAMES,
        ANYWHERE,
        is_pattern=True,
    ),
    _section("If the user's request might be served by one of these servers", "deferred tools"),
    piece(SourceType.MCP_SERVER, "# MCP Server Instructions", Reader.MCP_INSTRUCTIONS, Part.INSTRUCTIONS, ANYWHERE),
)

_FILES = (
    piece(
        SourceType.FILE,
        r"Called the \w{1,60} tool with the following input: ",
        Reader.FILE_CALL,
        Part.BODY,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(SourceType.FILE, r"Result of calling the \w{1,60} tool:", Reader.FILE_RESULT, Part.BODY, ANYWHERE, is_pattern=True),
    piece(
        SourceType.FILE,
        r"Note: (?P<path>[^\n]{1,1000}?) was (?:modified|read)\b",
        Reader.PATH_HEADING,
        Part.BODY,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(
        SourceType.FILE,
        r"The user (?:opened the file|selected the (?:following )?lines?[^\n]{0,60} from) "
        r"(?P<path>[^\n]{1,1000}?)(?: in the IDE|:\n)",
        Reader.PATH_HEADING,
        Part.BODY,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(SourceType.MCP_SERVER, "Full contents of resource:", Reader.RESOURCE, Part.RESOURCE, ANYWHERE),
    piece(SourceType.MCP_SERVER, "<mcp-resource ", Reader.RESOURCE, Part.RESOURCE, ANYWHERE),
    _section("Do NOT read this resource again unless", "resource note"),
)

_HOOKS = (
    piece(
        SourceType.HOOK,
        r"(?P<event>[A-Z][A-Za-z]{2,40})(?::[^\n]{0,200}?)? hook "
        r"(?:success|additional context|blocking error|non-blocking|error|feedback|stopped|cancelled|denied|warning)",
        Reader.HOOK,
        Part.OUTPUT,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(
        SourceType.HOOK,
        r"(?P<event>(?:Subagent)?Stop|TeammateIdle|TaskCompleted) hook feedback:",
        Reader.HOOK,
        Part.OUTPUT,
        Place.BLOCK,
        is_pattern=True,
    ),
    piece(
        SourceType.HOOK,
        r"<(?P<event>[a-z]{2,20}(?:-[a-z]{2,20}){0,4})-hook>",
        Reader.TAGGED_HOOK,
        Part.OUTPUT,
        Place.BLOCK | ANYWHERE,
        is_pattern=True,
    ),
)

_STYLE = (
    piece(
        SourceType.OUTPUT_STYLE,
        r"# Output Style: (?P<name>[^\n]{1,200})\n?",
        Reader.OUTPUT_STYLE,
        Part.BODY,
        ANYWHERE,
        is_pattern=True,
    ),
    piece(
        SourceType.OUTPUT_STYLE,
        r"(?P<name>[^\n]{1,200}?) output style is active\. Remember",
        Reader.ACTIVE_STYLE,
        Part.CONTEXT,
        ANYWHERE,
        is_pattern=True,
    ),
)

_NOTICES = (
    piece(
        SourceType.AGENT,
        r"(?:<tools-used-before-summary>[^\n]{0,2000}\n)?\[SYSTEM NOTIFICATION - NOT USER INPUT\]",
        Reader.TASK_NOTICE,
        Part.RESULT,
        ANYWHERE | Place.BLOCK,
        is_pattern=True,
    ),
    piece(
        SourceType.AGENT,
        r"(?:A background agent completed a task:\n)?<task-notification>",
        Reader.TASK_NOTICE,
        Part.RESULT,
        ANYWHERE | Place.BLOCK,
        is_pattern=True,
    ),
    piece(
        SourceType.USER,
        r"The user sent (?:a new|the following) message[^\n]{0,80}:\n",
        Reader.USER_AFTER,
        Part.PROMPT,
        ANYWHERE | Place.BLOCK,
        is_pattern=True,
    ),
)

_FRAMEWORK = (
    _section("As you answer the user's questions, you can use the following context:\n# gitStatus", "git status", CONTEXT),
    _section("# Environment\n", "environment"),
    _section("Here is useful information about the environment you are running in:", "environment"),
    _section("You are powered by the model", "model"),
    _section(r"(?:Today's date is|The date has changed\.)", "date", is_pattern=True),
    _section("Attribution for git commits and pull requests", "commit rules"),
    _section(
        r"(?:While (?:auto|plan) mode is active|Plan mode (?:is|still) active|(?:## )?Exited (?:Plan|Auto) Mode|"
        r"## Auto Mode Active|"
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

_BEFORE_SERVERS = frozenset({"environment", "model", "git status", "commit rules"})

PIECES = tuple(
    replace(rule, is_before_servers=rule in _MEMORY or rule is _STYLE[0] or rule.source.source_name in _BEFORE_SERVERS)
    for rule in _MEMORY + _LISTINGS + _FILES + _HOOKS + _STYLE + _NOTICES + _FRAMEWORK
)
