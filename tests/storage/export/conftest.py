"""A database with one exchange of every kind, two of them rated."""

import pytest

from storage.database import open_database
from storage.store import Store
from tests import sample


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "assay.db")
    yield opened
    opened.close()


@pytest.fixture
def known(database):
    return sample.fill(database)


@pytest.fixture
def store(database, known):
    store = Store(database)
    store.feedback.rate(known.main, 0.8, "good")
    return store
