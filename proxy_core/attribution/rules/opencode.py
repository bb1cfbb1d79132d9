"""opencode. Seen with 1.18.33 (2026-11)."""

from proxy_core.attribution.model import Part, SourceType
from proxy_core.attribution.rules.model import ClientRules, ListingRule, McpNaming, PieceRule, Place, Reader, ToolSpeech
from proxy_core.attribution.rules.sections import framework, piece, section

_MEMORY = r"Instructions from: (?P<path>[^\n]{1,1000})\n"
_REMINDED = Place.REMINDER | Place.FOLDED

RULES = ClientRules(
    client="opencode",
    pieces=(
        piece(SourceType.MEMORY, _MEMORY, Reader.PATH_HEADING, Part.BODY, Place.PROMPT | _REMINDED, is_pattern=True),
        piece(SourceType.MCP_SERVER, "<mcp_instructions>", Reader.XML_SERVERS, Part.INSTRUCTIONS, Place.PROMPT),
        piece(SourceType.SKILL, "<available_skills>", Reader.XML_SKILLS, Part.LISTING, Place.PROMPT),
        section("Skills provide specialized instructions and workflows", "skills listing", Place.PROMPT),
        section("You are powered by the model named", "model", Place.PROMPT),
        section(
            r"(?:Here is some useful information about the environment|<env>)", "environment", Place.PROMPT, is_pattern=True
        ),
        section("Generate a title for this conversation:", "title prompt", Place.BLOCK),
        section(
            r"(?:# Plan Mode|Plan mode|Your operational mode has changed|CRITICAL: Plan mode)",
            "mode",
            _REMINDED,
            is_pattern=True,
        ),
        piece(
            SourceType.USER,
            r"The user sent the following message:\n",
            Reader.USER_AFTER,
            Part.PROMPT,
            _REMINDED,
            is_pattern=True,
        ),
        piece(
            SourceType.FILE,
            r"Called the \w{1,60} tool with the following input: ",
            Reader.FILE_CALL,
            Part.BODY,
            Place.BLOCK,
            is_pattern=True,
        ),
        piece(
            SourceType.FILE,
            r"<path>(?P<path>[^<\n]{1,1000})</path>\n<type>",
            Reader.PATH_HEADING,
            Part.BODY,
            Place.BLOCK,
            is_pattern=True,
        ),
        PieceRule(
            opener=(
                r"(?:Provide a detailed prompt for continuing our conversation|(?:Create|"
                r"Update)[a-z ]{1,9}anchored summary)"
            ),
            is_pattern=True,
            places=Place.BLOCK,
            source=framework("compaction prompt"),
        ),
    ),
    listings=(
        ListingRule(
            tools=("task",), opener="Available agent types and the tools they have access to:\n", source_type=SourceType.AGENT
        ),
        ListingRule(tools=("skill",), opener="<available_skills>\n", source_type=SourceType.SKILL, reader=Reader.XML_SKILLS),
    ),
    speech=ToolSpeech(
        skill=frozenset({"skill"}),
        agent=frozenset({"task"}),
        resource=frozenset({"read_mcp_resource"}),
        numbered=frozenset({"read"}),
        file=frozenset({"read", "edit", "write", "patch", "apply_patch", "multiedit", "glob", "grep", "list"}),
        builtin=frozenset(
            {
                "list_mcp_resource_templates",
                "list_mcp_resources",
                "read_mcp_resource",
                "apply_patch",
                "plan_enter",
                "plan_exit",
                "todo_write",
                "todo_read",
                "web_fetch",
                "web_search",
                "code_search",
                "structured_output",
                "StructuredOutput",
            }
        ),
    ),
    naming=McpNaming.SINGLE,
    has_sections=True,
    prompt_openers=("You are OpenCode", "You are opencode"),
    title_markers=("You are a title generator",),
    compaction_markers=(
        "You are a helpful AI assistant tasked with summarizing conversations",
        "You are an anchored context summarization",
        "Provide a detailed prompt for continuing our conversation",
    ),
    reminder_tag="system-reminder",
)
