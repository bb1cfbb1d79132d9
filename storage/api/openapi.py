"""The OpenAPI document as it is checked in; `python -m storage.api.openapi FILE` writes it. Nothing that serves imports it."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from storage.api.app import create_app
from storage.api.settings import ApiSettings
from storage.store import Store


def render() -> str:
    """Return the document as it is checked in."""
    nothing = cast("Store", SimpleNamespace(database=None))
    app = create_app(nothing, ApiSettings(token=None))
    return f"{json.dumps(app.openapi(), indent=2, sort_keys=True, ensure_ascii=False)}\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
