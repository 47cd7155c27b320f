"""How candidates become an answer: BM25, fusion of the arms, time terms, and scores whose parts add up.

Arrays are parallel over the candidates; float32 unless said. Every constant of ranking stands in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from remanence.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

# BM25 (Robertson & Zaragoza 2009). b is low because memories are short; long texts need the stronger length norm.
K1 = 1.2
B_SHORT = 0.5
B_LONG = 0.75
LONG_AVERAGE = 60.0  # average terms per memory above which texts count as long

COMMON_NAME_SHARE = (
    0.05  # a capitalised query word in more than this share of a namespace is taken for a name
)
COMMON_NAME_FLOOR = 40  # memories below which that share means nothing

RECENCY_MIDDLE_DAYS = 30.0  # the age at which recency is one half
RECENCY_SCALE_DAYS = 10.0
FREQUENCY_CAP = 100  # recalls that count as "often"

WORDS_TRUSTED = 0.5  # share of the query's words from which on the lexical arm has its full weight
QUESTION_WORTH = 0.25  # of a memory that only asks: it resembles other questions and answers none

DAY_US = 86_400_000_000

FEATURES = ("similarity", "lexical", "recency", "frequency", "importance")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingProfile:
    """How much each feature counts. Weights are >= 0 and sum to 1.

    `relative` profiles divide similarity and lexical by their best value for the query before weighing (a sum of
    normalised scores keeps the margins that rank fusion throws away), then scale by how strong the best match is in
    absolute terms, so that scores compare across queries. `absolute` profiles weigh the plain cosine.
    """

    name: str
    weights: Mapping[str, float]
    scale: Literal["relative", "absolute"] = "relative"
    depth: int = 60  # candidates each arm brings at least

    def __post_init__(self) -> None:
        unknown = set(self.weights) - set(FEATURES)
        if unknown:
            raise InvalidInputError(
                "profile", f"unknown features {sorted(unknown)}; known are {list(FEATURES)}"
            )
        if any(not w >= 0 for w in self.weights.values()) or abs(sum(self.weights.values()) - 1) > 1e-6:
            raise InvalidInputError("profile", f"weights must be >= 0 and sum to 1, not {dict(self.weights)}")
        if self.scale not in ("relative", "absolute"):
            raise InvalidInputError("profile", f"scale must be 'relative' or 'absolute', not {self.scale!r}")
        if not 1 <= self.depth <= 10_000:
            raise InvalidInputError("profile", f"depth must be from 1 to 10,000, not {self.depth}")

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.weights.items())), self.scale, self.depth))


DEFAULT = RankingProfile(
    name="default",
    weights=MappingProxyType({"similarity": 0.47, "lexical": 0.47, "recency": 0.04, "importance": 0.02}),
)
"""Relevance, with time terms small enough only to order near-equals."""

KRONVEX = RankingProfile(
    name="kronvex",
    weights=MappingProxyType({"similarity": 0.6, "recency": 0.2, "frequency": 0.2}),
    scale="absolute",
    # Time terms carry 0.4 of the score, so a memory far down by similarity can still win.
    depth=400,
)
"""confidence = 0.6 similarity + 0.2 recency + 0.2 frequency, as that service documents it."""

PROFILES: Mapping[str, RankingProfile] = MappingProxyType({"default": DEFAULT, "kronvex": KRONVEX})


def profile_named(profile: RankingProfile | str) -> RankingProfile:
    """The profile of this name, or the profile itself. InvalidInputError for a name nobody defined."""
    if isinstance(profile, RankingProfile):
        return profile
    if not isinstance(profile, str) or profile not in PROFILES:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError(
            "profile", f"{profile!r} is not one of {sorted(PROFILES)}, nor a RankingProfile"
        )
    return PROFILES[profile]


def idf(n: int, df: int) -> float:
    """Rarity of a term that `df` of `n` memories contain: ln(1 + (n - df + 0.5) / (df + 0.5)), never negative."""
    return float(np.log1p((n - df + 0.5) / (df + 0.5)))


def length_norm(lengths: NDArray[np.integer] | Floats, average: float) -> Floats:
    """The part of BM25's denominator that depends on the memory alone: k1 (1 - b + b dl / avgdl)."""
    b = B_LONG if average > LONG_AVERAGE else B_SHORT
    return (K1 * (1 - b + b * np.asarray(lengths, dtype=np.float32) / max(average, 1.0))).astype(np.float32)


def bm25(term_idf: float, tf: NDArray[np.integer] | Floats, norm: Floats) -> Floats:
    """One term's score per memory; `norm` from `length_norm`."""
    frequency = np.asarray(tf, dtype=np.float32)
    return (np.float32(term_idf * (K1 + 1)) * frequency / (frequency + norm)).astype(np.float32)


