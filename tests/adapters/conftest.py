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

THIRD_PARTY_WARNINGS = (
    "ignore:flaml.automl is not available:UserWarning",  # autogen-agentchat 0.2.40, on import
    "ignore:`LLMConfig:DeprecationWarning",  # ag2 0.9.10 warns of its own handling of config_list
    "ignore:The `(copy|dict|json)` method is deprecated:DeprecationWarning",  # ag2 0.9.10 on pydantic 2
)


def pytest_configure(config: pytest.Config) -> None:
    for warning in THIRD_PARTY_WARNINGS:
        config.addinivalue_line("filterwarnings", warning)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if all(find_spec(module) is None for module in NEEDS.values()):
        raise pytest.UsageError("no agent framework is installed here: the adapter tests would test nothing")
