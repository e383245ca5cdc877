"""A sliding window of posts, found by what they say and show."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, Literal

import msgspec
import numpy as np
import onnxruntime  # noqa: F401 - before usearch: docs/decisions/0049
from numpy.typing import NDArray
from usearch.index import Index

Modality = Literal["text", "image"]
Vector = NDArray[np.float32]

MODALITIES: Final[tuple[Modality, ...]] = ("text", "image")
EXACT_UP_TO: Final = 20_000  # vectors; comparing with all of them takes a few milliseconds
_SPARE: Final = 16  # neighbours asked for beyond the limit, so that ties are cut by our order
_DECIMALS: Final = 4  # what 16-bit vectors are good for


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A post in the index, as far as a list of results shows it."""

    channel: str
    post_id: str
    created_at: float
    author: str
    text: str
    thumbnail: str | None = None

    @property
    def key(self) -> int:
        """Number of the post in the index, a pure function of its identity."""
        return key_of(self.channel, self.post_id)


class Match(msgspec.Struct, frozen=True):
    """A post and its cosine to what was asked for, rounded to four decimals."""

    entry: Entry
    similarity: float


def key_of(channel: str, post_id: str) -> int:
    """63 bits of a hash of (channel, post id); of a million posts two meet with a chance of 5e-8.

    >>> key_of("x", "1") == key_of("x", "1") != key_of("x1", "")
    True
    """
    digest = blake2b(f"{channel}\0{post_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


class SlidingIndex:
    """The newest posts by their unit vectors in the joint space; text and image apart.

    At most `capacity` posts stay, and none older than `horizon_seconds` before the newest seen: the
    oldest are forgotten first, by event time, so the same posts in any order leave the same index.
    A post that comes again replaces itself.
    Results are exact up to 20,000 vectors of a modality; above, they are HNSW's (Malkov and
    Yashunin 2016). Vectors are kept in 16 bits. One thread at a time.
    """

    def __init__(
        self, width: int, capacity: int = 100_000, horizon_seconds: float | None = None
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity {capacity}: an index holds at least one post")
        self.width, self.capacity, self.horizon_seconds = width, capacity, horizon_seconds
        self._entries: dict[int, Entry] = {}
        self._by_age: list[tuple[float, int]] = []  # a heap; rows of posts that went are skipped
        self._newest = -np.inf
        self._has_traces = False
        self.indexes = {modality: self._empty() for modality in MODALITIES}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """Every post, oldest first."""
        return iter(sorted(self._entries.values(), key=lambda one: (one.created_at, one.key)))

    def __contains__(self, key: int) -> bool:
        return key in self._entries

    def add(self, entry: Entry, text: Vector | None, image: Vector | None) -> bool:
        """Puts a post in, or again; False if it is too old to stay or has no vector.

        Raises:
            ValueError: a vector has another width than the index.
        """
        vectors = {"text": text, "image": image}
        for vector in vectors.values():
            if vector is not None and vector.shape != (self.width,):
                raise ValueError(f"a vector of shape {vector.shape} in an index of {self.width}")
        self.forget(entry.key)
        self._newest = max(self._newest, entry.created_at)
        if self._is_too_old(entry.created_at) or (text is None and image is None):
            return False
        self._entries[entry.key] = entry
        heapq.heappush(self._by_age, (entry.created_at, entry.key))
        for modality in MODALITIES:
            if (vector := vectors[modality]) is not None:
                self.indexes[modality].add(entry.key, vector, threads=1)
        self._forget_old()
        return entry.key in self._entries

    def forget(self, key: int) -> bool:
        """Deletes a post; it is in no result from now on. False if it was not there."""
        if self._entries.pop(key, None) is None:
            return False
        for index in self.indexes.values():
            if key in index:
                index.remove(key, threads=1)
                self._has_traces = True
        return True

    def find(self, post_id: str) -> list[Entry]:
        """Posts by `post_id`, or by `channel/post_id` where several channels use the same."""
        return [one for one in self if post_id in {one.post_id, f"{one.channel}/{one.post_id}"}]

    def vector(self, key: int, modality: Modality) -> Vector | None:
        """A post's unit vector as it is kept, in 32 bits again; None where it has none."""
        if key not in self.indexes[modality]:
            return None
        kept = np.asarray(self.indexes[modality].get(key), dtype=np.float32).reshape(-1)
        return np.asarray(kept / np.linalg.norm(kept), dtype=np.float32)

    def search(self, vector: Vector, modality: Modality, limit: int = 10) -> list[Match]:
        """The posts whose text or image is closest to a vector, closest first; ties by identity."""
        index = self.indexes[modality]
        if len(index) == 0 or limit < 1:
            return []
        exact = len(index) <= EXACT_UP_TO
        wanted = min(limit + _SPARE, len(index))
        found = index.search(vector, wanted, exact=exact, threads=1)
        matches = [
            Match(self._entries[int(key)], round(1 - float(distance), _DECIMALS))
            for key, distance in zip(found.keys, found.distances, strict=True)
        ]
        return sorted(matches, key=_rank)[:limit]

    def similar(self, key: int, limit: int = 10) -> list[Match]:
        """Posts like one of the index: the mean of the cosines of what that post has.

        A post that lacks one of its modalities counts 0 there.

        Raises:
            KeyError: no post has this key.
        """
        if key not in self._entries:
            raise KeyError(key)
        own = {m: vector for m in MODALITIES if (vector := self.vector(key, m)) is not None}
        return self.near(own, limit, but=key)

    def near(
        self, own: Mapping[Modality, Vector], limit: int = 10, but: int | None = None
    ) -> list[Match]:
        """Posts like one that has these vectors, as `similar` counts it; `but` is left out."""
        near = {
            match.entry.key
            for modality, vector in own.items()
            for match in self.search(vector, modality, 5 * limit + 1)
        }
        matches = [Match(self._entries[other], self._mean(own, other)) for other in near - {but}]
        return sorted(matches, key=_rank)[:limit]

    def _mean(self, own: Mapping[Modality, Vector], other: int) -> float:
        cosines = []
        for modality, vector in own.items():
            theirs = self.vector(other, modality)
            cosines.append(0.0 if theirs is None else float(vector @ theirs))
        return round(sum(cosines) / len(cosines), _DECIMALS)

    def compact(self) -> None:
        """Builds the index anew where posts were deleted, so that their vectors are gone too.

        usearch only marks what is removed.
        """
        if not self._has_traces:
            return
        for modality in MODALITIES:
            fresh = self._empty()
            for entry in self:
                if (vector := self.vector(entry.key, modality)) is not None:
                    fresh.add(entry.key, vector, threads=1)
            self.indexes[modality] = fresh
        self._has_traces = False

    def restore(self, entries: Iterable[Entry], indexes: dict[Modality, Index]) -> None:
        """Takes over the posts and vectors that another index had, as `store` read them."""
        self._entries = {entry.key: entry for entry in entries}
        self._by_age = [(one.created_at, key) for key, one in self._entries.items()]
        heapq.heapify(self._by_age)
        self._newest = max((one.created_at for one in self._entries.values()), default=-np.inf)
        self.indexes, self._has_traces = indexes, False

    def _empty(self) -> Index:
        return Index(ndim=self.width, metric="cos", dtype="f16")

    def _is_too_old(self, created_at: float) -> bool:
        return self.horizon_seconds is not None and created_at < self._newest - self.horizon_seconds

    def _forget_old(self) -> None:
        while self._by_age:
            created_at, key = self._by_age[0]
            entry = self._entries.get(key)
            stale = entry is None or entry.created_at != created_at
            full = len(self._entries) > self.capacity
            if not (stale or full or self._is_too_old(created_at)):
                break
            heapq.heappop(self._by_age)
            if not stale:
                self.forget(key)
        if len(self._by_age) > 2 * len(self._entries) + _SPARE:  # posts that came again, or went
            self._by_age = [(one.created_at, key) for key, one in self._entries.items()]
            heapq.heapify(self._by_age)


def _rank(match: Match) -> tuple[float, str, str]:
    return -match.similarity, match.entry.channel, match.entry.post_id
