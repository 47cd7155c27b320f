"""Has a language model look again at what the rules made of two memories."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, cast

from remanence.budget import Budget
from remanence.chat import ChatClient, ChatError, Schema, Tally, as_data
from remanence.domain.text import terms, words
from remanence.errors import InvalidInputError

if TYPE_CHECKING:
    from remanence.domain.judging import Kind, Verdict
    from remanence.domain.records import Draft, MemoryRecord

log = logging.getLogger("remanence")

_KINDS: Final = ("duplicate", "supersedes", "conflicts", "unrelated")
# What a verdict may become. A conflict stays one: both are kept, and a person looks at it.
_LOWERED: Final = {
    "duplicate": frozenset({"conflicts", "unrelated"}),
    "supersedes": frozenset({"conflicts", "unrelated"}),
}
_NEGATIONS: Final = frozenset("not no never nor without neither nobody nothing none cannot t".split())
_NUMBER = re.compile(r"\d+")
_QUOTED: Final = 120

_SCHEMA: Final[Schema] = {
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": _KINDS},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "old_quote": {"type": "string"},
        "new_quote": {"type": "string"},
    },
}


class LLMJudge:
    """A `Judge` that asks the `model` at `base_url` (see `ChatClient`); without a usable answer the verdict stands.

    `supersedes` and `duplicate` are confirmed or become `conflicts` or `unrelated`. `unrelated` becomes more only
    if the model is at least `raise_from` sure, quotes both texts as they stand, and what both say allows it; and a less
    trusted text never takes the place of a more trusted one. `conflicts`, verdicts that are at least `settled` sure,
    and texts without a word in common are not asked about. Only cancellation passes through. Safe in any tasks, event
    loops and threads; `budget` may be shared with an extractor.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None = None,
        *,
        budget: Budget | None = None,
        max_tokens: int = 300,
        timeout: float = 30.0,
        max_retries: int = 1,
        patience: float = 10.0,
        raise_from: float = 0.8,
        settled: float = 0.99,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        for name, value in (("raise_from", raise_from), ("settled", settled)):
            if not 0 <= value <= 1:
                raise InvalidInputError(name, "must be from 0 to 1")
        self._tally = Tally("Judging")
        self._chat = ChatClient(
            base_url,
            model,
            api_key,
            budget=budget,
            max_tokens=max_tokens,
            timeout=timeout,
            max_retries=max_retries,
            patience=patience,
            tally=self._tally,
            sleep=sleep,
            chance=chance,
        )
        self._raise_from = raise_from
        self._settled = settled
        self._prompt = (
            files("remanence.judges").joinpath("prompts/judge.md").read_text(encoding="utf-8").strip()
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(server={self._chat.server!r}, model={self._chat.model!r})"

    @property
    def budget(self) -> Budget:
        return self._chat.budget

    @property
    def stats(self) -> dict[str, int]:
        """Counts so far: `calls`, `requests`, `retries`, `repairs`, `tokens_in`, `tokens_out`, `confirmed`, `changed`,
        `unsupported` and `failed.REASON` (see `remanence.chat.Reason`); those that are zero are missing."""
        return self._tally.snapshot()

    async def judge(self, old: MemoryRecord, new: Draft, verdict: Verdict) -> Verdict:
        """The verdict as the model confirms or corrects it, with what it quoted in its evidence."""
        if not self._is_asked(old, new, verdict):
            return verdict
        try:
            answer = await self._chat.ask(self._prompt, _document(old, new, verdict), _SCHEMA, _answer)
            self._tally.succeeded()
            return self._weighed(old, new, verdict, answer)
        except ChatError as error:
            self._tally.failed(error)
        except Exception:  # whatever is wrong here, the rules have decided
            log.exception("Judging goes on without a model")
            self._tally.add("failed.error")
        return verdict

    def _is_asked(self, old: MemoryRecord, new: Draft, verdict: Verdict) -> bool:
        if verdict.kind == "unrelated":
            return _have_in_common(old, new)
        return verdict.kind in _LOWERED and verdict.confidence < self._settled

    def _weighed(self, old: MemoryRecord, new: Draft, verdict: Verdict, answer: dict[str, Any]) -> Verdict:
        kind = cast("Kind", answer["kind"])
        sure = float(answer["confidence"])
        quotes = [
            quote if any(map(str.isalnum, quote)) and quote in text else None
            for quote, text in ((answer["old_quote"], old.content), (answer["new_quote"], new.content))
        ]
        told = {"model": self._chat.model, "kind": kind, "confidence": sure, "was": verdict.kind}
        told |= {
            f"{name}_quote": quote[:_QUOTED]
            for name, quote in zip(("old", "new"), quotes, strict=True)
            if quote
        }
        evidence = {**verdict.evidence, "judge": told}
        if kind == verdict.kind:
            self._tally.add("confirmed")
            return replace(verdict, confidence=max(verdict.confidence, sure), evidence=evidence)
        if verdict.kind == "unrelated":
            allowed = sure >= self._raise_from and all(quotes) and _supports(kind, old, new)
        else:
            allowed = kind in _LOWERED[verdict.kind]
        if not allowed:
            self._tally.add("unsupported")
            return verdict
        self._tally.add("changed")
        # Its own words are not taken: a reason is read by people, and by models.
        reason = f"a model sees {_NAMES[kind]} rather than {_NAMES[verdict.kind]}"
        if all(quotes):
            reason += f": {_short(quotes[0])} -> {_short(quotes[1])}"
        return replace(verdict, kind=kind, confidence=sure, reason=reason, evidence=evidence)


_NAMES: Final = {
    "duplicate": "the same again",
    "supersedes": "a change",
    "conflicts": "a contradiction",
    "unrelated": "two things that can both be true",
}


def _answer(answer: Any) -> dict[str, Any]:
    return answer


def _short(quote: str | None) -> str:
    text = " ".join((quote or "").split())
    return json.dumps(text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…", ensure_ascii=False)


def _document(old: MemoryRecord, new: Draft, verdict: Verdict) -> str:
    return as_data(
        {
            "proposed": verdict.kind,
            "old": {**_told(old), "said": old.created_at.isoformat(timespec="minutes")},
            "new": {**_told(new), "said": "now"},
        }
    )


def _told(memory: MemoryRecord | Draft) -> dict[str, Any]:
    told: dict[str, Any] = {"content": memory.content, "type": memory.type}
    if memory.source:
        told["speaker"] = memory.source
    if memory.valid_from:
        told["valid_from"] = memory.valid_from.isoformat(timespec="minutes")
    return told


def _have_in_common(old: MemoryRecord, new: Draft) -> bool:
    return not terms(old.content).keys().isdisjoint(terms(new.content))


def _supports(kind: Kind, old: MemoryRecord, new: Draft) -> bool:
    """Whether what both say, and how far each is trusted, allows to see more in them than the rules did."""
    if kind == "conflicts":
        return True
    if kind == "supersedes":
        later = new.valid_from is None or new.valid_from >= old.occurred_at
        return later and new.trust >= old.trust
    numbers = [sorted(_NUMBER.findall(text)) for text in (old.content, new.content)]
    negated = [not _NEGATIONS.isdisjoint(words(text)) for text in (old.content, new.content)]
    return numbers[0] == numbers[1] and negated[0] == negated[1] and old.trust >= new.trust
