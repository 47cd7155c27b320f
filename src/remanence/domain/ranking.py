"""How candidates become an answer: BM25, the features of a memory for a query, their weights, scores that add up.

Arrays are parallel over the candidates; float32 unless said. Every constant of ranking stands in this file; where
each comes from is told in docs/adr/0009-recall-pipeline.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from remanence.domain.linear import product
from remanence.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Bools = NDArray[np.bool_]
    Positions = NDArray[np.int64]

# BM25 (Robertson & Zaragoza 2009). b is low because memories are short; long texts need the stronger length norm.
K1: Final = 1.2
B_SHORT: Final = 0.5
B_LONG: Final = 0.75
LONG_AVERAGE: Final = 60.0  # average terms per memory above which texts count as long

COMMON_NAME_SHARE: Final = (
    0.05  # a capitalised query word in more of a namespace's memories is taken for a name
)
COMMON_NAME_FLOOR: Final = 40  # memories below which that share means nothing

RECENCY_MIDDLE_DAYS: Final = 30.0  # the age at which recency is one half
RECENCY_SCALE_DAYS: Final = 10.0
FREQUENCY_CAP: Final = 100  # recalls that count as "often"
LENGTH_CAP: Final = 40  # terms from which on a memory counts as long

WORDS_TRUSTED: Final = 0.5  # share of the query's words from which on the lexical arm has its full weight
SESSION_BEST: Final = 3  # memories of a session whose mean is the session's score
RERANKED: Final = 50  # candidates whose token vectors are compared
AROUND: Final = 32  # best lexical candidates whose neighbours in the session are candidates too
PERIOD_SOFTNESS: Final = 0.5  # of a period's width: the distance at which closeness is 1/e
RECORDED_WORTH: Final = 0.25  # of being recorded in the period named, against being about it
TWIN: Final = 0.85  # cosine from which memories of one kind and source say the same
TWINS_SOUGHT: Final = 100  # hits for which a newer twin is looked for
EVENT_CONFIDENCE: Final = 0.3  # how sure a memory must be to date the event that a query names
EVENTS_SOUGHT: Final = 2  # events of one query that are dated, each for the price of a search
_MOST_LOSS: Final = 1e6  # of a drawback, in scores
EVENT_QUERY: Final = 300  # characters beyond which a query tells a story and names no events

DAY_US: Final = 86_400_000_000

FEATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "similarity": "cosine of the memory's vector (its best passage) with the query's, names left out",
        "lexical": "BM25 over content, date, source, key and tags",
        "subject": "share of the people and things named by the query that are this memory's source, key or tags",
        "previous": "BM25 of what was said just before in the session",
        "earlier": "BM25 of what was said before that",
        "following": "BM25 of what was said right after",
        "window": "mean cosine of the memory and its neighbours in the session",
        "session": "how well the best memories of the session fit",
        "length": "more words tell more, up to 40 terms",
        "late_interaction": "each query word's best match among the memory's words, weighted by rarity, squared",
        "time_words": "the query asks when and the memory tells a time",
        "period": "the memory is from the time that the query names",
        "strength": "how strongly it is held: fades by its type's half-life, slower if important or used",
        "recency": "1 for what is about the present, one half at 30 days ago",
        "frequency": "recalls so far, logarithmic, 1 from 100 on",
        "importance": "as given when it was remembered",
        "question": "the memory only asks: loses that share of its resemblance, -7.5 of 10 in the default",
        "assistant": "said by the assistant, not by a person",
    }
)
"""What a profile can weigh, each 0..1. `question` and `assistant` are drawbacks: give them negative weights."""

OF_TRANSCRIPTS: Final = frozenset({"previous", "earlier", "following", "window", "session"})
DRAWBACKS: Final = ("question", "assistant")
_RELATIVE_ONLY: Final = ("previous", "earlier", "following", "session")  # they have no absolute scale
RESEMBLANCE: Final = ("similarity", "lexical", "late_interaction")


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingProfile:
    """How much each of FEATURES counts. Positive weights add, negative ones take away; only their ratios matter.

    `relative` profiles divide similarity, BM25 and token matches by their best value for the query before weighing (a
    sum of normalised scores keeps the margins that rank fusion throws away), then scale by how strong the best match
    is in absolute terms, so that scores compare across queries. `absolute` profiles weigh the plain values.
    `depth` is how many candidates each arm brings at least.
    """

    name: str
    weights: Mapping[str, float]
    scale: Literal["relative", "absolute"] = "relative"
    depth: int = 64

    def __post_init__(self) -> None:
        unknown = set(self.weights) - set(FEATURES)
        if unknown:
            raise InvalidInputError(
                "profile", f"unknown features {sorted(unknown)}; known are {list(FEATURES)}"
            )
        try:
            weights = {name: float(w) for name, w in self.weights.items() if isinstance(w, Real)}
        except OverflowError:
            weights = {}
        if len(weights) < len(self.weights) or not all(map(math.isfinite, weights.values())):
            raise InvalidInputError("profile", f"weights must be finite numbers, not {dict(self.weights)}")
        if not any(w > 0 for w in self.weights.values()):
            raise InvalidInputError("profile", "at least one weight must be positive")
        if not self.name:
            raise InvalidInputError("profile", "needs a name")
        if any(self.weights.get(name, 0) > 0 for name in DRAWBACKS):
            raise InvalidInputError("profile", f"{' and '.join(DRAWBACKS)} are drawbacks: weigh them below 0")
        told = [name for name in _RELATIVE_ONLY if self.weights.get(name)]
        if self.scale == "absolute" and told:
            raise InvalidInputError("profile", f"{', '.join(told)} can only be weighed in a relative profile")
        if self.scale not in ("relative", "absolute"):
            raise InvalidInputError("profile", f"scale must be 'relative' or 'absolute', not {self.scale!r}")
        if not isinstance(self.depth, int) or not 1 <= self.depth <= 10_000:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInputError(
                "profile", f"depth must be a whole number from 1 to 10,000, not {self.depth}"
            )
        object.__setattr__(self, "weights", MappingProxyType(weights))  # as its hash is

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.weights.items())), self.scale, self.depth))

    def wants(self, *features: str) -> bool:
        """Whether any of these features counts here."""
        return any(self.weights.get(feature) for feature in features)

    def without(self, *features: str) -> RankingProfile:
        """This profile with some features off. InvalidInputError for a feature there is not."""
        if unknown := set(features) - set(FEATURES):
            raise InvalidInputError(
                "profile", f"unknown features {sorted(unknown)}; known are {list(FEATURES)}"
            )
        kept = {name: weight for name, weight in self.weights.items() if name not in features}
        return replace(self, name=f"{self.name} without {', '.join(features)}", weights=kept)


DEFAULT: Final = RankingProfile(
    name="default",
    weights=MappingProxyType(
        {
            "similarity": 2.0,
            "lexical": 2.0,
            "subject": 5.0,
            "previous": 1.0,
            "earlier": 1.0,
            "following": 0.25,
            "window": 2.0,
            "session": 2.0,
            "length": 2.0,
            "late_interaction": 6.0,
            "time_words": 3.0,
            "period": 3.0,
            "strength": 0.35,
            "importance": 0.25,
            "question": -7.5,
            "assistant": -4.0,
        }
    ),
)
"""Relevance, with time terms small enough only to order near-equals; uses the conversation around a memory."""

ISOLATED: Final = replace(DEFAULT.without(*OF_TRANSCRIPTS), name="isolated")
"""The default without what depends on the conversation around a memory."""

KRONVEX: Final = RankingProfile(
    name="kronvex",
    weights=MappingProxyType({"similarity": 0.6, "recency": 0.2, "frequency": 0.2}),
    scale="absolute",
    # Time terms carry 0.4 of the score, so a memory far down by similarity can still win.
    depth=400,
)
"""confidence = 0.6 similarity + 0.2 recency + 0.2 frequency, as that service documents it."""

PROFILES: Final[Mapping[str, RankingProfile]] = MappingProxyType(
    {profile.name: profile for profile in (DEFAULT, ISOLATED, KRONVEX)}
)


def profile_named(profile: RankingProfile | str) -> RankingProfile:
    """The profile of this name, or the profile itself. InvalidInputError for a name nobody defined."""
    if isinstance(profile, RankingProfile):
        return profile
    if not isinstance(profile, str) or profile not in PROFILES:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInputError(
            "profile", f"{profile!r} is not one of {sorted(PROFILES)}, nor a RankingProfile"
        )
    return PROFILES[profile]


# -- formulas


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


def saturating_length(terms: NDArray[np.integer]) -> Floats:
    """0 for nothing, 1 from 40 terms on, logarithmic between."""
    return np.minimum(np.log1p(terms) / np.log1p(LENGTH_CAP), 1.0).astype(np.float32)


def late_interaction(query: Floats, weights: Floats, memories: Sequence[NDArray[np.int8]]) -> Floats:
    """MaxSim (Khattab & Zaharia 2020) of each memory: the weighted mean over query tokens of the best cosine, 0..1.

    `query` is (tokens, d) of unit rows, `weights` (tokens,), each memory int8 codes of unit rows (127 is 1), (m, d).
    """
    found = np.zeros(len(memories), dtype=np.float32)
    told = [i for i, memory in enumerate(memories) if len(memory)]
    mass = float(weights.sum())
    if not told or mass <= 0:
        return found
    starts = np.cumsum([0, *(len(memories[i]) for i in told[:-1])])
    cosines = product(np.concatenate([memories[i] for i in told]).astype(np.float32), query)
    best = np.maximum.reduceat(cosines, starts, axis=0) / 127
    found[told] = np.minimum(np.maximum(best @ weights / mass, 0), 1)
    return found


# -- candidates and their order


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """What the arms found, most recently recorded first (that order breaks ties). All arrays have one length."""

    similarity: Floats  # cosine with the query; 0 without a query vector
    lexical: Floats  # BM25
    coverage: Floats  # share of the query's idf mass present, 0..1
    occurred_us: NDArray[np.int64]
    importance: Floats
    strength: Floats  # see domain.strength; all 0 where the profile does not weigh it
    recalls: NDArray[np.int64]
    length: NDArray[np.int64]  # in terms
    question: Bools  # it only asks
    tells_time: Bools
    assistant: Bools
    subject: Floats  # share of what the query names that this memory is about
    previous: Floats  # BM25 of the memory before in its session
    earlier: Floats  # of the one before that
    following: Floats  # of the next one
    window: Floats  # mean cosine of the memory and its neighbours
    session: NDArray[np.int64]  # equal numbers are one session, negative is none
    period: Floats  # closeness to the time the query names
    outdated: Bools  # indexed by an earlier version
    late: Floats  # MaxSim; NaN where the memory has no token vectors, -1 where none were compared, all 0 without any

    def __len__(self) -> int:
        return len(self.similarity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the query decides which features can say anything."""

    dense: bool  # it has a vector
    names: bool  # it names somebody or something memories are about
    when: bool  # it asks for a time
    period: bool  # it names a time
    memories: int = 0  # how many it was asked of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One candidate's place: its position in the arrays, its score, the parts that add up to it, the raw evidence."""

    position: int
    score: float
    why: Mapping[str, float]
    evidence: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Weighed features, before and after token vectors are compared: `total` is what they add up to."""

    features: Mapping[str, Floats]
    total: Floats
    asked: Asked
    hit: Bools  # neither dissimilar nor without a shared term


def weigh(candidates: Candidates, profile: RankingProfile, asked: Asked, *, at_us: int) -> Parts:
    """Each feature of `profile`, weighed. What a memory cannot have counts as absent: the others fill its place."""
    absolute = profile.scale == "absolute"
    features, scale = (_absolute if absolute else _relative)(candidates, asked)
    features["length"] = saturating_length(candidates.length)
    features["strength"] = candidates.strength
    features["recency"] = recency(at_us - candidates.occurred_us)
    features["frequency"] = frequency(candidates.recalls)
    features["importance"] = candidates.importance
    features["assistant"] = candidates.assistant.astype(np.float32)
    if asked.names or absolute:
        features["subject"] = candidates.subject
    if asked.when or absolute:
        features["time_words"] = candidates.tells_time.astype(np.float32) * np.float32(asked.when)
    if asked.period or absolute:
        features["period"] = candidates.period
    given = _scaled(profile.weights)
    weights = given if absolute else _trusted(given, candidates, dense="similarity" in features)
    counted = _shares({name: weights[name] for name in FEATURES if weights.get(name) and name in features})
    if not counted:
        return Parts({}, np.zeros(len(candidates), dtype=np.float32), asked, _hits(candidates))
    # One row a feature: a few dozen small arrays one by one would cost more than everything else.
    shares = np.array([*counted.values()])[:, None]
    table = np.stack([features[name] for name in counted])
    if not absolute:
        lacks = np.zeros(table.shape, dtype=np.bool_)
        for row, name in enumerate(counted):
            lacks[row] = _lacking(candidates, name)
        table[lacks] = 0
        # What a memory cannot have is made up for by what it has: an isolated fact is not worse for having no
        # neighbours, nor an old record for having no token vectors yet.
        present = np.where(lacks, 0.0, np.maximum(shares, 0)).sum(axis=0)
    else:
        present = np.full(len(candidates), np.maximum(shares, 0).sum())
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        amounts = np.where(present > 0, shares / present, 0.0)
    # float32 has an end; and nothing can take away more than there is.
    weighed = (np.maximum(amounts, -_MOST_LOSS) * scale * table).astype(np.float32)
    parts: dict[str, Floats] = dict(zip(counted, weighed, strict=True))
    _drawbacks(parts, given, candidates)
    total = np.zeros(len(candidates), dtype=np.float32)
    for values in parts.values():
        total += values
    # What drawbacks leave of nothing may be off by a rounding error.
    return Parts(parts, np.clip(total, 0, 1), asked, _hits(candidates))


def _lacking(candidates: Candidates, feature: str) -> Bools | np.bool_:
    """Which memories cannot have the feature, or are not known to."""
    match feature:
        case "late_interaction":
            return np.isnan(candidates.late)
        case "previous" | "earlier" | "following" | "window" | "session":
            return candidates.session < 0
        case "subject" | "time_words" | "period":
            return candidates.outdated
        case _:
            return np.False_


def rank(candidates: Candidates, parts: Parts, *, limit: int, min_score: float) -> list[Ranked]:
    """The best `limit` candidates of at least `min_score`, best first; equal scores keep the order given.

    A candidate that is neither similar (cosine > 0) nor shares a term is no hit, however new or important.
    """
    ranked: list[Ranked] = []
    for i in best(parts, limit).tolist():
        score = float(parts.total[i])
        if score < min_score:
            continue
        evidence = {
            "similarity": float(candidates.similarity[i]),
            "bm25": float(candidates.lexical[i]),
            "coverage": float(candidates.coverage[i]),
        }
        if candidates.late[i] > 0:  # neither absent nor left uncompared
            evidence["late_interaction"] = float(candidates.late[i])
        if parts.asked.names:
            evidence["subject"] = float(candidates.subject[i])
        if "strength" in parts.features:
            evidence["strength"] = float(candidates.strength[i])
        if candidates.question[i]:
            evidence["question"] = 1.0
        why = {name: float(values[i]) + 0.0 for name, values in parts.features.items()}
        ranked.append(Ranked(position=i, score=score, why=why, evidence=evidence))
    return ranked


def best(parts: Parts, limit: int) -> Positions:
    """Positions of the best hits, best first."""
    # Rounded, so that sums taken in another order by another store do not reorder equals.
    order = np.argsort(-np.round(parts.total, 5), kind="stable")
    return order[parts.hit[order]][:limit]


def _relative(candidates: Candidates, asked: Asked) -> tuple[dict[str, Floats], float]:
    """Features divided by their best value for the query, and how strong the best match is in absolute terms."""
    similarity = np.clip(candidates.similarity, 0, 1)
    telling = ~candidates.question & _hits(candidates)
    if not telling.any():
        telling = np.ones_like(telling)

    def most(values: Floats) -> float:
        return float(values.max(initial=0, where=telling))

    # Where only questions share the words, what stands beside them is still told by them.
    most_lexical = most(candidates.lexical) or float(candidates.lexical.max(initial=0))
    words = _divided(candidates.lexical, most_lexical)
    features: dict[str, Floats] = {"lexical": words}
    meaning = np.zeros_like(similarity)
    if asked.dense and most(similarity) > 0:
        features["similarity"] = meaning = _divided(similarity, most(similarity))
        features["window"] = _divided(candidates.window, float(candidates.window.max()))
    for name, values in (
        ("previous", candidates.previous),
        ("earlier", candidates.earlier),
        ("following", candidates.following),
    ):
        features[name] = _divided(values, most_lexical)
    features["session"] = _session_scores(candidates, meaning + words)
    if candidates.late.any():  # NaN is true: it was compared, and some have nothing to compare
        late = np.maximum(np.nan_to_num(candidates.late), 0)
        # Squared: cosines of words lie close together, and their differences are what tells.
        features["late_interaction"] = _divided(late, most(late)) ** 2
    # How good is the best match at all: by meaning alone, or by meaning and words together.
    strength = (
        np.maximum(similarity, (similarity + candidates.coverage) / 2) if asked.dense else candidates.coverage
    )
    return features, min(most(strength), 1.0)


def _absolute(candidates: Candidates, asked: Asked) -> tuple[dict[str, Floats], float]:
    """Features as they are, BM25 as the share of the query's words found."""
    nothing = np.zeros_like(candidates.coverage)
    features = dict.fromkeys(OF_TRANSCRIPTS, nothing)
    features["similarity"] = np.clip(candidates.similarity, 0, 1)
    features["lexical"] = candidates.coverage
    features["window"] = np.clip(candidates.window, 0, 1)
    features["late_interaction"] = np.maximum(np.nan_to_num(candidates.late), 0)
    return features, 1.0


