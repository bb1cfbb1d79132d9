import pytest

from storage.export.table import _written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\x1b[2J\x07b", "a\ufffd[2J\ufffdb"),
        ("\x9b31m", "\ufffd31m"),
        ("a\u202eb", "a\ufffdb"),
        ("two\nlines\tand é", "two\nlines\tand é"),
        ("=1+1", "'=1+1"),
        ("\r=1", "'\ufffd=1"),
    ],
)
def test_no_cell_steers_a_terminal_or_runs(value: str, written: str) -> None:
    assert _written(value) == written
