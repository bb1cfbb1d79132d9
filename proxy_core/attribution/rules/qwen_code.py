"""Qwen Code: names like Claude Code's, memory in the system prompt, a startup message before the conversation. Read 2026-11."""

from proxy_core.attribution.model import Part, SourceType
from proxy_core.attribution.rules.model import ClientRules, ListingRule, Place, Reader, ToolSpeech
from proxy_core.attribution.rules.sections import piece, section

_BESIDE = Place.REMINDER | Place.PROMPT

RULES = ClientRules(
    client="qwen-code",
    pieces=(
        piece(
            SourceType.MEMORY,
            r"--- Context from: (?P<path>[^\n]{1,1000}?) ---\n",
            Reader.PATH_HEADING,
            Part.BODY,
            Place.PROMPT | Place.BLOCK,
            is_pattern=True,
        ),
        section("--- End of Context from: ", "memory preamble", Place.PROMPT),
        section(r"This is the Qwen Code\.", "environment", Place.BLOCK | Place.REMINDER, is_pattern=True),
        piece(
            SourceType.MCP_SERVER,
            r"(?:# MCP Server Instructions|The text below was supplied by the MCP server)",
            Reader.MCP_INSTRUCTIONS,
            Part.INSTRUCTIONS,
            _BESIDE,
            is_pattern=True,
        ),
        piece(
            SourceType.TOOL,
            r"(?:The following (?:MCP )?tools (?:are|became|have)|The available MCP tools changed)[^\n]{0,600}\n?",
            Reader.TOOL_LINES,
            Part.NAMES,
            _BESIDE,
            is_pattern=True,
        ),
        piece(
            SourceType.TOOL,
            r"- [`\"*]{0,3}mcp__[A-Za-z0-9_.-]{1,200}",
            Reader.TOOL_LINES,
            Part.NAMES,
            Place.PROMPT,
            is_pattern=True,
        ),
        piece(
            SourceType.SKILL,
            r"The following skills(?:/commands)? (?:are|became) ",
            Reader.XML_SKILLS,
            Part.LISTING,
            _BESIDE,
            is_pattern=True,
        ),
        piece(SourceType.SKILL, "<available_skills>", Reader.XML_SKILLS, Part.LISTING, _BESIDE),
        piece(
            SourceType.AGENT,
            r"(?:The following|The available) (?:Agent tool )?subagent types",
            Reader.LISTING,
            Part.LISTING,
            Place.REMINDER,
            is_pattern=True,
        ),
        section(
            r"(?:Plan mode is active|You are running as|Interaction mode reminder)",
            "mode",
            Place.REMINDER | Place.PROMPT,
            is_pattern=True,
        ),
        section("Here is the user's editor context", "editor context", Place.REMINDER | Place.BLOCK),
        piece(SourceType.SKILL, "Base directory for this skill: ", Reader.SKILL_BODY, Part.BODY, Place.BLOCK),
        piece(
            SourceType.FILE,
            r"\s*--- Content from referenced files ---",
            Reader.REFERENCED_FILES,
            Part.BODY,
            Place.BLOCK,
            is_pattern=True,
        ),
    ),
    listings=(
        ListingRule(
            tools=("task", "agent"),
            opener="Available agent types and the tools they have access to:\n",
            source_type=SourceType.AGENT,
        ),
        ListingRule(
            tools=("skill", "Skill"), opener="<available_skills>\n", source_type=SourceType.SKILL, reader=Reader.XML_SKILLS
        ),
    ),
    speech=ToolSpeech(
        skill=frozenset({"skill", "Skill"}), agent=frozenset({"task", "agent"}), resource=frozenset({"read_mcp_resource"})
    ),
    has_sections=True,
    prompt_openers=("You are Qwen Code",),
    title_markers=("Generate a concise title", "You are naming a session"),
    compaction_markers=("You are the component that summarizes internal chat history",),
    canned_answers=frozenset({"Got it. Thanks for the context!", "Got it. Thanks for the additional context!"}),
    reminder_tag="system-reminder",
)
