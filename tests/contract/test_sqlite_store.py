from collections.abc import Iterator
from pathlib import Path

import pytest

from remanence.ports import Store
from remanence.stores.sqlite.store import SQLiteStore
from remanence.testing.store_contract import DurableStoreContract, StoreContract


def intact(store: SQLiteStore) -> None:
    """Whatever a test did, the parts of the file agree."""
    if not store._db._closed:
        assert list(store.check()) == []
    store.close()


class TestSQLiteStoreInMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[SQLiteStore]:
        store = SQLiteStore(None)
        yield store
        intact(store)


class TestSQLiteStore(DurableStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SQLiteStore]:
        store = SQLiteStore(tmp_path / "memory.db")
        yield store
        intact(store)

    def reopen(self, store: Store) -> SQLiteStore:
        assert isinstance(store, SQLiteStore)
        store.close()
        return SQLiteStore(store.path)
