"""What is believed of a client nobody has written rules for: the roles and names of the API itself."""

from proxy_core.attribution.rules.model import ClientRules

RULES = ClientRules(client="generic")
