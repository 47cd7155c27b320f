"""Fingerprints by which erased text is recognised, byte by byte, without being kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from remanence.domain.records import Traces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW: Final = 16  # bytes of a stretch that is recognised
SHORTEST: Final = 6  # below that anything might look like it
MOST: Final = 20_000  # stretches in all
MOST_EACH: Final = 256  # of one memory
_KINDS: Final = 4  # distinct bytes a stretch must have: a run of zeros stands everywhere
_ENTRY: Final = 12  # bytes of a fingerprint: 4 of the rolling hash, 8 of the confirming one
_MASK: Final = 0xFFFFFFFF


def forms(text: str) -> list[bytes]:
    """A text as it may stand in a file: as it is, and inside JSON of either kind."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    escaped = json.dumps(text)[1:-1]
    return [one.encode("utf-8", "surrogatepass") for one in dict.fromkeys((text, plain, escaped))]


class _Rolling:
    """A polynomial hash over the bytes of a stretch, modulo 2**32, with numbers of the receipt's own."""

    def __init__(self, salt: bytes) -> None:
        drawn = hashlib.shake_128(salt).digest(4 * 257)
        self.factor = int.from_bytes(drawn[:4], "little") | 1
        self.table = [int.from_bytes(drawn[at : at + 4], "little") for at in range(4, len(drawn), 4)]

    def of(self, stretch: bytes) -> int:
        found = 0
        for byte in stretch:
            found = (found * self.factor + self.table[byte]) & _MASK
        return found


def _confirming(salt: bytes, stretch: bytes) -> bytes:
    return hashlib.blake2b(stretch, digest_size=8, key=salt).digest()


