"""aider."""

from proxy_core.attribution.rules.model import ClientRules

RULES = ClientRules(client="aider")
