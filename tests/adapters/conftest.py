"""Runs what the installed frameworks allow, and fails where nothing could run."""

from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDS = {"autogen": "autogen", "agentchat": "autogen_agentchat"}
"""Test files `test_<prefix>_*.py` and the module each generation is imported as."""

collect_ignore = [
    file.name
    for file in sorted(Path(__file__).parent.glob("test_*.py"))
    if any(
        file.stem.startswith(f"test_{prefix}") and find_spec(module) is None
        for prefix, module in NEEDS.items()
    )
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if all(find_spec(module) is None for module in NEEDS.values()):
        raise pytest.UsageError("no agent framework is installed here: the adapter tests would test nothing")
