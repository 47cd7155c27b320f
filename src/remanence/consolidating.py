"""From what was said in sessions to what lasts, and from many near-equal memories to one."""

from __future__ import annotations

import builtins
from collections.abc import Callable

from remanence.backend import Backend
from remanence.deciding import Decider
from remanence.domain.records import Consolidation, Remembered, Scope


class Consolidating:
    """Distillation and consolidation of one namespace. The engine is one."""

    _scope: Scope
    _backend: Backend
    _decider: Decider

    def _check_open(self) -> None:
        raise NotImplementedError

    async def end_session(self, session_id: str) -> builtins.list[Remembered]:
        raise NotImplementedError

    async def consolidate(self, *, progress: Callable[[int, int], None] | None = None) -> Consolidation:
        raise NotImplementedError
