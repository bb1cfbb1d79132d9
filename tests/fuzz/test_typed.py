"""What people type or hand over may be anything: filters, settings and files give an answer or a clear error."""

import atexit
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy_core.redact import Redactor
from storage.filters.clauses import compile_filter
from storage.filters.completion import complete
from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.importing.har import read_har
from storage.importing.lines import read_lines
from storage.importing.recordings import RecordingUnreadableError
from tests.fuzz.hostile import SEARCH, spoilt
from tui.config import parse_value, read_config_file
from tui.errors import ConfigurationError
from tui.settings import SETTINGS

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(900)]
REDACTOR = Redactor(b"a key of the tests")
WORDS = st.sampled_from(
    ["model:opus", "cost>0.01", "tokens:1k..2k", "source:", "not", "or", "and", "(", ")", '"', "-", "after:2026-01-01",
     "is:open", "status:5xx", "latency>=1.5s", "title:\"a b\"", ":", ">", "..", "\\", "cost>", "after:1d", "class:chat"]
)  # fmt: skip
LINES = st.lists(WORDS | st.text(max_size=12), max_size=12).map(" ".join)
HAR = (
    b'{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-11-01T00:00:00Z","timings":{"send":1,"wait":2,"receive":3},'
    b'"request":{"method":"POST","url":"https://api.anthropic.com/v1/messages","httpVersion":"HTTP/1.1","headers":[],'
    b'"postData":{"text":"{}"}},"response":{"status":200,"statusText":"OK","headers":[],"content":{"text":"e30=",'
    b'"encoding":"base64"}}}]}}'
)
LINE = (
    b'{"id":"1","started_at":"2026-11-01T00:00:00Z","state":"complete","request":{"method":"POST","url":'
    b'"https://api.anthropic.com/v1/messages","headers":[["a","b"]],"body":{"text":"{}"}},"response":{"status_code":200}}\n'
)
TOML = b'listen = "127.0.0.1"\nport = 8080\nbodies = true\nintercept = ["a.example"]\nmax_size = "1 GB"\n'
FILE = Path(tempfile.gettempdir()) / f"assay-fuzz-{os.getpid()}"
atexit.register(FILE.unlink, missing_ok=True)


def files(*seeds: bytes) -> st.SearchStrategy[Path]:
    """Return a file with something spoilt in it; each time the same file."""
    return spoilt(*seeds).map(_written)


def _written(data: bytes) -> Path:
    FILE.write_bytes(data)
    return FILE


@SEARCH
@given(LINES)
def test_a_filter_is_read_and_compiled_or_refused(text):
    found = parse(text)
    if isinstance(found, Filter):
        str(compile_filter(found, now_us=0))


@SEARCH
@given(LINES, st.integers(0, 60))
def test_completing_a_filter_raises_nothing(text, cursor):
    complete(text, min(cursor, len(text)))


@SEARCH
@given(
    st.sampled_from(SETTINGS), st.text(max_size=20) | st.integers() | st.booleans() | st.lists(st.text(max_size=5), max_size=3)
)
def test_a_setting_is_taken_or_refused(setting, value):
    with suppress(ConfigurationError):
        parse_value(setting, value, "here")


@SEARCH
@given(files(TOML))
def test_a_configuration_file_is_taken_or_refused(path):
    with suppress(ConfigurationError):
        read_config_file(path, must_exist=True)


@SEARCH
@given(files(HAR, b"{}"))
def test_an_archive_is_read_or_refused(path):
    with suppress(RecordingUnreadableError):
        list(read_har(path, REDACTOR))


@SEARCH
@given(files(LINE, LINE * 2))
def test_an_export_is_read_or_refused(path):
    with suppress(RecordingUnreadableError):
        list(read_lines(path, REDACTOR))