def _spread(size: int, most: int) -> Iterable[int]:
    """Where stretches of WINDOW bytes begin in a text of `size`: one beside the other, or as many as may be, spread."""
    last = size - WINDOW
    count = -(-size // WINDOW)
    if count <= most:
        return sorted({*range(0, last + 1, WINDOW), last})
    return sorted({last * i // max(most - 1, 1) for i in range(most)})


def fingerprints(memories: Sequence[Sequence[bytes]], salt: bytes, *, of: int | None = None) -> Traces:
    """The fingerprints of some erased memories, each the pieces that were stored of it, the most telling first.

    `of` is how many memories were erased, if these are only a sample of them. `salt` has 16 random bytes.
    """
    each = max(1, min(MOST_EACH, MOST // max(len(memories), 1)))
    rolling = _Rolling(salt)
    found: dict[int, set[bytes]] = {}
    short = texts = 0
    for pieces in memories[:MOST]:
        left = each
        for place, piece in enumerate(pieces):
            size = len(piece)
            if size < SHORTEST or len(set(piece)) < min(_KINDS, size // 2):
                short += place == 0
                continue
            if left <= 0:
                break
            length = min(size, WINDOW)
            # Half of what is left: something is to be known of every piece.
            most = left if place == len(pieces) - 1 else max(1, left // 2)
            starts = [0] if size <= WINDOW else _spread(size, most)
            for start in starts:
                stretch = piece[start : start + length]
                if len(set(stretch)) < min(_KINDS, length // 2):
                    continue
                known = rolling.of(stretch).to_bytes(4, "little") + _confirming(salt, stretch)
                found.setdefault(length, set()).add(known)
                left -= 1
            texts += 1
    return Traces(
        salt=salt,
        windows={length: b"".join(sorted(known)) for length, known in sorted(found.items())},
        texts=texts,
        short=short,
        sampled=(len(memories) if of is None else of) > len(memories[:MOST]),
    )


def joined(several: Sequence[Traces]) -> Traces | None:
    """Traces made with the same salt as one; None if there are none."""
    if not several:
        return None
    windows: dict[int, set[bytes]] = {}
    for traces in several:
        for length, packed in traces.windows.items():
            entries = (packed[at : at + _ENTRY] for at in range(0, len(packed), _ENTRY))
            windows.setdefault(length, set()).update(entries)
    count = sum(map(len, windows.values()))
    # Digests are as good as random, so any part of them is a sample.
    share = min(1.0, MOST / count) if count else 1.0
    return Traces(
        salt=several[0].salt,
        windows={
            length: b"".join(sorted(known)[: max(1, int(len(known) * share))])
            for length, known in sorted(windows.items())
        },
        texts=sum(traces.texts for traces in several),
        short=sum(traces.short for traces in several),
        sampled=share < 1 or any(traces.sampled for traces in several),
    )


_BLOCK: Final = 1 << 17  # bytes hashed at a time: what is made of them fits the cache
_LIKELY_BITS: Final = 20


class Finder:
    """Finds the stretches of some traces in bytes, at a hundred megabytes a second and more."""

    def __init__(self, traces: Traces) -> None:
        import numpy as np  # deferred: numpy loads at first use

        self._salt = traces.salt
        rolling = _Rolling(traces.salt)
        self._factor = rolling.factor
        self._table = np.array(rolling.table, np.uint32)
        self._known: dict[int, frozenset[bytes]] = {}
        self._hashes: dict[int, NDArray[np.uint32]] = {}
        self._likely: dict[int, NDArray[np.bool_]] = {}
        for length, packed in traces.windows.items():
            entries = frozenset(packed[at : at + _ENTRY] for at in range(0, len(packed) - _ENTRY + 1, _ENTRY))
            if not entries:
                continue
            hashes = np.array(sorted({int.from_bytes(entry[:4], "little") for entry in entries}), np.uint32)
            self._known[length] = frozenset(entry[4:] for entry in entries)
            self._hashes[length] = hashes
            self._likely[length] = np.zeros(1 << _LIKELY_BITS, np.bool_)
            self._likely[length][hashes >> np.uint32(32 - _LIKELY_BITS)] = True

    @property
    def overlap(self) -> int:
        """Bytes that two neighbouring chunks must share, so that nothing is lost between them."""
        return max(self._known, default=1) - 1

    @property
    def count(self) -> int:
        """How many stretches are looked for."""
        return sum(map(len, self._known.values()))

    def find(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Where known stretches stand in the chunk, and what confirmed each."""
        import numpy as np

        if not self._known:
            return
        data = np.frombuffer(chunk, np.uint8)
        for start in range(0, data.size, _BLOCK):
            for at, length in self._candidates(data[start : start + _BLOCK + self.overlap]):
                if at >= _BLOCK:
                    continue  # of the next block
                digest = _confirming(self._salt, chunk[start + at : start + at + length])
                if digest in self._known[length]:
                    yield start + at, digest

    def _candidates(self, data: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        import numpy as np

        # Hashes of 1, 2, 4 and 8 bytes from each place on; from these that of any length.
        powers: dict[int, NDArray[np.uint32]] = {1: self._table[data]}
        size = 1
        while size * 2 <= min(max(self._known), data.size):
            powers[size * 2] = self._joined(powers[size], size, powers[size], size)
            size *= 2
        for length, known in self._hashes.items():
            if data.size < length:
                continue
            parts = [part for part in (16, 8, 4, 2, 1) if length & part]
            hashes, done = powers[parts[0]], parts[0]
            for part in parts[1:]:
                hashes = self._joined(hashes, done, powers[part], part)
                done += part
            likely = np.flatnonzero(self._likely[length][hashes >> np.uint32(32 - _LIKELY_BITS)])
            if likely.size:
                for at in likely[np.isin(hashes[likely], known)].tolist():
                    yield at, length

    def _joined(
        self, first: NDArray[np.uint32], size: int, second: NDArray[np.uint32], more: int
    ) -> NDArray[np.uint32]:
        """The hash of `size + more` bytes from each place on."""
        import numpy as np

        found = first[: len(second) - size] * np.uint32(pow(self._factor, more, 1 << 32))
        found += second[size:]
        return found
