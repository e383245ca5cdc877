"""A second model that reads some posts beside the one in use, and how far the two disagree."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Literal, Protocol

import msgspec

from models.labels import SENTIMENTS
from models.scorer import ScoreInput, Scorer

MICRO: Final = 1_000_000
LEAST_URGENT: Final = 19  # nice value
Cause = Literal["load", "score", "busy"]


class Mood(Protocol):
    """What two models may disagree about: scores or a reading."""

    @property
    def sentiment(self) -> dict[str, float]:
        """Probability of each sentiment."""

    @property
    def emotions(self) -> dict[str, float]:
        """Probability of each emotion."""

    @property
    def irony(self) -> float:
        """Probability."""

    @property
    def offence(self) -> float:
        """Probability."""

    @property
    def valence(self) -> float:
        """From -1 to 1."""


class Compared(msgspec.Struct, frozen=True):
    """A post as the shadow reads it, and what the model in use made of it."""

    read: ScoreInput
    mood: Mood


class Disagreement(msgspec.Struct):
    """How far two models are apart over some posts, as sums that ignore their order.

    Attributes:
        posts: posts that both read.
        differing: posts whose likeliest sentiment differs.
        differences: sums of |Δ| in millionths, of valence, irony, offence and each emotion.
        skipped: posts that the shadow did not read, by cause.
    """

    posts: int = 0
    differing: int = 0
    differences: Counter[str] = msgspec.field(default_factory=Counter)
    skipped: Counter[Cause] = msgspec.field(default_factory=Counter)

    def learn_one(self, live: Mood, other: Mood) -> None:
        """Add one post."""
        self.posts += 1
        self.differing += leading_sentiment(live) != leading_sentiment(other)
        for name in ("valence", "irony", "offence"):
            self.differences[name] += _apart(getattr(live, name), getattr(other, name))
        for emotion, probability in live.emotions.items():
            self.differences[emotion] += _apart(probability, other.emotions[emotion])

    def merge(self, other: Disagreement) -> None:
        """Add everything that `other` holds."""
        self.posts += other.posts
        self.differing += other.differing
        self.differences.update(other.differences)
        self.skipped.update(other.skipped)


def leading_sentiment(mood: Mood) -> str:
    """The likeliest sentiment; of several the first in the order of the labels."""
    return min(SENTIMENTS, key=lambda name: (-mood.sentiment[name], SENTIMENTS.index(name)))


def _apart(one: float, other: float) -> int:
    return abs(round(one * MICRO) - round(other * MICRO))


class ShadowModel:
    """Reads posts on a thread of its own and compares; it never raises.

    What it cannot read it counts as skipped: all posts where the checkpoint does not load (`load`),
    a batch that it fails at (`score`), and batches that come faster than it reads (`busy`).
    """

    def __init__(self, load: Callable[[], Scorer], backlog_posts: int = 512) -> None:
        self._load = load
        self._backlog_posts = backlog_posts
        self._lock = threading.Lock()
        self._waiting = 0
        self._found = Disagreement()
        self._scorer: Scorer | None = None
        self._broken = False
        self._batches: queue.SimpleQueue[tuple[Sequence[Compared], Future[Disagreement] | None]]
        self._batches = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def compare(self, posts: Sequence[Compared]) -> Disagreement:
        """Read `posts` and wait for what comes of it."""
        if not posts:
            return Disagreement()
        done: Future[Disagreement] = Future()
        self._put(posts, done)
        return done.result()

    def offer(self, posts: Sequence[Compared]) -> None:
        """Read `posts` when there is time for it, or skip them."""
        if not posts:
            return
        with self._lock:
            if self._waiting + len(posts) > self._backlog_posts:
                self._found.skipped["busy"] += len(posts)
                return
            self._waiting += len(posts)
        self._put(posts, None)

    def collect(self) -> Disagreement:
        """What came of offered posts since the last call."""
        with self._lock:
            found, self._found = self._found, Disagreement()
        return found

    def _put(self, posts: Sequence[Compared], done: Future[Disagreement] | None) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
                self._thread.start()
        self._batches.put((posts, done))

    def _work(self) -> None:
        _lower_priority()
        while True:
            posts, done = self._batches.get()
            found = self._compare(posts)
            if done is not None:
                done.set_result(found)
                continue
            with self._lock:
                self._waiting -= len(posts)
                self._found.merge(found)

    def _compare(self, posts: Sequence[Compared]) -> Disagreement:
        found = Disagreement()
        scorer = self._loaded()
        if scorer is None:
            found.skipped["load"] += len(posts)
            return found
        try:
            scores = scorer.score([post.read for post in posts])
        except Exception:  # a shadow breaks nothing: what it fails at is counted
            found.skipped["score"] += len(posts)
            return found
        for post, other in zip(posts, scores, strict=True):
            found.learn_one(post.mood, other)
        return found

    def _loaded(self) -> Scorer | None:
        if self._scorer is None and not self._broken:
            try:
                self._scorer = self._load()
            except Exception:  # counted with each post that it should have read
                self._broken = True
        return self._scorer


def _lower_priority() -> None:
    """Let the model in use have the cores first; on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST_URGENT)