def recency(age_us: NDArray[np.int64]) -> Floats:
    """1 when new, one half at 30 days, 0 in the end: a sigmoid of the age. The future counts as now."""
    days = np.maximum(age_us, 0) / DAY_US
    return (1.0 / (1.0 + np.exp(np.clip((days - RECENCY_MIDDLE_DAYS) / RECENCY_SCALE_DAYS, -60, 60)))).astype(
        np.float32
    )


def frequency(recalls: NDArray[np.int64]) -> Floats:
    """0 for never recalled, 1 from 100 recalls on, logarithmic between."""
    return np.minimum(np.log1p(recalls) / np.log1p(FREQUENCY_CAP), 1.0).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """What the arms found, most recently recorded first (that order breaks ties). All arrays have one length."""

    similarity: Floats  # cosine with the query; 0 without a query vector
    question: NDArray[np.bool_]  # the memory only asks
    lexical: Floats  # BM25
    coverage: Floats  # share of the query's idf mass present, 0..1
    created_us: NDArray[np.int64]
    recalls: NDArray[np.int64]
    importance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One candidate's place: its position in the arrays, its score, the parts that add up to it, the raw evidence."""

    position: int
    score: float
    why: Mapping[str, float]
    evidence: Mapping[str, float]


def rank(
    candidates: Candidates, profile: RankingProfile, *, at_us: int, limit: int, min_score: float
) -> list[Ranked]:
    """The best `limit` candidates of at least `min_score`, best first; equal scores keep the order given.

    A candidate that is neither similar (cosine > 0) nor shares a term is no hit, however new or important.
    """
    if not len(candidates.similarity):
        return []
    parts = _parts(candidates, profile, at_us)
    total = np.zeros(len(candidates.similarity), dtype=np.float32)
    for values in parts.values():
        total += values
    # Rounded, so that sums taken in another order by another store do not reorder equals.
    order = np.argsort(-np.round(total, 5), kind="stable")
    hit = (candidates.similarity > 0) | (candidates.lexical > 0)
    order = order[hit[order]][:limit]
    ranked: list[Ranked] = []
    for i in order.tolist():
        score = float(total[i])
        if score < min_score:
            break
        ranked.append(
            Ranked(
                position=i,
                score=min(score, 1.0),
                why={name: float(values[i]) for name, values in parts.items()},
                evidence={
                    "similarity": float(candidates.similarity[i]),
                    "bm25": float(candidates.lexical[i]),
                    "coverage": float(candidates.coverage[i]),
                },
            )
        )
    return ranked


def _parts(candidates: Candidates, profile: RankingProfile, at_us: int) -> dict[str, Floats]:
    weights = profile.weights
    similarity = np.clip(candidates.similarity, 0, 1)
    features: dict[str, Floats] = {}
    scale = 1.0
    if profile.scale == "absolute":
        features["similarity"] = similarity
        features["lexical"] = candidates.coverage
        effective = dict(weights)
    else:
        worth = np.where(candidates.question, np.float32(QUESTION_WORTH), np.float32(1))
        similarity, lexical, coverage = (
            a * worth for a in (similarity, candidates.lexical, candidates.coverage)
        )
        best_dense, best_lexical = float(similarity.max()), float(lexical.max())
        features["similarity"] = similarity / best_dense if best_dense > 0 else similarity
        features["lexical"] = lexical / best_lexical if best_lexical > 0 else lexical
        effective = _shared_weights(weights, dense=best_dense > 0, found=float(coverage.max()))
        # How good is the best match at all: by meaning alone, or by meaning and words together.
        strength = (similarity + coverage) / 2 if best_dense > 0 else coverage
        scale = float(np.max(np.maximum(similarity, strength)))
    features["recency"] = recency(at_us - candidates.created_us)
    features["frequency"] = frequency(candidates.recalls)
    features["importance"] = candidates.importance
    return {
        name: (np.float32(effective.get(name, 0.0) * scale) * features[name]).astype(np.float32)
        for name in FEATURES
        if effective.get(name)
    }


def _shared_weights(weights: Mapping[str, float], *, dense: bool, found: float) -> dict[str, float]:
    """The arms' weights for this query: words count as far as they were found at all.

    `found` is the greatest share of the query's words, weighted by rarity, that any candidate holds. Where the best
    one shares a single common word with the question, its lexical score says little and the vectors get the weight.
    """
    effective = dict(weights)
    both = effective.get("similarity", 0.0) + effective.get("lexical", 0.0)
    effective["lexical"] = effective.get("lexical", 0.0) * min(1.0, found / WORDS_TRUSTED) if dense else both
    effective["similarity"] = both - effective["lexical"]
    return effective
