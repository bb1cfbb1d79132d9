"""A program in a terminal of its own, and what its screen showed at any moment.

While it runs, only the time of each piece of output is noted; the screen is made up from that afterwards, so that drawing it
here takes nothing from what is measured. Knows as much of a terminal as Textual uses.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from typing import Final, Self

from rich.cells import get_character_cell_size

from benchmarks.processes import ROOT

_END_S: Final = 20.0
_TOKEN: Final = re.compile(
    r"\x1b\[(?P<parameters>[0-9;:?<>=]*)(?P<final>[@-~])|\x1b[P\]_^X].*?(?:\x1b\\|\x07)|\x1b[()].|\x1b.|(?P<control>[\r\n\b])"
    r"|(?P<text>[^\x1b\x00-\x1f]+)|[\x00-\x1f]",
    re.DOTALL,
)
_PARTIAL: Final = re.compile(r"\x1b(?:\[[0-9;:?<>=]*|[P\]_^X][^\x1b\x07]*)?$")
_TRUE_COLOUR_GROUND: Final = re.compile(r"48;2;(\d+);(\d+);(\d+)")


class Terminal:
    """A program whose terminal is read as fast as it writes.

    Args:
        command: The program and its arguments.
        environment: Its environment; a terminal with all colours is added.
        columns: Width.
        rows: Height.
    """

    def __init__(self, command: list[str], environment: dict[str, str], *, columns: int = 140, rows: int = 40) -> None:
        self.columns, self.rows = columns, rows
        self.pieces: list[tuple[float, bytes]] = []
        """What was written, each with the moment it was read, by `time.perf_counter`."""
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            cwd=ROOT,
            start_new_session=True,
        )
        os.close(follower)
        self._is_ending = False
        self._reading = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def press(self, keys: str) -> float:
        """Send keys; return the moment before."""
        moment = time.perf_counter()
        os.write(self._leader, keys.encode())
        return moment

    def wait_for(self, text: bytes, limit_s: float = 30.0) -> float:
        """Return the moment at which a text had been written.

        Raises:
            TimeoutError: it was not.
        """
        while time.perf_counter() - self.begun < limit_s:
            written, found = b"", self.pieces[:]
            for moment, piece in found:
                written = written[-len(text) :] + piece
                if text in written:
                    return moment
            time.sleep(0.02)
        raise TimeoutError(f"{text!r} was never shown")

    def close(self) -> None:
        """End the program while its terminal goes on being read, as a terminal does."""
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)
        self.process.kill()
        self.process.wait()
        self._is_ending = True
        self._reading.join(2)
        os.close(self._leader)

    def _read(self) -> None:
        while not self._is_ending:
            if not select.select([self._leader], [], [], 0.05)[0]:
                continue
            try:
                piece = os.read(self._leader, 65536)
            except OSError:
                return
            self.pieces.append((time.perf_counter(), piece))


class Screen:
    """What stands on a terminal: in each cell a character and the codes of its style."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns, self._rows = columns, rows
        self._row = self._column = 0
        self._style = ""
        self._rest = ""
        self._bytes = b""
        self.cells: list[list[tuple[str, str]]] = [[(" ", "")] * columns for _ in range(rows)]
        """Rows of (character, style)."""

    def feed(self, piece: bytes) -> None:
        """Take a piece of output; what it cuts apart waits for the next."""
        written = self._bytes + piece
        decoded = written.decode(errors="ignore")
        kept = len(decoded.encode())
        self._bytes = written[kept:] if len(written) - kept < 4 else b""
        text = self._rest + decoded
        cut = _PARTIAL.search(text)
        self._rest = text[cut.start() :] if cut else ""
        for token in _TOKEN.finditer(text, 0, cut.start() if cut else len(text)):
            if run := token["text"]:
                self._write(run)
            elif final := token["final"]:
                self._control(final, token["parameters"])
            elif control := token["control"]:
                self._row += control == "\n"
                self._column = 0 if control == "\r" else self._column

    def text(self, row: int, first: int = 0, last: int | None = None) -> str:
        """Return what is to be read in a row."""
        return "".join(character for character, _ in self.cells[row][first:last])

    def ground(self, row: int, column: int) -> tuple[int, int, int] | None:
        """Return the background of a cell; `None`: the terminal's own."""
        found = _TRUE_COLOUR_GROUND.search(self.cells[row][column][1])
        return (int(found[1]), int(found[2]), int(found[3])) if found else None

    def _write(self, run: str) -> None:
        if self._row >= self._rows:
            return
        line = self.cells[self._row]
        for character in run:
            width = 1 if character < "\u0300" else get_character_cell_size(character)
            if self._column < self._columns and width:
                line[self._column] = (character, self._style)
                if width == 2 and self._column + 1 < self._columns:
                    line[self._column + 1] = ("", self._style)
            self._column += width

    def _control(self, final: str, parameters: str) -> None:
        if final == "m":
            self._style = "" if parameters in {"", "0"} else f"{self._style};{parameters}"
        elif final == "H":
            row, _, column = parameters.partition(";")
            self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
        elif final == "J":
            self.cells = [[(" ", "")] * self._columns for _ in range(self._rows)]


def frames(terminal: Terminal) -> Iterator[tuple[float, Screen]]:
    """Yield the screen as it stood after each piece of output; always the same object."""
    screen = Screen(terminal.columns, terminal.rows)
    for moment, piece in terminal.pieces:
        screen.feed(piece)
        yield moment, screen
