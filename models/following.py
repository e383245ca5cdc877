"""A scorer that follows a pointer: another checkpoint is loaded beside it and takes over whole."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from models.checkpoint import CheckpointError
from models.engines.choose import AUTO
from models.model_pointer import named_folder, named_folders
from models.scorer import ScoreInput, Scorer, Scores

Load = Callable[[Path], Scorer]


@dataclass(frozen=True)
class Loading:
    """How a worker loads checkpoints; equal ones share their models."""

    threads: int | None = None
    engine: str = AUTO
    precision: str = AUTO

    def __call__(self, folder: Path) -> Scorer:
        """The scorer of a folder.

        Raises:
            CheckpointError: the folder cannot be used.
        """
        return Scorer.load(folder, self.threads, engine=self.engine, precision=self.precision)


MOST_DOUBLINGS: Final = 6  # a refused folder is tried again after 2, 4 … 64 times the usual wait
PROBES: Final = (ScoreInput("what a lovely day"), ScoreInput(""), ScoreInput("it broke again 😡"))


class Swapped(NamedTuple):
    """Another checkpoint took over."""

    model: str


class Refused(NamedTuple):
    """A checkpoint was not taken. `cause` is one of few, `detail` is for people."""

    cause: str
    detail: str


class UnfitModelError(CheckpointError):
    """A checkpoint loads, but what it scores is no mood."""


def check_scores(scorer: Scorer) -> None:
    """Let `scorer` read some lines.

    Raises:
        UnfitModelError: a probability is none, or the sentiments do not sum to one.
    """
    for scores in scorer.score(PROBES):
        total = math.fsum(scores.sentiment.values())
        values = (*scores.sentiment.values(), *scores.emotions.values(), scores.irony)
        if not all(0 <= value <= 1 for value in values) or abs(total - 1) > 1e-3:
            raise UnfitModelError(
                f"{scorer.model} scores {scores.sentiment} for a probe; its weights are damaged "
                "or its training went wrong: train or copy it again"
            )


class FollowingScorer:
    """Scores with the checkpoint that `path` names, and with another one once it names that.

    A bundle starts with `pin` and ends with `unpin`; in between its thread scores with one model,
    whatever is swapped meanwhile. At a pin, at most every `refresh_seconds`, the pointer is looked
    at; a new folder is loaded and probed on a thread of its own while the old model goes on, and
    the first pin after that takes it. A folder that cannot be used is refused and tried again ever
    more rarely. At the start, where there is no old model, an earlier folder of the pointer file
    stands in for a broken one.
    """

    def __init__(
        self,
        path: str | Path,
        load: Load,
        refresh_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Loads the checkpoint; `refresh_seconds` of 0 keeps it for good.

        Raises:
            CheckpointError: no folder that `path` names can be used.
        """
        self._path, self._load, self._clock = path, load, clock
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._pinned = threading.local()
        self._events: list[Swapped | Refused] = []
        self._ready: tuple[Path, Scorer] | None = None
        self._loading: threading.Thread | None = None
        self._failures = 0
        self._folder, self._scorer = self._first()
        self._due = self._clock() + refresh_seconds

    @property
    def score(self) -> Callable[[Sequence[ScoreInput]], list[Scores]]:
        """`score` of the model that the calling thread pinned, else of the newest.

        Looked up where it is named: a thread may hand it to another one and means its own model.
        """
        return self._mine.score

    @property
    def model(self) -> str:
        """Version of the model that `score` uses."""
        return self._mine.model

    @property
    def folder(self) -> Path:
        """The folder in use."""
        return self._folder

    def take_remembered(self) -> int:
        """How many posts that model answered from memory since this was last asked."""
        return self._mine.take_remembered()

    def pin(self) -> list[Swapped | Refused]:
        """Take the newest model for this thread, and look for another one if it is time.

        Returns:
            What happened since the last pin of any thread.
        """
        with self._lock:
            self._adopt()
            if self._refresh_seconds and not self._loading and self._clock() >= self._due:
                self._look()
            events, self._events = self._events, []
            self._pinned.scorer = self._scorer
        return events

    def unpin(self) -> None:
        """Let this thread's model go, so that an old one is freed once its last bundle ends."""
        self._pinned.scorer = None

    def join(self, timeout: float | None = None) -> None:
        """Wait for a load that goes on."""
        if (loading := self._loading) is not None:
            loading.join(timeout)

    @property
    def _mine(self) -> Scorer:
        return getattr(self._pinned, "scorer", None) or self._scorer

    def _first(self) -> tuple[Path, Scorer]:
        *earlier, last = named_folders(self._path)
        for folder in earlier:
            try:
                return folder, self._load(folder)
            except CheckpointError as error:
                self._events.append(Refused("load", str(error)))
        return last, self._load(last)

    def _adopt(self) -> None:
        if self._ready is None:
            return
        self._folder, self._scorer = self._ready
        self._ready = None
        self._events.append(Swapped(self._scorer.model))

    def _look(self) -> None:
        """Start to load what the pointer names, unless that is in use."""
        self._due = self._clock() + self._refresh_seconds * 2**self._failures
        try:
            folder = named_folder(self._path)
        except CheckpointError as error:
            self._refuse("pointer", error)
            return
        if folder == self._folder:
            self._failures = 0
            return
        self._loading = threading.Thread(
            target=self._load_aside, args=(folder,), name="model-load", daemon=True
        )
        self._loading.start()

    def _load_aside(self, folder: Path) -> None:
        cause, ready, failure = "load", None, None
        try:
            scorer = self._load(folder)
            cause = "scores"
            check_scores(scorer)
            ready = folder, scorer
        except Exception as error:  # whatever is wrong with a folder, the old model goes on
            failure = error
        with self._lock:
            self._loading = None
            self._ready = ready
            if failure is None:
                self._failures = 0
            else:
                self._refuse(cause, failure)

    def _refuse(self, cause: str, error: Exception) -> None:
        self._failures = min(self._failures + 1, MOST_DOUBLINGS)
        self._due = self._clock() + self._refresh_seconds * 2**self._failures
        self._events.append(Refused(cause, f"{type(error).__name__}: {error}"))


Kept = TypeVar("Kept")


class OnePerProcess:
    """Things too large to hold twice, shared by the threads of a process while one uses them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: WeakValueDictionary[object, object] = WeakValueDictionary()

    def get(self, key: object, make: Callable[[], Kept]) -> Kept:
        """What was made for `key` and is still in use, else a new one."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                kept = make()
                self._kept[key] = kept
            return kept  # type: ignore[return-value]  # a key has one maker


_FOLLOWING: Final = OnePerProcess()


def follow(path: str, loading: Loading, refresh_seconds: float) -> FollowingScorer:
    """The process's one scorer that follows `path`.

    Raises:
        CheckpointError: no folder that `path` names can be used.
    """
    return _FOLLOWING.get(
        (path, loading, refresh_seconds), lambda: FollowingScorer(path, loading, refresh_seconds)
    )
