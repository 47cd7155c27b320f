"""Remanence: memory for agents that stays when the session ends.

    from remanence import Memory

    memory = Memory("autogen-team-projectA")
    memory.remember("We chose PostgreSQL over MongoDB for the main store.", type="decision")
    memory.recall("which database did we pick?")

Importing loads nothing; each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remanence.bootstrap import AsyncMemory, Memory, RemoteMemory
    from remanence.domain.ranking import RankingProfile
    from remanence.domain.records import Hits, MemoryRecord, Recalled, Receipt, Remembered
    from remanence.embedders.openai_compatible import OpenAICompatibleEmbedder
    from remanence.errors import RemanenceError
    from remanence.remote.client import AsyncRemoteMemory
    from remanence.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "AsyncMemory",
    "AsyncRemoteMemory",
    "Hits",
    "Memory",
    "MemoryRecord",
    "OpenAICompatibleEmbedder",
    "RankingProfile",
    "Recalled",
    "Receipt",
    "RemanenceError",
    "Remembered",
    "RemoteMemory",
    "Settings",
    "__version__",
]

_HOMES = {
    "AsyncMemory": "bootstrap",
    "AsyncRemoteMemory": "remote.client",
    "Hits": "domain.records",
    "Memory": "bootstrap",
    "MemoryRecord": "domain.records",
    "OpenAICompatibleEmbedder": "embedders.openai_compatible",
    "RankingProfile": "domain.ranking",
    "Recalled": "domain.records",
    "Receipt": "domain.records",
    "RemanenceError": "errors",
    "Remembered": "domain.records",
    "RemoteMemory": "bootstrap",
    "Settings": "settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'remanence' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"remanence.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
