"""What stopped the proxy, the recording or a listening port, in plain words: what is the case, what to do, the system's words.

Pure: the words of the system in, a person's out. It must not ask the system anything itself.
"""

import re
import sys
from dataclasses import dataclass
from typing import Final

from tui.invocation import own_command

PROXY_STOPPED: Final = "the proxy stopped: "
STORING_ENDED: Final = "nothing is stored any more: "
STORING_FAILS: Final = "storing fails, trying again: "
"""What the running side says begins with one of them: no traffic passes, it passes unrecorded, it may be recorded yet."""
_STORING: Final = {STORING_ENDED: "Nothing is stored any more", STORING_FAILS: "Storing fails, and is tried again"}

# What systems say, in words or by the numbers of Linux, macOS and Windows.
_TAKEN: Final = ("address already in use", "errno 98]", "errno 48]", "winerror 10048")
_FORBIDDEN: Final = ("permission denied", "errno 13]", "winerror 10013")
_NOT_HERE: Final = ("cannot assign requested address", "can't assign requested address", "errno 99]", "errno 49]")
_TOO_MANY: Final = ("too many open files", "errno 24]")
_NO_NAME: Final = (
    *("name or service not known", "nodename nor servname", "name resolution", "getaddrinfo failed"),
    *("errno -2]", "errno -3]"),
)
_UNREACHABLE: Final = (
    (_NO_NAME, "its name is not found: no network, or no DNS"),
    (("connection refused", "errno 111]", "errno 61]"), "nobody listens at its address"),
    (("unreachable", "no route to host", "errno 101]", "errno 113]"), "there is no way to it: no network, or no VPN"),
    (("certificate verify failed", "certificate_verify_failed"), "its certificate is not trusted (--upstream-ca adds one)"),
)
"""When no connection comes about, and what that means."""

_ADDRESS: Final = re.compile(r"(?:listen on |address \(')(?P<host>[^\s']+?)(?:', |:)(?P<port>\d+)\b")
_WEB_PORT: Final = "--web-port"
"""The option that takes no 0: a browser has to be told."""
_LAST_PORT: Final = 65_535
_FIRST_FREE_PORT: Final = 1_024
"""Below it a port needs rights that a user does not have."""
_FAR_ENOUGH: Final = 8_000
"""Added to such a port it is one that people remember: 80 becomes 8080, 443 becomes 8443."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong."""

    text: str
    """What is the case, in plain words."""
    remedy: str
    """What to do."""
    words: str
    """What the system said, in one line."""
    is_stopped: bool = True
    """No traffic passes through the proxy."""


def explain_failure(failure: str) -> Trouble:
    """Explain what the running side says, in one line, of its end."""
    command = own_command()
    for beginning, text in _STORING.items():
        if failure.startswith(beginning):
            words = failure.removeprefix(beginning)
            return Trouble(f"{text}; traffic goes on", f"{command} doctor explains", words, is_stopped=False)
    words = failure.removeprefix(PROXY_STOPPED)
    found = _ADDRESS.search(words)
    if found is not None and _says(words, (*_TAKEN, *_FORBIDDEN, *_NOT_HERE)):
        return explain_listening(found["host"], int(found["port"]), words, before=f"q, then {command} ")
    if _says(words, _TOO_MANY):
        text = "The proxy has stopped: more connections and files were open than the system allows"
        return Trouble(text, f"q leaves; then: ulimit -n 65536, and {command} again", words)
    text = "The proxy has stopped: clients that go through it get no answer"
    return Trouble(text, f"q leaves, {command} starts anew, {command} doctor explains; what was captured stays", words)


def explain_listening(host: str, port: int, words: str, option: str = "--port", before: str = "") -> Trouble:
    """Explain why nobody can listen at an address.

    Args:
        host: Where to listen.
        port: Which port.
        words: What the system said.
        option: The option that chooses the port.
        before: Stands before the option, where it does not go without saying which command takes it.
    """
    if _says(words, _FORBIDDEN):
        is_low = port < _FIRST_FREE_PORT
        why = f": those below {_FIRST_FREE_PORT} are the system's" if is_low else ""
        remedy = f"{before}{option} {port + _FAR_ENOUGH if is_low else 0} takes one that is free to all"
        return Trouble(f"Not allowed to listen on port {port}{why}", remedy, words)
    if not _says(words, _TAKEN):
        listen = option.replace("port", "host" if option == _WEB_PORT else "listen")
        return Trouble(f"{host} is no address of this machine", f"{before}{listen} 127.0.0.1 is one", words)
    following = port + 1 if port < _LAST_PORT else port - 1
    free = f"{option} 0 takes any that is free, " if not before and option != _WEB_PORT else ""
    other = f"{free}{before}{option} {following}"
    text = f"Port {port} is taken: another program listens on {host}:{port}"
    return Trouble(text, f"{other}; who has it: {_who_listens(port)}", words)


def explain_unreachable(words: str) -> str:
    """Say in plain words why the API cannot be reached; the system's own where they are the plainest."""
    return next((plain for signs, plain in _UNREACHABLE if _says(words, signs)), words)


def _who_listens(port: int) -> str:
    """Name the command that finds out who listens on a port."""
    if sys.platform == "linux":
        return f"ss -ltnp 'sport = :{port}'"
    if sys.platform == "win32":
        return f"netstat -ano | findstr :{port}"
    return f"lsof -nP -iTCP:{port} -sTCP:LISTEN"


def _says(words: str, signs: tuple[str, ...]) -> bool:
    return any(sign in words.lower() for sign in signs)
