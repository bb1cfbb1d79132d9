"""The dashboard opens as it does in a terminal: Textual's pilot runs tasks another way, so it does not see everything."""

from pathlib import Path

from storage.database import open_database
from storage.store import Store
from tui.app import AssayApp


async def test_the_first_screen_comes_up_with_eager_tasks(tmp_path: Path) -> None:
    database = open_database(tmp_path / "assay.db")
    app = AssayApp(Store(database))
    seen: list[str] = []

    async def look(_pilot: object) -> None:
        seen.append(app.current_mode)
        app.exit()

    await app.run_async(headless=True, auto_pilot=look)
    database.close()
    assert seen == ["live"]
    assert app.return_code == 0
