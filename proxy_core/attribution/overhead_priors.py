"""What the API adds to a prompt without showing it: documented and measured sizes, as data.

Priors only. Servers drift, so what is learnt from traffic replaces them (`overheads.py`). Every table says where it comes from.
"""

from proxy_core.attribution.tokens.families import O200K, V3, V4_7, V4_8

TOOL_PROMPT = {
    "claude-opus-5": (286, 406),
    "claude-sonnet-5": (354, 474),
    "claude-opus-4-8": (290, 410),
    "claude-opus-4-7": (675, 804),
    "claude-opus-4-6": (497, 589),
    "claude-sonnet-4-6": (497, 589),
    "claude-opus-4-5": (496, 588),
    "claude-sonnet-4-5": (496, 588),
    "claude-haiku-4-5": (496, 588),
    "claude-opus-4-1": (313, 315),
    "claude-opus-4": (313, 315),
    "claude-sonnet-4": (313, 315),
    "claude-3-7-sonnet": (346, 313),
    "claude-3-5-sonnet": (294, 261),
    "claude-3-5-haiku": (264, 355),
    "claude-3-opus": (530, 281),
    "claude-3-sonnet": (159, 235),
    "claude-3-haiku": (264, 340),
}
"""Model -> tokens of the tool-use system prompt with tool_choice (`auto` or `none`, `any` or `tool`).
Anthropic, "Tool use pricing", 2026-08-21; 3.x from earlier editions of the page; 3.5 Sonnet's `any` is a guess."""

TOOL_PROMPT_BY_FAMILY = {V3: (497, 589), V4_7: (675, 804), V4_8: (320, 440), O200K: (300, 400)}
"""For models the table lacks: those of the family's newest listed models."""

FIRST_FRAME = {V3: 7, V4_7: 11, V4_8: 6, O200K: 6}
"""Tokens around a request's first message. Recorded counts, 2026-11 (ctok's `message_overhead`)."""

NEXT_FRAME = {V3: 3, V4_7: 2, V4_8: 2, O200K: 3}
"""Tokens around each further message. Measured on recorded traffic, 2026-11; 4.7 assumed like 4.8."""

RESULT_FRAME = {V3: 9, V4_7: 3, V4_8: 3, O200K: 6}
"""Tokens around a tool result beside its message's own: 11..13 (v3) or 5 (v4.8+) between two requests, less a text turn's 3
or 2. Measured 2026-11."""

CALL_FRAME = {V3: 40, V4_7: 25, V4_8: 25, O200K: 20}
"""Tokens around a tool call's name and input. A guess from recorded answers; the next request's bill tells the truth."""

SERVER_TOOLS = {
    "bash_": (244, 325),
    "text_editor_": (700, 700),
    "memory_": (1070, 1070),
    "web_search_": (1710, 1710),
    "web_fetch_": (525, 525),
    "code_execution_": (600, 600),
    "tool_search_tool_bm25": (150, 150),
    "tool_search_tool_regex": (212, 212),
    "advisor_": (600, 600),
    "computer_toolset_": (4200, 4200),
    "computer_": (1215, 1215),
    "browser_toolset_": (6300, 6300),
}
"""Prefix of a tool's type -> tokens of its hidden definition (up to 4.6, from 4.7 on), without the tool prompt.
bash, text editor, computer, browser: Anthropic's tool pages, 2026-08-21; the others: measured residuals of 2026-11 less the
tool prompt; code execution: a guess, to be learnt."""

THINKING_SETTING = {V3: 28, V4_7: 0, V4_8: 0, O200K: 0}
"""Tokens that `thinking: enabled` adds. Measured 2026-11."""
ADAPTIVE_THINKING = {V3: 17, V4_7: 0, V4_8: 0, O200K: 0}
"""Tokens that `thinking: adaptive` adds. Measured on Opus 4.6, 2026-11."""

OUTPUT_SCHEMA = 117
"""Tokens that structured output adds beside its schema: measured 110..124, 2026-11."""

IMAGE_FRAME = 3
"""Tokens around an image: measured 3..4, 2026-11."""

KEEPS_THINKING_SINCE = {"opus": (4, 5), "sonnet": (4, 6), "haiku": (5, 0), "fable": (5, 0), "mythos": (4, 7)}
"""Model line -> first generation that keeps (and bills) the thinking of earlier turns; before, it is stripped.
Anthropic, "Extended thinking", 2026-08-21."""
