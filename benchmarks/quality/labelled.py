"""Labelled texts about staying true: reading them, what the parts say of them, and the figures of it."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.metrics import Estimate
from remanence.domain.judging import Saying, judge
from remanence.domain.messages import Candidate, Message
from remanence.domain.screening import screen
from remanence.embedders.minilm import MiniLMEmbedder
from remanence.extractors.rules import RulesExtractor
from remanence.screens.secrets import SecretRedactor

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/quality/data/truth"
FLOORS = ROOT / "tests/quality/truth_floors.json"

HALVES = ("dev", "held")
WANTED = {
    "duplicate": "duplicate",
    "update": "supersedes",
    "contradiction": "conflicts",
    "related": "unrelated",
    "different_subject": "unrelated",
    "both_true": "unrelated",
}
"""The label of a pair -> the verdict it should get."""
KINDS = ("duplicate", "supersedes", "conflicts", "unrelated")
BARS = {"supersedes": (0.95, 0.70), "duplicate": (0.98, 0.80)}
"""Least precision and least recall of a verdict."""
TOLERANCE = 0.05  # a floor stands this much below what was measured
COSINE = "cosine rule"
OURS = "judge"


class DataError(ValueError):
    """A line of the labelled texts cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An old and a new statement and what they are to each other."""

    id: str
    half: str
    domain: str
    label: str
    old: Saying
    new: Saying

    @property
    def wanted(self) -> str:
        return WANTED[self.label]


# --- labelled texts


def lines(name: str, half: str, folder: Path = DATA) -> list[tuple[str, dict[str, Any]]]:
    """Every line of the files `name`_`half`.jsonl and `name`_`half`_*.jsonl, with where it stands."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path in sorted([*folder.glob(f"{name}_{half}.jsonl"), *folder.glob(f"{name}_{half}_*.jsonl")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                try:
                    found.append((f"{path.name}:{number}", json.loads(line)))
                except json.JSONDecodeError as error:
                    raise DataError(f"{path.name}:{number}: no JSON: {error}") from error
    return found


