"""aider: examples as turns of their own, files as user messages, its rules repeated after what was typed. Seen 2026-11."""

from proxy_core.attribution.model import Part
from proxy_core.attribution.rules.model import ClientRules, PieceRule, Place, Reader
from proxy_core.attribution.rules.sections import framework, section

_FILES = (
    r"(?:I have \*added these files to the chat\*|Here are some READ ONLY files, provided for your reference|"
    r"Here are some READ ONLY files|Here are the read-only files)"
)

RULES = ClientRules(
    client="aider",
    pieces=(
        PieceRule(
            opener=_FILES,
            is_pattern=True,
            places=Place.BLOCK,
            source=framework("files frame"),
            part=Part.CONTEXT,
            reader=Reader.ADDED_FILES,
        ),
        section("Here are summaries of some files present in my git repo", "repository map", Place.BLOCK),
        section("I switched to a new code base.", "end of examples", Place.BLOCK),
        section(
            r"I am not sharing (?:any|the) files|I am not sharing any files that you can edit yet",
            "files frame",
            Place.BLOCK,
            is_pattern=True,
        ),
        section("I committed the changes with git hash", "nudge", Place.BLOCK),
    ),
    canned_until="end of examples",
    canned_answers=frozenset(
        {
            "Ok.",
            "Ok, any changes I propose will be to those files.",
            "Ok, I will use these files as references.",
            "Ok, I won't try and edit those files without asking first.",
            "Ok, based on your requests I will suggest which files need to be edited and then stop and wait for your approval.",
        }
    ),
    tails=tuple(
        (marker, framework("repeated rules"))
        for marker in (
            "\n\n# *SEARCH/REPLACE block* Rules:",
            "\n\n# File editing rules:",
            "\n\nTo suggest changes to a file you MUST return the entire",
            "\n\nNEVER RETURN CODE!",
            "\n\n# Rules for the patch",
        )
    ),
    compaction_markers=("*Briefly* summarize this partial conversation about programming",),
)
