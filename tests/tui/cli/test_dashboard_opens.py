"""The dashboard opens as it does in a terminal: Textual's pilot runs tasks another way, so it does not see everything."""

import os
import pty
import signal
import subprocess
import sys
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


def test_it_ends_with_a_terminal_that_sends_no_signal(recorded_path: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from tui.cli.main import main; main()", "view", "--database", str(recorded_path)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(follower)
    drawn = b""
    while b"\x1b[?1049h" not in drawn:
        drawn += os.read(leader, 1024)
    os.close(leader)
    try:
        assert process.wait(120) == -signal.SIGHUP
    finally:
        process.kill()
        process.wait()
