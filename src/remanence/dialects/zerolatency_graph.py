"""What memories are about, as a graph: subjects that extraction found, tags and sources, joined by shared memories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from remanence.dialects.access import Access
from remanence.domain.records import MemoryRecord

ABOUT: Final = "about:"
"""What tags of subjects begin with."""
MOST_ENTITIES: Final = 10_000  # of each kind
MOST_READ: Final = 1_000  # newest memories of each kind that are read for one entity
MOST_READ_FARTHER: Final = 100  # for one that is some steps away
MOST_DEPTH: Final = 3
WIDTH: Final = 20  # entities whose own neighbours are looked for, those of most shared memories, in each step
MOST_RELATED: Final = 200


@dataclass(frozen=True, slots=True)
class Entity:
    """A name, what it is (subject, tag, source), and how many memories have it so."""

    name: str
    type: str
    memories: int

    def shown(self) -> dict[str, Any]:
        return {"entity": self.name, "name": self.name, "type": self.type, "memory_count": self.memories}


async def entities(access: Access, namespace: str) -> list[Entity]:
    """Those of most memories first; of tags and of sources the MOST_ENTITIES most frequent."""
    tags = await access.tags(namespace, limit=MOST_ENTITIES)
    sources = await access.sources(namespace, limit=MOST_ENTITIES)
    found = [_of_tag(tag, count) for tag, count in tags]
    found += [Entity(source, "source", count) for source, count in sources]
    return sorted(found, key=lambda one: (-one.memories, one.name, one.type))


def _of_tag(tag: str, count: int) -> Entity:
    named = tag.removeprefix(ABOUT)
    return Entity(named, "subject", count) if named and named != tag else Entity(tag, "tag", count)


async def memories_of(access: Access, namespace: str, entity: str, limit: int) -> list[MemoryRecord]:
    """Memories about it, with that tag or from that source, newest first."""
    memory = access.reading(namespace)
    about = f"{ABOUT}{entity}"
    found = [
        *(await memory.list(tags=[about], limit=limit) if len(about) <= 200 else ()),
        *await memory.list(tags=[entity], limit=limit),
        *await memory.list(source=entity, limit=limit),
    ]
    newest = sorted(
        {record.id: record for record in found}.values(),
        key=lambda record: (record.created_at, record.id),
        reverse=True,
    )
    return newest[:limit]


@dataclass(slots=True)
class _Graph:
    """What was found so far, by name: what it is, in how many steps, and who shares how many memories with whom."""

    steps: dict[str, int]
    types: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    counts: dict[str, int] = field(default_factory=dict[str, int])  # shared with whom it was found by
    shared: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    complete: bool = True

    def add(self, name: str, records: Sequence[MemoryRecord], step: int) -> list[str]:
        """Take in the memories of `name`; returns its neighbours that were not known, those of most first."""
        kinds = [_kinds_of(record) for record in records]
        counts = Counter(other for kind in kinds for other in kind if other != name)
        new: list[str] = []
        for other, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
            if other not in self.steps:
                if len(self.steps) > MOST_RELATED:
                    self.complete = False
                    continue
                self.steps[other], self.counts[other] = step, count
                new.append(other)
            self.shared[min(name, other), max(name, other)] = count
        for kind in kinds:
            for other, types in kind.items():
                if other in self.steps:
                    self.types.setdefault(other, set()).update(types)
        return new


def _kinds_of(record: MemoryRecord) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in _entities_of(record):
        found.setdefault(one.name, set()).add(one.type)
    return found


def _entities_of(record: MemoryRecord) -> Iterable[Entity]:
    yield from (_of_tag(tag, 1) for tag in record.tags)
    if record.source is not None:
        yield Entity(record.source, "source", 1)


async def around(access: Access, namespace: str, entity: str, depth: int) -> dict[str, Any]:
    """An entity with those that share memories with it, up to `depth` steps away, MOST_DEPTH at most.

    Of itself the newest MOST_READ memories are read; farther on, for the WIDTH nearest of each step, the newest
    MOST_READ_FARTHER of each. `complete` is false where more was there.
    """
    depth = min(depth, MOST_DEPTH)
    own = await memories_of(access, namespace, entity, MOST_READ)
    graph = _Graph({entity: 0}, complete=len(own) < MOST_READ)
    edge = graph.add(entity, own, 1)
    for step in range(2, depth + 1):
        graph.complete &= len(edge) <= WIDTH
        farther: list[str] = []
        for name in edge[:WIDTH]:
            records = await memories_of(access, namespace, name, MOST_READ_FARTHER)
            graph.complete &= len(records) < MOST_READ_FARTHER
            farther += graph.add(name, records, step)
        edge = farther
    return {
        "entity": entity,
        "types": sorted(graph.types.get(entity, ())),
        "memory_count": len(own),
        "depth": depth,
        "complete": graph.complete,
        "related": [
            {**Entity(name, min(graph.types[name]), count).shown(), "depth": graph.steps[name]}
            for name, count in graph.counts.items()
        ],
        "relationships": [
            {"source": one, "target": other, "type": "shared_memories", "memory_count": count}
            for (one, other), count in graph.shared.items()
        ],
    }
