"""Which rules hold for which client. The one place that knows all rule files."""

from proxy_core.attribution.rules import aider, cline, generic, opencode, pi, qwen_code
from proxy_core.attribution.rules.claude_code import client as claude_code
from proxy_core.attribution.rules.model import ClientRules

_BY_NAME: dict[str, ClientRules] = {
    "claude-code": claude_code.RULES,
    "claude-agent-sdk": claude_code.RULES,
    "opencode": opencode.RULES,
    "pi": pi.RULES,
    "cline": cline.RULES,
    "qwen-code": qwen_code.RULES,
    "aider": aider.RULES,
}


def rules_of(client_name: str | None) -> ClientRules:
    """Return a client's rules; what is common to all where it has none of its own."""
    return _BY_NAME.get(client_name or "", generic.RULES)