def _hits(candidates: Candidates) -> Bools:
    return (candidates.similarity > 0) | (candidates.lexical > 0)


def _scaled(weights: Mapping[str, float]) -> dict[str, float]:
    """Only ratios matter: the same ones within -1..1, so that sums stay within what floats can hold."""
    greatest = max(map(abs, weights.values()))
    return {name: weight / greatest for name, weight in weights.items()}


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares of what the positive ones add up to."""
    whole = sum(w for w in weights.values() if w > 0)
    return {name: max(w / whole, -_MOST_LOSS) for name, w in weights.items()} if whole > 0 else {}


def _divided(values: Floats, most: float) -> Floats:
    # What only asks may exceed the best that tells; its drawback is taken off afterwards.
    if most <= 0:
        return np.zeros_like(values)
    limit = np.float32(most)
    return (np.minimum(np.maximum(values, 0), limit) / limit).astype(np.float32)


def _session_scores(candidates: Candidates, fit: Floats) -> Floats:
    """Mean fit of the best memories of each one's session, the best session being 1."""
    scores = np.zeros_like(fit)
    members = np.flatnonzero(candidates.session >= 0)
    if not len(members):
        return scores
    order = members[np.lexsort((-fit[members], candidates.session[members]))]
    sessions = candidates.session[order]
    starts = np.flatnonzero(np.r_[True, sessions[1:] != sessions[:-1]])
    counts = np.diff(np.r_[starts, len(order)])
    place = np.arange(len(order)) - np.repeat(starts, counts)
    means = np.add.reduceat(np.where(place < SESSION_BEST, fit[order], np.float32(0)), starts) / SESSION_BEST
    scores[order] = np.repeat(means, counts)
    return _divided(scores, float(scores.max()))


