"""Which of four places decides a setting: option, else environment variable, else configuration file, else default.

It must not open, start or create anything.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from tui.errors import ConfigurationError
from tui.settings import SETTINGS, Kind, Setting, Settings

_BY_NAME = {setting.name: setting for setting in SETTINGS}
_SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_MOST_NUMBER = 1_000_000
"""More days than anything is kept, more ports than there are."""
_MOST_BYTES = 2**62
"""More than any disk holds; what is compared with it in the database fits there."""
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def default_config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the configuration file is looked for: `ASSAY_CONFIG`, or the platform's place."""
    if named := environ.get("ASSAY_CONFIG"):
        return Path(named).expanduser()
    from platformdirs import user_config_path

    return user_config_path("assay", appauthor=False) / "config.toml"


def default_data_dir() -> Path:
    """Return the platform's place for a user's data."""
    from platformdirs import user_data_path

    return user_data_path("assay", appauthor=False)


def load_settings(
    options: Mapping[str, Any],
    *,
    config: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Work out every setting.

    Args:
        options: Values given on the command line; `None` and empty tuples count as not given.
        config: The configuration file; the usual place if `None`, where it may be missing.
        environ: Environment variables.

    Raises:
        ConfigurationError: A value, a key or the file itself cannot be used.
    """
    path = config or default_config_path(environ)
    file_values = read_config_file(path, must_exist=config is not None or "ASSAY_CONFIG" in environ)
    values = {setting.name: _decide(setting, options, environ, file_values, path) for setting in SETTINGS}
    return _settle(values)


def read_config_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """Read a configuration file and refuse keys that mean nothing.

    Raises:
        ConfigurationError: It cannot be read, is no TOML, or has an unknown key.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigurationError(f"configuration file {path} does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"configuration file {path} cannot be read: {error}") from error
    for key in values:
        if key not in _BY_NAME:
            raise ConfigurationError(f"{path}: unknown setting `{key}`{_nearest(key, _BY_NAME)}")
    return values


def _nearest(key: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, list(names), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _decide(
    setting: Setting, options: Mapping[str, Any], environ: Mapping[str, str], file: Mapping[str, Any], path: Path
) -> Any:
    given = options.get(setting.name)
    if given is not None and given != ():
        return parse_value(setting, given, setting.option)
    if setting.variable in environ:
        return parse_value(setting, environ[setting.variable], setting.variable)
    if setting.name in file:
        return parse_value(setting, file[setting.name], f"{path}: {setting.name}")
    return setting.default


def parse_value(setting: Setting, value: Any, place: str) -> Any:
    """Turn a value from the environment or the file into what the setting holds.

    Raises:
        ConfigurationError: It does not fit; `place` says where it stood.
    """
    try:
        return _PARSERS[setting.kind](value)
    except (TypeError, ValueError, KeyError, OverflowError):
        raise ConfigurationError(f"{place}: {value!r} is not {_EXPECTED[setting.kind]}") from None


def _parse_text(value: Any) -> str | None:
    if not isinstance(value, str | Path):
        raise TypeError(value)
    return str(value) or None


def _parse_integer(value: Any) -> int:
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise TypeError(value)
    return _bounded(int(value), _MOST_NUMBER)


def _parse_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _parse_list(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else list(value)
    if not all(isinstance(part, str) for part in parts):
        raise TypeError(value)
    return tuple(part.strip() for part in parts if part.strip())


def _parse_size(value: Any) -> int | None:
    if isinstance(value, bool):
        raise TypeError(value)
    text = str(value).strip().lower().replace(" ", "")
    digits = text.rstrip("bkmgi")
    return _bounded(int(float(digits) * _SIZES[text[len(digits) :]]), _MOST_BYTES) or None


def _bounded(number: int, most: int) -> int:
    if not 0 <= number <= most:
        raise ValueError(number)
    return number


_PARSERS = {
    Kind.TEXT: _parse_text,
    Kind.INTEGER: _parse_integer,
    Kind.FLAG: _parse_flag,
    Kind.LIST: _parse_list,
    Kind.SIZE: _parse_size,
}
_EXPECTED = {
    Kind.TEXT: "a text",
    Kind.INTEGER: f"a whole number from 0 to {_MOST_NUMBER:,}",
    Kind.FLAG: "true or false",
    Kind.LIST: "a list of texts",
    Kind.SIZE: "a size such as 500MB or 2GiB",
}


def _settle(values: dict[str, Any]) -> Settings:
    for name in ("port", "api_port"):
        if cast("int", values[name]) > 65535:
            raise ConfigurationError(f"{name}: {values[name]} is not a port (0 to 65535)")
    data_dir = Path(values["data_dir"]).expanduser() if values["data_dir"] else default_data_dir()
    values["data_dir"] = data_dir
    values["database"] = database_url(values["database"], data_dir)
    for name in ("upstream_ca", "prices"):
        values[name] = Path(values[name]).expanduser() if values[name] else None
    return Settings(**values)


def database_url(given: str | None, data_dir: Path) -> str:
    """Return the SQLAlchemy URL of a database given as URL, as file name, or not at all."""
    if given and "://" in given:
        return given
    path = Path(given).expanduser().absolute() if given else data_dir.absolute() / "assay.db"
    return f"sqlite:///{path}"


def is_exempt(host: str, no_proxy: str) -> bool:
    """Say whether a `NO_PROXY` list exempts a host."""
    suffixes = [part.strip().lower().lstrip("*").lstrip(".") for part in no_proxy.split(",")]
    return no_proxy.strip() == "*" or any(suffix and (host == suffix or host.endswith("." + suffix)) for suffix in suffixes)