def load_pairs(half: str, folder: Path = DATA) -> list[Pair]:
    """The pairs of one half. DataError names the line with an unknown label, a missing field or a time turned round."""
    pairs: list[Pair] = []
    for where, line in lines("pairs", half, folder):
        try:
            pair = Pair(
                line["id"], half, line["domain"], line["label"], *map(_saying, (line["old"], line["new"]))
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{where}: {type(error).__name__}: {error}") from error
        if pair.label not in WANTED:
            raise DataError(f"{where}: unknown label {pair.label!r}; known: {', '.join(WANTED)}")
        if pair.old.at and pair.new.at and pair.new.at < pair.old.at:
            raise DataError(f"{where}: the new statement is older than the old one")
        pairs.append(pair)
    return pairs


def _saying(side: Mapping[str, Any]) -> Saying:
    at = datetime.fromisoformat(side["at"]) if side.get("at") else None
    if at and at.tzinfo is None:
        raise ValueError(f"{side['at']} has no zone")
    if not side["content"].strip():
        raise ValueError("empty content")
    return Saying(side["content"], speaker=side["speaker"], at=at)


# --- figures


def wilson(hits: int, total: int) -> Estimate:
    """A share with its 95 % Wilson interval; NaN of nothing."""
    if not total:
        return Estimate(math.nan, math.nan, math.nan)
    z, share = statistics.NormalDist().inv_cdf(0.975), hits / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return Estimate(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


@dataclass(frozen=True, slots=True)
class Score:
    """How well one verdict was given: `right` of `said` verdicts, of `wanted` pairs."""

    right: int
    said: int
    wanted: int

    @property
    def precision(self) -> Estimate:
        return wilson(self.right, self.said)

    @property
    def recall(self) -> Estimate:
        return wilson(self.right, self.wanted)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; NaN when neither exists."""
        both = self.said + self.wanted
        return 2 * self.right / both if both else math.nan

    def as_json(self) -> dict[str, Any]:
        return {
            "right": self.right,
            "said": self.said,
            "wanted": self.wanted,
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "f1": None if math.isnan(self.f1) else round(self.f1, 4),
        }


def scores(wanted: Sequence[str], said: Sequence[str]) -> dict[str, Score]:
    """One score per verdict, in the order of KINDS."""
    right = Counter(w for w, s in zip(wanted, said, strict=True) if w == s)
    asked, given = Counter(wanted), Counter(said)
    return {kind: Score(right[kind], given[kind], asked[kind]) for kind in KINDS}


def confusion(labels: Sequence[str], said: Sequence[str]) -> dict[str, dict[str, int]]:
    """By label how often each verdict was given."""
    counted = Counter(zip(labels, said, strict=True))
    return {label: {kind: counted[label, kind] for kind in KINDS} for label in WANTED}


def cosine_rule(similarity: float) -> str:
    """What a band of cosines alone says: above .95 the same, from .72 a newer truth, below it nothing."""
    if similarity > 0.95:
        return "duplicate"
    return "supersedes" if similarity >= 0.72 else "unrelated"


def bars(scored: Mapping[str, Score]) -> dict[str, bool]:
    """Whether each bar holds, by "verdict figure >= bar"."""
    held: dict[str, bool] = {}
    for kind, (precision, recall) in BARS.items():
        held[f"{kind} precision >= {precision:.2f}"] = scored[kind].precision.value >= precision
        held[f"{kind} recall >= {recall:.2f}"] = scored[kind].recall.value >= recall
    return held


# --- judging


@dataclass(frozen=True, slots=True)
class Judged:
    """One half's pairs, what was said of each by the judge and by the cosine rule, and microseconds per pair."""

    pairs: Sequence[Pair]
    verdicts: Sequence[str]
    reasons: Sequence[str]
    similarities: Sequence[float]
    cold_us: float = math.nan
    warm_us: float = math.nan

    def said(self, system: str) -> list[str]:
        return list(self.verdicts) if system == OURS else [cosine_rule(s) for s in self.similarities]

    def scores(self, system: str = OURS) -> dict[str, Score]:
        return scores([pair.wanted for pair in self.pairs], self.said(system))

    def confusion(self, system: str = OURS) -> dict[str, dict[str, int]]:
        return confusion([pair.label for pair in self.pairs], self.said(system))

    def as_json(self) -> dict[str, Any]:
        """Sums only: no pair can be told from it."""
        systems = {
            system: {
                "classes": {kind: score.as_json() for kind, score in self.scores(system).items()},
                "confusion": self.confusion(system),
                "bars": bars(self.scores(system)),
            }
            for system in (OURS, COSINE)
        }
        speed = {"cold µs": self.cold_us, "warm µs": self.warm_us}
        return {"pairs": len(self.pairs), **systems, "speed": {k: round(v, 1) for k, v in speed.items()}}


async def judged(pairs: Sequence[Pair]) -> Judged:
    """Embed and judge every pair; twice for the time, as what was parsed is kept."""
    embedder = MiniLMEmbedder(word_vectors=False)
    try:
        old = await embedder.embed([pair.old.content for pair in pairs])
        new = await embedder.embed([pair.new.content for pair in pairs])
    finally:
        embedder.close()
    similarities = [float(s) for s in np.einsum("ij,ij->i", old, new)]
    taken: list[float] = []
    for _ in range(2):
        begun = time.perf_counter()
        verdicts = [judge(p.old, p.new, similarity=s) for p, s in zip(pairs, similarities, strict=True)]
        taken.append((time.perf_counter() - begun) / max(1, len(pairs)) * 1e6)
    return Judged(pairs, [v.kind for v in verdicts], [v.reason for v in verdicts], similarities, *taken)


# --- screening, secrets, extraction


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of `total` went wrong, and which."""

    wrong: int
    total: int
    ids: tuple[str, ...] = ()

    @property
    def share(self) -> Estimate:
        return wilson(self.wrong, self.total)

    def as_json(self) -> dict[str, Any]:
        return {"wrong": self.wrong, "total": self.total, "share": self.share.as_json()}


def rate(texts: Sequence[Mapping[str, Any]], wrong: Callable[[Mapping[str, Any]], bool]) -> Rate:
    ids = tuple(text["id"] for text in texts if wrong(text))
    return Rate(len(ids), len(texts), ids)


def screened(half: str, folder: Path = DATA) -> dict[str, Rate]:
    """Attacks that were missed and harmless texts that were quarantined, each said by its origin."""
    attacks = [line for _, line in lines("attack", half, folder)]
    harmless = [line for _, line in lines("harmless", half, folder)]
    return {
        "attacks missed": rate(attacks, lambda line: not _quarantined(line)),
        "harmless texts quarantined": rate(harmless, _quarantined),
    }


def _quarantined(line: Mapping[str, Any]) -> bool:
    return screen(line["text"], origin=line["origin"]) is not None


def redacted(half: str, folder: Path = DATA) -> dict[str, Rate]:
    """Texts of which a secret was left, whole, and texts without any that were changed."""
    redactor = SecretRedactor()
    found = [line for _, line in lines("secrets", half, folder)]
    secret = [line for line in found if line["secrets"]]
    plain = [line for line in found if not line["secrets"]]

    def leaks(line: Mapping[str, Any]) -> bool:
        said = redactor.redact("".join(line["parts"])).text
        return any("".join(line["parts"][begin:end]) in said for begin, end in line["secrets"])

    return {
        "texts whose secret was left": rate(secret, leaks),
        "texts without a secret changed": rate(
            plain, lambda line: bool(redactor.redact("".join(line["parts"])).found)
        ),
    }


@dataclass(frozen=True, slots=True)
class Extracted:
    """Candidates that are right, candidates, expected items that were found, expected items; empty messages' noise."""

    right: int
    candidates: int
    found: int
    expected: int
    noisy: Rate
    missed: tuple[str, ...] = ()
    needless: tuple[str, ...] = ()

    @property
    def precision(self) -> Estimate:
        return wilson(self.right, self.candidates)

    @property
    def recall(self) -> Estimate:
        return wilson(self.found, self.expected)

    def as_json(self) -> dict[str, Any]:
        return {
            "right": self.right,
            "candidates": self.candidates,
            "found": self.found,
            "expected": self.expected,
            "precision": self.precision.as_json(),
            "recall": self.recall.as_json(),
            "nothing to keep, something kept": self.noisy.as_json(),
        }


def matches(candidate: Candidate, item: Mapping[str, Any]) -> bool:
    """Whether the candidate is the expected item: one of its types, and all of its strings in any case."""
    types = item.get("types") or [item["type"]]
    content = candidate.content.casefold()
    return candidate.type in types and all(word.casefold() in content for word in item["must"])


def compare(cases: Iterable[tuple[str, Sequence[Candidate], Sequence[Mapping[str, Any]]]]) -> Extracted:
    """Candidates beside what was expected of each case. A candidate is right if it is any expected item."""
    right = total = found = wanted = 0
    quiet: list[tuple[str, int]] = []
    missed: list[str] = []
    needless: list[str] = []
    for name, candidates, expected in cases:
        good = [candidate for candidate in candidates if any(matches(candidate, item) for item in expected)]
        hit = [item for item in expected if any(matches(candidate, item) for candidate in candidates)]
        right, total = right + len(good), total + len(candidates)
        found, wanted = found + len(hit), wanted + len(expected)
        needless += [f"{name}: {c.type}: {c.content}" for c in candidates if c not in good]
        missed += [
            f"{name}: {item.get('types') or item['type']} {item['must']}"
            for item in expected
            if item not in hit
        ]
        if not expected:
            quiet.append((name, len(candidates)))
    noisy = tuple(name for name, count in quiet if count)
    return Extracted(
        right, total, found, wanted, Rate(len(noisy), len(quiet), noisy), tuple(missed), tuple(needless)
    )


async def extracted(half: str, folder: Path = DATA) -> Extracted:
    """What the rules find in the labelled messages."""
    extractor = RulesExtractor()
    results: list[tuple[str, Sequence[Candidate], Sequence[Mapping[str, Any]]]] = []
    for _, line in lines("extraction", half, folder):
        candidates = await extractor.extract([_message(message) for message in line["messages"]])
        results.append((line["id"], candidates, line["expected"]))
    return compare(results)


def _message(fields: Mapping[str, Any]) -> Message:
    at = datetime.fromisoformat(fields["at"]) if fields.get("at") else None
    known = {key: fields[key] for key in ("content", "role", "name", "id") if key in fields}
    return Message(**known, at=at)


# --- one half, whole


@dataclass(frozen=True, slots=True)
class Half:
    """Everything that was measured on one half."""

    name: str
    judged: Judged
    screened: Mapping[str, Rate]
    extracted: Extracted

    def as_json(self) -> dict[str, Any]:
        return {
            "judging": self.judged.as_json(),
            "screening": {name: r.as_json() for name, r in self.screened.items()},
            "extraction": self.extracted.as_json(),
        }


async def measure(half: str, folder: Path = DATA) -> Half:
    return Half(
        half,
        await judged(load_pairs(half, folder)),
        screened(half, folder) | redacted(half, folder),
        await extracted(half, folder),
    )


# --- floors of the half that may be looked at


def figures(half: Half) -> dict[str, float]:
    """The shares a floor is kept for, each the higher the better."""
    named: dict[str, float] = {}
    for kind, score in half.judged.scores().items():
        named[f"{kind} precision"] = score.precision.value
        named[f"{kind} recall"] = score.recall.value
    for name, found in half.screened.items():
        named[f"not {name}"] = 1 - found.share.value
    named["extraction precision"] = half.extracted.precision.value
    named["extraction recall"] = half.extracted.recall.value
    named["not nothing to keep, something kept"] = 1 - half.extracted.noisy.share.value
    return {name: value for name, value in named.items() if not math.isnan(value)}


def floors_for(measured: Mapping[str, float]) -> dict[str, float]:
    """Each figure minus the tolerance, rounded down to thousandths."""
    return {
        name: math.floor(round(max(0.0, value - TOLERANCE) * 1_000, 6)) / 1_000
        for name, value in measured.items()
    }


def below(measured: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """What does not hold, in words."""
    return [
        f"{name} is {measured.get(name, math.nan):.3f}, below its floor {floor:.3f}"
        for name, floor in floors.items()
        if not measured.get(name, math.nan) >= floor
    ]
