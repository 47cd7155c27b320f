import pytest

for module in ("isolation", "changes", "reading", "search", "contract"):
    pytest.register_assert_rewrite(f"remanence.testing.store_{module}")
