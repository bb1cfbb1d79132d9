"""How the API is to be served. Safe as it stands: loopback, a token, no foreign origin."""

import ipaddress
from dataclasses import dataclass

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3001
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised here, never bound by default


class UnsafeSettingsError(ValueError):
    """The settings would open the API to others without a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Where the API listens and whom it answers."""

    token: str | None
    """The bearer token; `None` only by an explicit wish, and only on loopback."""
    host: str = DEFAULT_HOST
    """Address to bind."""
    port: int = DEFAULT_PORT
    """0: any free one, see `ApiThread.port`."""
    allowed_origins: tuple[str, ...] = ()
    """Web origins (`https://host:port`) whose pages may call the API; none by default."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names the API may be called by, beside the loopback names and `host`."""
    max_body_bytes: int = 65_536
    """Largest request body that is read."""

    def __post_init__(self) -> None:
        """Refuse what must not be.

        Raises:
            UnsafeSettingsError: no token, but an address that others can reach.
        """
        if self.token is None and not self.is_loopback:
            raise UnsafeSettingsError(f"Serving the API on {self.host} needs the token: only loopback may go without")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def warning(self) -> str | None:
        """What a person has to be told before the API starts; `None` when all is safe."""
        if not self.is_loopback:
            return (
                f"The API listens on {self.host}:{self.port}, which other machines can reach: whoever has the token "
                "can read every captured prompt, and nothing on the way is encrypted."
            )
        if self.token is None:
            return "The API asks for no token: every program of this machine can read every captured prompt."
        return None

    @property
    def host_names(self) -> frozenset[str]:
        """Every name in a Host header that is ours, in lower case, without port."""
        names = {name.lower() for name in self.allowed_hosts} | _LOOPBACK_NAMES
        if self.host not in _ANY_ADDRESS:
            names.add(self.host.lower())
        return frozenset(names)
