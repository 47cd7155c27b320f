import pytest

MODULES = "isolation changes reading search context contract channels documents jobs events".split()

for module in MODULES:
    pytest.register_assert_rewrite(f"remanence.testing.store_{module}")
