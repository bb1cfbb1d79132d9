"""cline."""

from proxy_core.attribution.rules.model import ClientRules

RULES = ClientRules(client="cline")
