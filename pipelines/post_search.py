"""Search on the live page: nothing is loaded or read before somebody asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.live.searches import Answer, CannotSearchError
from models.checkpoint import DEFAULT_CHECKPOINT, CheckpointError
from models.model_pointer import named_folder
from models.retrieval.errors import SearchError
from pipelines.file_commands import INDEX_FOLDER
from pipelines.run_readings import Readings
from schemas.records import Exemplar

if TYPE_CHECKING:
    from pipelines.placed_posts import PlacedPosts, Rendition

LOG = logging.getLogger(__name__)
MOST_POSTS = 10_000
IDLE_SECONDS = 120.0
POLL_SECONDS = 1.0
NO_MODEL = "the model cannot be used; the log of whoever serves this page says why"
NO_LIST = "nobody can tell which posts were deleted; the log of whoever serves this page says why"


class PostSearch:
    """Finds posts among the newest of a run; a `dashboards.live.searches.Search`.

    At the first question a thread loads the model and begins to place posts, on one core. Two
    minutes after the last question it rests until the next.
    """

    def __init__(
        self,
        readings: Readings,
        rendition: Rendition,
        checkpoint: str | None = None,
        index_folder: str = INDEX_FOLDER,
        most: int = MOST_POSTS,
    ) -> None:
        self._readings, self._rendition, self._most = readings, rendition, most
        self._checkpoint, self._index_folder = checkpoint, Path(index_folder)
        self._posts: PlacedPosts | None = None
        self._failure: str | None = None
        self._asked_at = 0.0
        self._thread: threading.Thread | None = None
        self._waking, self._stop = threading.Lock(), threading.Event()

    def words(self, words: str) -> Answer | None:
        """See `dashboards.live.searches.Search`."""
        return self._ask(lambda posts: posts.by_words(words), Answer(stage="loading"))

    def like(self, channel: str, post_id: str, shown: Exemplar | None) -> Answer | None:
        """See `dashboards.live.searches.Search`."""
        loading = Answer(stage="loading", like=shown)
        return self._ask(lambda posts: posts.by_likeness(channel, post_id, shown), loading)

    def post(self, channel: str, post_id: str) -> Exemplar | None:
        """See `dashboards.live.searches.Search`."""
        return None if self._posts is None else self._posts.post(channel, post_id)

    def close(self) -> None:
        """Stop reading and placing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)
        self._readings.close()

    def _ask(
        self, question: Callable[[PlacedPosts], Answer | None], loading: Answer
    ) -> Answer | None:
        failure, self._failure = self._failure, None  # told once; the next question tries again
        if failure is not None:
            raise CannotSearchError(failure)
        self._wake()
        if self._posts is None:
            return loading
        try:
            return question(self._posts)
        except SearchError as error:
            LOG.warning("search: %s", error)
            raise CannotSearchError(NO_LIST) from error

    def _wake(self) -> None:
        self._asked_at = time.monotonic()
        with self._waking:
            if self._stop.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._work, name="search", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            posts = self._posts = self._posts or self._load()
            while not self._stop.is_set() and time.monotonic() - self._asked_at < IDLE_SECONDS:
                if not posts.place_some():
                    self._stop.wait(POLL_SECONDS)
        except CheckpointError as error:
            LOG.warning("search: %s", error)
            self._failure = NO_MODEL
        except SearchError:
            return  # whoever asks next is told

    def _load(self) -> PlacedPosts:
        from models.scorer import Scorer  # with all that scores: memory that a page can spare
        from pipelines.placed_posts import DeletedPosts, PlacedPosts

        scorer = Scorer.load(named_folder(self._checkpoint or DEFAULT_CHECKPOINT), threads=1)
        deleted = DeletedPosts(self._index_folder)
        return PlacedPosts(scorer, self._readings, self._rendition, deleted, self._most)
