from collections.abc import Iterator

import pytest

from remanence.stores.reference import ReferenceStore
from remanence.testing.store_contract import StoreContract


class TestReferenceStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[ReferenceStore]:
        store = ReferenceStore()
        yield store
        store.close()
