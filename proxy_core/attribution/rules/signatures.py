"""How programs name themselves: products of the `User-Agent` header, and beginnings of system prompts. Checked 2026-11."""

AGENT_NAMES: dict[str, str] = {
    "claude-cli": "claude-code",
    "claude-code": "claude-code",
    "opencode": "opencode",
    "pi": "pi",
    "cline": "cline",
    "qwencode": "qwen-code",
    "qwen-code": "qwen-code",
    "aider": "aider",
    "litellm": "litellm",
    "codex_exec": "codex",
    "codex_cli_rs": "codex",
    "llm": "llm",
}
"""First product of the header, lower case, and the client it stands for."""

PROMPT_BEGINNINGS: tuple[tuple[str, str], ...] = (
    ("x-anthropic-billing-header: ", "claude-code"),
    ("You are Claude Code, Anthropic's official CLI", "claude-code"),
    ("You are a Claude agent, built on Anthropic's Claude Agent SDK", "claude-code"),
    ("You are OpenCode,", "opencode"),
    ("You are opencode,", "opencode"),
    ("You are Cline,", "cline"),
    ("You are Qwen Code,", "qwen-code"),
    ("Act as an expert software developer.", "aider"),
    ("Act as an expert code analyst.", "aider"),
    ("Act as an expert architect engineer", "aider"),
    ("You are an expert coding assistant operating inside pi", "pi"),
)
"""Beginning of the system prompt, and the client whose it is, for requests made through a library."""
