"""What workers read."""

import json
from pathlib import Path

import pytest

from storage.filters.parsing import parse
from storage.filters.tree import Filter
from storage.store import Store
from tui import reading
from tui.outline import Group, Grouping
from tui.reading import RequestRows, Selection


def _filter(text: str) -> Filter:
    found = parse(text)
    assert isinstance(found, Filter)
    return found


def test_rows_follow_what_is_stored(store: Store) -> None:
    from tests.tui.screens.test_live import _arrive

    rows = RequestRows(store)
    selection = Selection(Filter(""))
    before = rows.update(selection)
    _arrive(store)
    assert len(rows.update(selection)) == len(before) + 1


def test_a_filtered_and_a_grouped_list_follow_too(store: Store) -> None:
    from tests.tui.screens.test_live import _arrive

    rows = RequestRows(store)
    filtered = Selection(_filter("status:200"))
    before = rows.update(filtered)
    _arrive(store)
    assert len(rows.update(filtered)) == len(before) + 1
    grouped = Selection(Filter(""), Grouping.SESSION)
    heads = [row for row in rows.update(grouped) if isinstance(row, Group)]
    assert sum(head.exchanges for head in heads) == store.exchanges.count()
    assert rows.update(grouped) == rows.update(grouped)


def test_what_was_deleted_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import text

    rows = RequestRows(store)
    selections = [Selection(Filter("")), Selection(Filter(""), Grouping.SESSION)]
    for selection in selections:
        rows.update(selection)
        with store.database.write() as connection:
            connection.execute(text("delete from exchange where id = (select min(id) from exchange)"))
            left = connection.execute(text("select count(*) from exchange")).scalar_one()
        monkeypatch.setattr(reading, "_CHECKED_S", -1.0)
        shown = [row for row in rows.update(selection) if isinstance(row, int)]
        assert len(shown) == left


def test_the_first_request_has_none_before(store: Store) -> None:
    first = reading.read_detail(store, 1)
    assert first is not None
    assert reading.read_previous(store, first) is None
    assert reading.read_detail(store, 99_999) is None


def test_documents_hold_both_sides_and_the_joined_stream(store: Store) -> None:
    numbers = [summary.id for summary in store.exchanges.page(limit=200) if summary.is_streaming and summary.status_code == 200]
    detail = reading.read_detail(store, numbers[0])
    assert detail is not None
    document = reading.read_document(store, detail)
    assert document["request"]["model"]
    assert any(name.startswith("response (joined") for name in document)
    running = reading.read_detail(store, store.exchanges.newest_id())
    assert running is not None
    assert reading.read_response(store, running) is None


def test_a_rating_is_stored_changed_and_taken_back(store: Store) -> None:
    exchange_id = store.exchanges.page(limit=1)[0].exchange_id
    reading.save_rating(store, exchange_id, 0.5, "why", keeps_comment=False)
    reading.save_rating(store, exchange_id, 1.0, None, keeps_comment=True)
    assert reading.read_comment(store, exchange_id) == "why"
    assert "taken back" in reading.save_rating(store, exchange_id, None, None, keeps_comment=False)
    assert reading.read_comment(store, exchange_id) is None
    assert "taken back" in reading.save_rating(store, exchange_id, None, None, keeps_comment=False)


@pytest.mark.parametrize("name", ["out.json", "out.jsonl", "out.har", "out.csv"])
def test_exports_are_whole_and_private(store: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    words, is_done = reading.export(store, path, path.suffix[1:], None, _filter("class:title"))
    assert is_done
    assert words.startswith("Wrote 2 requests")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_one_request_can_be_exported(store: Store, tmp_path: Path) -> None:
    exchange_id = store.exchanges.page(limit=1)[0].exchange_id
    words, is_done = reading.export(store, tmp_path / "one.json", "json", exchange_id, Filter(""))
    assert is_done
    assert "1 request " in words
    assert exchange_id in json.dumps(json.loads((tmp_path / "one.json").read_text()))


def test_an_export_that_cannot_be_written_says_why(store: Store, tmp_path: Path) -> None:
    words, is_done = reading.export(store, tmp_path / "no" / "such.json", "json", None, Filter(""))
    assert not is_done
    assert "No such file" in words


def test_missing_prices_are_counted(store: Store) -> None:
    from screenshots.fixture import NOW_US

    assert reading.unpriced_today(store, NOW_US) >= 0
