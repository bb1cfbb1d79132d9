"""In a process of its own each: what is imported stays imported."""

import subprocess
import sys

_HEAVY = "('flask', 'ldap3', 'mitmproxy.addons.onboarding')"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_lean_path_imports_no_web_framework() -> None:
    code = f"""
import sys
from proxy_core.server import load_mitmproxy
load_mitmproxy(is_lean=True)
import proxy_core.capture
print([name for name in {_HEAVY} if name in sys.modules])
"""
    assert run(code) == "[]"


def test_whoever_wants_all_addons_gets_them() -> None:
    code = """
from proxy_core.lean_imports import import_addons_one_by_one
import_addons_one_by_one()
from mitmproxy.addons import core
from mitmproxy import addons
import mitmproxy.tools.dump
names = [type(addon).__name__ for addon in addons.default_addons()]
print(type(addons.core.Core()) is core.Core, len(names) > 20, "Onboarding" in names)
"""
    assert run(code) == "True True True"


def test_what_is_imported_already_stays() -> None:
    code = """
import mitmproxy.addons
from proxy_core.lean_imports import import_addons_one_by_one
import_addons_one_by_one()
print(callable(mitmproxy.addons.default_addons))
"""
    assert run(code) == "True"


def test_an_unknown_name_is_an_error() -> None:
    code = """
from proxy_core.lean_imports import import_addons_one_by_one
import_addons_one_by_one()
import mitmproxy
try:
    mitmproxy.addons.nothing_of_the_kind
except AttributeError:
    print("error")
"""
    assert run(code) == "error"
