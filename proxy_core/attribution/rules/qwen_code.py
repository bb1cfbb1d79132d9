"""qwen_code."""

from proxy_core.attribution.rules.model import ClientRules

RULES = ClientRules(client="qwen-code")
