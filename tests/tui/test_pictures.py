"""The pictures in `screenshots/` show what the dashboard looks like now; they are its snapshots, too.

When one differs on purpose: `make screenshots`, look at it, commit it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from screenshots.fixture import build
from screenshots.render import HERE, PICTURES, Picture, draw
from storage.database import open_database
from storage.store import Store


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The database of the pictures."""
    store = build(tmp_path_factory.mktemp("pictures") / "assay.db")
    yield store
    store.database.close()


@pytest.mark.slow
@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
async def test_the_picture_is_current(picture: Picture, full: Store, tmp_path: Path) -> None:
    store = Store(open_database(tmp_path / "empty.db")) if picture.is_empty else full
    drawn = await draw(picture, store)
    if picture.is_empty:
        store.database.close()
    kept = (HERE / f"{picture.name}.svg").read_text(encoding="utf-8")
    assert drawn == kept, f"{picture.name}.svg is not what the screen shows now; see `make screenshots`"


def test_there_are_at_most_25_and_no_strangers() -> None:
    names = {picture.name for picture in PICTURES}
    assert len(names) == len(PICTURES) <= 25
    assert {path.stem for path in HERE.glob("*.svg")} == names
