"""pi, a coding agent: no MCP, memory and skills in the system prompt, a skill is a read of its file. Read 2026-11."""

from proxy_core.attribution.model import Part, SourceType
from proxy_core.attribution.rules.model import ClientRules, Place, Reader, ToolSpeech
from proxy_core.attribution.rules.sections import piece, section

_FILE_HEADING = r"## (?P<path>(?:~|/|[A-Za-z]:[\\/]|\.{1,2}/)[^\n]{0,1000}?\.md)\n"

RULES = ClientRules(
    client="pi",
    pieces=(
        piece(SourceType.MEMORY, _FILE_HEADING, Reader.PATH_HEADING, Part.BODY, Place.PROMPT, is_pattern=True),
        piece(SourceType.MEMORY, "<project_instructions ", Reader.XML_FILES, Part.BODY, Place.PROMPT),
        piece(SourceType.SKILL, "<available_skills>", Reader.XML_SKILLS, Part.LISTING, Place.PROMPT),
        section("The following skills provide specialized instructions", "skills listing", Place.PROMPT),
        section(
            r"(?:# Project Context\n|<project_context>|</project_context>)", "memory preamble", Place.PROMPT, is_pattern=True
        ),
        section(r"Current (?:date|working directory)", "environment", Place.PROMPT, is_pattern=True),
        section(r"Available tools:\n", "system prompt: Available tools", Place.PROMPT, is_pattern=True),
        section(r"Guidelines:\n", "system prompt: Guidelines", Place.PROMPT, is_pattern=True),
        section("Pi documentation ", "system prompt: Pi documentation", Place.PROMPT),
        piece(
            SourceType.SKILL,
            r'<skill name="(?P<name>[^"\n]{1,200})"',
            Reader.TAGGED_SKILL,
            Part.BODY,
            Place.BLOCK,
            is_pattern=True,
        ),
        piece(
            SourceType.FILE,
            r'<file name="(?P<path>[^"\n]{1,1000})"',
            Reader.TAGGED_FILES,
            Part.BODY,
            Place.BLOCK,
            is_pattern=True,
        ),
        section("The conversation history before this point was compacted", "compaction note", Place.BLOCK),
    ),
    speech=ToolSpeech(
        numbered=frozenset(), file=frozenset({"read", "edit", "write", "grep", "find", "ls"}), skill_readers=frozenset({"read"})
    ),
    has_sections=True,
    prompt_openers=("You are an expert coding assistant operating inside pi",),
    compaction_markers=("You are a context summarization assistant",),
)
