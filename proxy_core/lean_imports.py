"""A stand-in for the package `mitmproxy.addons`: importing one addon then does not import thirty others and what they need.

With them come a web framework and an LDAP client: a fifth of the time until Assay listens, and memory for
as long as it runs. Whoever asks for more than single addons (the stock path does) gets the whole package. Names no version and
imports nothing of mitmproxy by itself.
"""

import importlib
import sys
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_PACKAGE = "mitmproxy.addons"


def import_addons_one_by_one() -> None:
    """Put the stand-in where the package would be, unless that is there already."""
    spec = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or spec is None:
        return
    package = module_from_spec(spec)
    vars(package)["__getattr__"] = _finder(package)
    sys.modules[_PACKAGE] = package
    setattr(sys.modules["mitmproxy"], "addons", package)  # noqa: B010 - as the import system does


def _finder(package: ModuleType) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if find_spec(f"{_PACKAGE}.{name}") is not None:
            return importlib.import_module(f"{_PACKAGE}.{name}")
        vars(package).pop("__getattr__", None)
        assert package.__spec__ is not None
        assert package.__spec__.loader is not None
        package.__spec__.loader.exec_module(package)
        return getattr(package, name)

    return find
