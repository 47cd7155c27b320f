"""Agents as Kronvex has them: a card each, beside the memories of the namespace that bears the agent's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from remanence.dialects.access import Access
from remanence.domain import validation
from remanence.domain.serving import Document
from remanence.errors import ConflictError, NotFoundError

KIND: Final = "agent"
PAGE: Final = 500  # cards read at once
ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """`memories` is how many are visible in the namespace `id`."""

    id: str
    name: str
    description: str | None
    metadata: Mapping[str, Any]
    created_at: datetime
    memories: int


class Agents:
    """What agents the caller has. A namespace that holds memories is one too, under its own name, without a card."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._cards = access.documents(KIND)

    async def add(self, id: str, *, name: str, description: str | None, metadata: Any) -> Agent:
        """Give a namespace that nobody has used yet a card. ConflictError if it has one."""
        body = _body(name, description, metadata)
        self._access.writing(id, memories=0)
        # Nothing is read once it is made: if that failed, who asked for it would ask for another one.
        return _carded(await self._cards.put(id, body, if_version=0), memories=0)

    async def get(self, id: str) -> Agent:
        """NotFoundError for one that has neither a card nor memories."""
        self._access.reading(id)
        return await self._agent(id, await self._cards.get(id))

    async def list(self) -> list[Agent]:
        """All of them, newest first."""
        cards: dict[str, Document] = {}
        last: str | None = None
        while page := await self._cards.list(limit=PAGE, after=last):
            last = page[-1].id
            cards.update((card.id, card) for card in page if self._access.caller.covers(card.id))
        found: list[Agent] = []
        for id in dict.fromkeys((*cards, *await self._access.namespaces())):
            try:
                found.append(await self._agent(id, cards.get(id)))
            except NotFoundError:
                continue  # it holds something else than memories
        return sorted(found, key=lambda agent: (agent.created_at, agent.id), reverse=True)

    async def change(self, id: str, changes: Mapping[str, Any]) -> Agent:
        """Put `changes` of name, description and metadata on the card, which is made if there is none."""
        self._access.writing(id, memories=0)
        for _ in range(ATTEMPTS):
            card = await self._cards.get(id)
            known = await self._agent(id, card)
            before: dict[str, Any] = {
                "name": known.name,
                "description": known.description,
                "metadata": known.metadata,
            }
            body = _body(**(before | dict(changes)))
            try:
                changed = await self._cards.put(id, body, if_version=0 if card is None else card.version)
            except ConflictError:
                continue  # somebody else changed it meanwhile
            return _carded(changed, memories=known.memories)
        raise ConflictError(f"agent {id!r} was changed by others again and again; try once more")

    async def remove(self, id: str) -> None:
        """Erase what the namespace holds, then the card: if it is interrupted, it can be repeated."""
        memory = self._access.erasing(id)
        await self.get(id)
        await memory.forget(everything=True)
        for key in await memory.kv.keys():
            await memory.kv.delete(key)
        for channel in await memory.channels():
            await memory.channel(channel.name).delete()
        await self._cards.delete(id)

    async def _agent(self, id: str, card: Document | None) -> Agent:
        stats = await self._access.reading(id).stats()
        if card is None and not stats.memories:
            raise NotFoundError(f"there is no agent {id!r}")
        if card is not None:
            return _carded(card, memories=stats.memories)
        return Agent(
            id=id,
            name=id,
            description=None,
            metadata={},
            created_at=stats.oldest or self._access.now(),
            memories=stats.memories,
        )


def _carded(card: Document, *, memories: int) -> Agent:
    """The agent that has this card."""
    body: Mapping[str, Any] = card.body
    return Agent(
        id=card.id,
        name=body.get("name", card.id),
        description=body.get("description"),
        metadata=body.get("metadata", {}),
        created_at=card.created_at,
        memories=memories,
    )


def _body(name: str, description: str | None, metadata: Any) -> Mapping[str, Any]:
    told = description and validation.text(
        "description", description, limit=validation.MAX_CONTENT, empty=True
    )
    return {
        "name": validation.name("name", name),
        "description": told,
        "metadata": validation.metadata("metadata", metadata),
    }