def _trusted(weights: Mapping[str, float], candidates: Candidates, *, dense: bool) -> dict[str, float]:
    """The weights for this query: words count as far as they were found at all.

    Where the best match shares a single common word with the question, BM25 says little and the vectors get its weight.
    """
    effective = dict(weights)
    if dense:
        trust = min(1.0, float(candidates.coverage.max(initial=0)) / WORDS_TRUSTED)
        for name in ("previous", "earlier", "following"):
            if name in effective:
                effective[name] *= trust
        lexical, similarity = effective.get("lexical", 0.0), effective.get("similarity", 0.0)
        if lexical > 0 and similarity > 0:
            effective["lexical"] = lexical * trust
            effective["similarity"] = similarity + lexical * (1 - trust)
    return effective


def _drawbacks(parts: dict[str, Floats], weights: Mapping[str, float], candidates: Candidates) -> None:
    """What takes away, never more than there is."""
    if weights.get("question", 0.0) < 0:
        resembling = [parts[name] for name in RESEMBLANCE if name in parts]
        most = sum(max(weights.get(name, 0.0), 0.0) for name in RESEMBLANCE)
        share = min(1.0, -weights["question"] / most) if most else 0.0
        resemblance = sum(resembling, np.zeros(len(candidates), dtype=np.float32))
        parts["question"] = np.where(candidates.question, -np.float32(share) * resemblance, np.float32(0))
    gains = sum((np.maximum(v, 0) for v in parts.values()), np.zeros(len(candidates), dtype=np.float32))
    losses = sum((np.minimum(v, 0) for v in parts.values()), np.zeros(len(candidates), dtype=np.float32))
    kept = np.where(losses < -gains, gains / np.maximum(-losses, np.float32(1e-9)), np.float32(1))
    if (kept < 1).any():
        for name, values in parts.items():
            parts[name] = np.where(values < 0, values * kept, values).astype(np.float32)
