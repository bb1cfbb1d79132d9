"""Whose tool a name is: MCP servers told from built-in tools, and server from tool where a name can be read two ways."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy_core.attribution.model import Source, SourceType
from proxy_core.attribution.rules.model import ClientRules, McpNaming

PREFIX = "mcp__"
LONGEST_NAME = 256
"""Characters; a longer name is nobody's and not worth taking apart."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def wire_name(printed: str) -> str:
    """Write a server's name as it stands in tool names: `my.media-v2` becomes `my_media-v2`."""
    return _UNSAFE.sub("_", printed.strip())


@dataclass(slots=True)
class ToolOwners:
    """Answers whose tool a name is, for one request."""

    rules: ClientRules
    servers: frozenset[str]
    """Wire names of the servers the request speaks of."""
    tool_names: tuple[str, ...] = ()
    """Names of all tools the request defines."""
    _known: dict[str, tuple[Source, bool]] = field(default_factory=dict)

    def owner(self, name: str) -> tuple[Source, bool]:
        """Return a tool's source, and whether another reading fits as well."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._read(name)
        return found

    def _read(self, name: str) -> tuple[Source, bool]:
        server, is_uncertain = self._server_of(name)
        if server is None:
            return Source(SourceType.TOOL, name), False
        return Source(SourceType.MCP_SERVER, server), is_uncertain

    def _server_of(self, name: str) -> tuple[str | None, bool]:
        if len(name) > LONGEST_NAME:
            return None, False
        if name.startswith(PREFIX):
            return self._split(name[len(PREFIX) :], "__")
        if self.rules.naming is McpNaming.DOUBLE and "__" in name:
            return self._split(name, "__")
        if self.rules.naming is McpNaming.SINGLE and "_" in name and name not in self.rules.speech.builtin:
            return self._split_single(name)
        return None, False

    def _split(self, name: str, separator: str) -> tuple[str | None, bool]:
        """Read `server__tool`; the longest known server wins, else the first separator divides."""
        servers = [name[:at] for at in _positions(name, separator)]
        known = [server for server in servers if server in self.servers]
        if known:
            return max(known, key=len), False
        return (servers[0] or name, len(servers) > 1) if servers else (name, False)

    def _split_single(self, name: str) -> tuple[str | None, bool]:
        known = [name[:at] for at in _positions(name, "_") if name[:at] in self.servers]
        if known:
            return max(known, key=len), False
        return self._shared_beginning(name), True

    def _shared_beginning(self, name: str) -> str:
        """Guess the server from what its tools' names have in common: `docs_search_read`, `docs_search_find`."""
        words = name.split("_")
        kin = [
            other.split("_")
            for other in self.tool_names
            if other != name and other not in self.rules.speech.builtin and other.split("_")[0] == words[0]
        ]
        length = max(1, min((_common(words, other) for other in kin), default=1))
        return "_".join(words[:length])


def _common(one: list[str], other: list[str]) -> int:
    shortest = min(len(one), len(other)) - 1
    return next((index for index in range(shortest) if one[index] != other[index]), shortest)


def _positions(text: str, separator: str) -> Iterable[int]:
    at = text.find(separator, 1)
    while 0 < at < len(text) - len(separator):
        yield at
        at = text.find(separator, at + 1)
