"""What the memory tools of all frameworks have in common: their words to the model, and how answers read."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, cast

from remanence.domain.context import CONTRADICTED, HEADINGS, OLDER, STALE
from remanence.domain.records import Recalled, Remembered
from remanence.errors import InvalidInputError, NotFoundError

REMEMBER = (
    "Store something worth knowing in later conversations: a preference, a decision, a fact about the user or the "
    "project. One self-contained sentence per call."
)
RECALL = "Search long-term memory for what earlier conversations established."
REMEMBER_FAILURE = (
    "Store that something was tried and did not work, so that nobody tries it in vain again: what it was, and why it "
    "failed."
)
FORGET = "Erase one memory for good, by the id that recall returned."

Content = Annotated[str, "One self-contained sentence to remember"]
What = Annotated[str, "What was tried, in a few words, such as: Using library X under fork"]
Why = Annotated[str, "Why it did not work, such as: it deadlocks"]
Type = Annotated[str, "What it is: fact, preference, decision, procedure, failure, context or temporary"]
Key = Annotated[
    str,
    "Optional name of the thing this is the current value of, such as db.choice: "
    "a later memory with the same key replaces it",
]
Query = Annotated[str, "What to look for, in words"]
Limit = Annotated[int, "At most so many memories"]
MemoryId = Annotated[str, "The id of the memory"]

FAILED = HEADINGS[2]
UNAVAILABLE = "memory is not available at the moment"
MODELS_MISTAKES = (InvalidInputError, NotFoundError)
"""Errors a model can mend; it is told what was wrong."""


def stored(done: Remembered) -> str:
    return f"{done.action} (id {done.id})"


def failure(what: str, why: str) -> dict[str, str]:
    """What was tried and failed, as a memory."""
    what, why = what.strip().rstrip(".:;, "), why.strip()
    if not what or not why:
        raise InvalidInputError("why" if what else "what", "must say something")
    return {"content": f"{what} does not work: {why}", "type": "failure", "origin": "agent"}


def listed(hits: Sequence[Recalled]) -> str:
    """Hits for a model to read, as JSON: no memory can pretend to be anything but a string in it."""
    if not hits:
        return "nothing found"
    rows: list[dict[str, Any]] = []
    for hit in hits:
        row: dict[str, Any] = {
            "id": hit.id,
            "content": hit.content,
            "type": hit.type,
            "source": hit.source,
        }
        row |= {"date": f"{hit.record.occurred_at:%Y-%m-%d}", "score": round(hit.score, 3)}
        row |= {"confidence": round(hit.confidence, 2)}
        notes = [note for note, holds in _notes(hit) if holds]
        rows.append(row | ({"note": "; ".join(notes)} if notes else {}))
    return json.dumps(cast(Any, rows), ensure_ascii=False)


def _notes(hit: Recalled) -> tuple[tuple[str, object], ...]:
    """What a context block would say of the hit by its heading and in its brackets."""
    return (
        (FAILED.rstrip(":").lower(), hit.type == "failure"),
        (OLDER.removeprefix("; "), hit.newer),
        (STALE.removeprefix("; "), hit.stale),
        (CONTRADICTED.removeprefix("; "), hit.conflicts),
    )
