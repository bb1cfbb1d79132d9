"""How programs name themselves: products of the `User-Agent` header, and beginnings of system prompts. Checked 2026-11."""

AGENT_NAMES: dict[str, str] = {
    "claude-cli": "claude-code",
    "claude-code": "claude-code",
    "anthropic/python": "anthropic-py",
    "asyncanthropic/python": "anthropic-py",
    "anthropic/js": "anthropic-ts",
    "openai/python": "openai-py",
    "asyncopenai/python": "openai-py",
    "openai/js": "openai-ts",
    "qwencode": "qwen-code",
    "codex_exec": "codex",
    "codex_cli_rs": "codex",
}
"""First product of the header in lower case, with its language where it names one, and the client it stands for."""

PROMPT_BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("You are OpenCode,", "opencode"),
    ("You are opencode,", "opencode"),
    ("You are Cline,", "cline"),
    ("You are Qwen Code,", "qwen-code"),
    ("Act as an expert software developer.", "aider"),
    ("Act as an expert software engineer", "aider"),
    ("Act as an expert code analyst.", "aider"),
    ("Act as an expert architect engineer", "aider"),
    ("You are an expert coding assistant operating inside pi", "pi"),
)
"""Beginning of a block of the system prompt, and the client whose it is, whatever the headers say."""

BILLING_PREFIXES: tuple[tuple[str, str], ...] = (
    ("claude-code", "x-anthropic-billing-header: "),
    ("claude-code", "You are Claude Code, Anthropic's official CLI"),
    ("claude-code", "You are a Claude agent, built on Anthropic's Claude Agent SDK"),
)
"""The same for Claude Code, believed only where no header names a client: others send these lines as well."""
