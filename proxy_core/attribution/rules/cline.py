"""Cline, editor extension and CLI: rules in the system prompt, tools named `<server>__<tool>`. Read 2026-11."""

from proxy_core.attribution.model import Part, Source, SourceType
from proxy_core.attribution.rules.model import ClientRules, Frame, McpNaming, PieceRule, Place, Reader, ToolSpeech
from proxy_core.attribution.rules.sections import framework, piece, section

_USER = Source(SourceType.USER)


def _spoken(tag: str, opening: str) -> PieceRule:
    """Write a rule for a tag around what the user typed."""
    return PieceRule(
        opener=opening,
        is_pattern=True,
        places=Place.BLOCK,
        source=framework("user input frame"),
        reader=Reader.BETWEEN,
        frames=(Frame(before=">", after=f"</{tag}>", source=_USER, part=Part.PROMPT),),
    )


RULES = ClientRules(
    client="cline",
    pieces=(
        piece(SourceType.MEMORY, r"# Rules\n\s{0,4}(?=## )", Reader.RULE_SECTIONS, Part.BODY, Place.PROMPT, is_pattern=True),
        section(
            r"# (?:Plan / Act Modes|Workspace Configuration|Workspace Information|Preferred Language)",
            "system prompt",
            Place.PROMPT,
            is_pattern=True,
        ),
        piece(SourceType.SKILL, "<available_skills>", Reader.XML_SKILLS, Part.LISTING, Place.PROMPT),
        piece(SourceType.SKILL, "Available skills:\n", Reader.LOOSE_LISTING, Part.LISTING, Place.PROMPT),
        section(r"(?:Environment you are running in:|<env>)", "environment", Place.PROMPT, is_pattern=True),
        section("Remember:\n", "system prompt", Place.PROMPT),
        section("<environment_details>", "environment", Place.BLOCK),
        section(
            r"(?:# task_progress|# TODO LIST|# todo|\[TASK RESUMPTION\]|<explicit_instructions)",
            "nudge",
            Place.BLOCK,
            is_pattern=True,
        ),
        _spoken("user_input", r"<user_input[ >]"),
        _spoken("task", r"<task>"),
        _spoken("feedback", r"<feedback>"),
        _spoken("answer", r"<answer>"),
        _spoken("user_message", r"<user_message>"),
        piece(
            SourceType.FILE,
            r'<file_content path="(?P<path>[^"\n]{1,1000})"',
            Reader.TAGGED_FILES,
            Part.BODY,
            Place.BLOCK,
            is_pattern=True,
        ),
    ),
    speech=ToolSpeech(
        skill=frozenset({"skills", "skill", "use_skill"}),
        agent=frozenset({"spawn_agent", "use_subagents"}),
        resource=frozenset({"access_mcp_resource"}),
    ),
    naming=McpNaming.DOUBLE,
    has_sections=True,
    prompt_openers=("You are Cline",),
)
