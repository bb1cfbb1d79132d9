"""Whole product over loopback: every test here carries the mark `e2e`."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy_core.standin.api import ApiSettings
from tests.e2e.rig import Rig, StartRig, running_rig


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def start_rig(tmp_path: Path) -> Iterator[StartRig]:
    """Start proxies; they end with the test."""
    with ExitStack() as stack:

        def start(api: ApiSettings | None = None, **options: object) -> Rig:
            return stack.enter_context(running_rig(tmp_path / "ca", api, **options))

        yield start
