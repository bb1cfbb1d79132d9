"""Every setting of Assay in one table, and the type that holds the values in force.

The table is data: the command line makes its options from it, and a test compares `docs/configuration.md` with it.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    """What a setting's value looks like."""

    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"
    LIST = "list"
    """Texts: a TOML array, commas in the environment, a repeated option."""
    SIZE = "size"
    """Bytes, with an optional unit: `500MB`, `2GiB`."""


class Group(StrEnum):
    """Which commands take a setting."""

    PROXY = "proxy"
    STORAGE = "storage"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that can be configured."""

    name: str
    """Key in the file; `--with-dashes` as an option, `ASSAY_UPPER_CASE` in the environment."""
    kind: Kind
    group: Group
    default: str | int | bool | tuple[str, ...] | None
    """`None`: nothing, or worked out from other settings as the help says."""
    help: str
    metavar: str | None = None
    """What stands for the value in the help."""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"ASSAY_{self.name.upper()}"

    @property
    def option(self) -> str:
        """The option that sets it, as click wants it declared."""
        dashed = self.name.replace("_", "-")
        if self.kind is Kind.FLAG and self.default is True:
            return f"--{dashed}/--no-{dashed}"
        return f"--{dashed}"


def _proxy(name: str, kind: Kind, default: Any, text: str, metavar: str | None = None) -> Setting:
    return Setting(name=name, kind=kind, group=Group.PROXY, default=default, help=text, metavar=metavar)


def _storage(name: str, kind: Kind, default: Any, text: str, metavar: str | None = None) -> Setting:
    return Setting(name=name, kind=kind, group=Group.STORAGE, default=default, help=text, metavar=metavar)


def _api(name: str, kind: Kind, default: Any, text: str, metavar: str | None = None) -> Setting:
    return Setting(name=name, kind=kind, group=Group.API, default=default, help=text, metavar=metavar)


SETTINGS: tuple[Setting, ...] = (
    _proxy("listen", Kind.TEXT, "127.0.0.1", "Address the proxy listens on.", "HOST"),
    _proxy("port", Kind.INTEGER, 8080, "Port the proxy listens on; 0 takes a free one and prints it.", "PORT"),
    _proxy("reverse", Kind.TEXT, None, "Be a reverse proxy of this API instead, for ANTHROPIC_BASE_URL.", "URL"),
    _proxy(
        "local",
        Kind.TEXT,
        None,
        "Capture local processes that have no proxy settings, where the platform can.",
        "SPEC",
    ),
    _proxy(
        "upstream_proxy", Kind.TEXT, None, "Proxy that Assay itself goes through, or `none`; HTTPS_PROXY if not given.", "URL"
    ),
    _proxy("upstream_ca", Kind.TEXT, None, "Extra certificates (PEM) trusted on the way to the API.", "FILE"),
    _proxy("intercept", Kind.LIST, (), "Also intercept this host (repeatable); all others are tunnelled unread.", "HOST"),
    _proxy("capture", Kind.FLAG, True, "Record from the start; without it, traffic passes until capture is resumed."),
    _storage("data_dir", Kind.TEXT, None, "Where the certificate authority, keys and database are kept.", "DIR"),
    _storage(
        "database",
        Kind.TEXT,
        None,
        "Database: file or SQLAlchemy URL; assay.db in the data directory if not given.",
        "URL",
    ),
    _storage("bodies", Kind.FLAG, True, "Keep bodies; without them only sizes, hashes, sources, tokens and cost are kept."),
    _storage(
        "retention_days",
        Kind.INTEGER,
        30,
        "Delete exchanges older than this (0: never); totals per source stay.",
        "DAYS",
    ),
    _storage("retention_size", Kind.SIZE, None, "Delete the oldest exchanges once the database is larger than this.", "SIZE"),
    _storage("prices", Kind.TEXT, None, "Your own price list (TOML), ahead of the built-in one.", "FILE"),
    _api("api", Kind.FLAG, True, "Serve the JSON API."),
    _api("api_listen", Kind.TEXT, "127.0.0.1", "Address of the JSON API; anything but loopback demands the token.", "HOST"),
    _api("api_port", Kind.INTEGER, 3001, "Port of the JSON API; 0 takes a free one and prints it.", "PORT"),
    _api("api_no_token", Kind.FLAG, False, "Let every local process read the API (loopback only)."),
    _api("api_origin", Kind.LIST, (), "Web origin that may call the API (repeatable).", "ORIGIN"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values in force; the table above says what each means."""

    listen: str
    port: int
    """0: a free one."""
    reverse: str | None
    local: str | None
    upstream_proxy: str | None
    """`none`: go to the API directly; `None`: as our own environment says."""
    upstream_ca: Path | None
    intercept: tuple[str, ...]
    capture: bool
    data_dir: Path
    database: str
    """Always an SQLAlchemy URL."""
    bodies: bool
    retention_days: int
    """0: kept for ever."""
    retention_size: int | None
    """Bytes; `None`: no limit."""
    prices: Path | None
    api: bool
    api_listen: str
    api_port: int
    """0: a free one."""
    api_no_token: bool
    api_origin: tuple[str, ...]

    @property
    def database_path(self) -> Path | None:
        """The database's file; `None` for a server, or for one in memory."""
        prefix = "sqlite:///"
        path = self.database.removeprefix(prefix)
        return Path(path) if self.database.startswith(prefix) and path not in {"", ":memory:"} else None
