"""What earlier blocks of the same element say about a later one."""

from dataclasses import dataclass, field

from proxy_core.attribution.cuts import Call
from proxy_core.attribution.ruleset import Ruleset


@dataclass(slots=True)
class ElementContext:
    """State while one element is cut, from its first block to its last."""

    ruleset: Ruleset
    role: str | None = None
    can_fold: bool = False
    """Reminders may stand at the end of tool results."""
    command: str | None = None
    """A command was just called and its body has not come yet."""
    command_arguments: str = ""
    local_command: str | None = None
    """The command the client ran by itself, whose output follows."""
    mentioned: str | None = None
    """The file that was read last for the user."""
    launched: list[str] = field(default_factory=list)
    bodies: int = 0
    """How many skill bodies have come."""
    resources: int = 0
    """How many resources have come."""
    is_resource_open: bool = False
    """A resource was announced; its text is the next reminder."""
    servers: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    typed: str | None = None
    addresses: list[tuple[str, str]] = field(default_factory=list)
