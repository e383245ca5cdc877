"""The newest posts of a run in the joint space of text and image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from dashboards.live.follower import RewrittenError
from dashboards.live.searches import Answer, Found, Nearest
from models.content_cache import ContentCache, content_key
from models.retrieval.index import MODALITIES, Entry, Match, Modality, SlidingIndex, Vector, key_of
from models.retrieval.store import MANIFEST_FILE, read_manifest
from models.scorer import Embedding, ScoreInput, Scorer
from models.text_preparation import prepare_text
from pipelines.run_readings import Gone, Readings
from schemas.records import Exemplar, Reading
from transforms.samples import exemplar_of

SHOWN = 12
LOOKED_AT = 4 * SHOWN  # since many may say the same
REMEMBERED_WORDS = 64
POSTS_AT_ONCE = 8  # whoever asks meanwhile waits for as many
Rendition = Callable[[str], bytes | None]


class KnownPost(msgspec.Struct, frozen=True):
    """What is kept of a reading: what the page shows of it, its brands and its images."""

    exemplar: Exemplar
    brands: tuple[str, ...] = ()
    thumbnails: tuple[str, ...] = ()


class DeletedPosts:
    """Keys of the posts that `moodwire search --forget` deleted from the index in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int] | None = None
        self._keys: frozenset[int] = frozenset()

    def keys(self) -> frozenset[int]:
        """The keys as they are now.

        Raises:
            SearchError: the index cannot be used.
        """
        file = self._folder / MANIFEST_FILE
        stat = file.stat() if file.is_file() else None
        seen = stat and (stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            manifest = read_manifest(self._folder)
            self._keys = frozenset(manifest.forgotten if manifest else ())
            self._seen = seen
        return self._keys


class PlacedPosts:
    """Readings in; the posts nearest to words or to another post out. Any number of threads.

    At most `most` posts are kept, the newest by event time. They wait until `place_some` has let
    the model read them once more, which takes some 50 ms a post, the newest first; readings carry
    no vectors. What was deleted is in no answer from the next one on.
    """

    def __init__(
        self,
        scorer: Scorer,
        readings: Readings,
        rendition: Rendition,
        deleted: DeletedPosts,
        most: int,
    ) -> None:
        self._scorer, self._readings = scorer, readings
        self._rendition, self._deleted, self._most = rendition, deleted, most
        self._words: ContentCache[Vector] = ContentCache(REMEMBERED_WORDS)
        self._lock = threading.Lock()
        [probe] = scorer.embed([ScoreInput("a")])
        self._width = len(probe.text if probe.text is not None else ())
        self._start_over()

    def by_words(self, words: str) -> Answer | None:
        """The posts whose text and whose image lie nearest, apart: cosines cannot be compared.

        None for words that hold nothing that the model could read.

        Raises:
            SearchError: nobody can tell what was deleted.
        """
        vector = self._vector_of(words)
        if vector is None:
            return None
        with self._lock:
            self._take_in()
            found = {name: self._index.search(vector, name, LOOKED_AT) for name in MODALITIES}
            nearest = (Nearest(by=by, found=self._shown(found[by])) for by in MODALITIES)
            return self._answer(tuple(nearest))

    def by_likeness(self, channel: str, post_id: str, shown: Exemplar | None) -> Answer | None:
        """The posts nearest to one that is known or `shown`; None for any other.

        Raises:
            SearchError: nobody can tell what was deleted.
        """
        key = key_of(channel, post_id)
        with self._lock:
            self._take_in()
            post = self._placed.get(key) or self._waiting.get(key)
            own = {name: self._index.vector(key, name) for name in MODALITIES}
        if post is None and shown is not None:
            post = _shown_post(shown)
        if post is None:
            return None
        if not any(vector is not None for vector in own.values()):
            [at] = self._embed([post])
            own = {"text": at.text, "image": at.image}
        has: dict[Modality, Vector] = {n: vector for n, vector in own.items() if vector is not None}
        with self._lock:
            found = self._shown(self._index.near(has, LOOKED_AT, but=key)) if has else ()
            return self._answer((Nearest(by="post", found=found),), post.exemplar)

    def post(self, channel: str, post_id: str) -> Exemplar | None:
        """A post that can be found."""
        post = self._placed.get(key_of(channel, post_id))
        return None if post is None else post.exemplar

    def place_some(self) -> bool:
        """Take in what came and place a few; whether more wait.

        Raises:
            SearchError: nobody can tell what was deleted.
        """
        with self._lock:
            self._take_in()
            some = list(islice(reversed(self._waiting.items()), POSTS_AT_ONCE))
        if not some:
            return False
        places = self._embed([post for _, post in some])
        with self._lock:
            for (key, post), at in zip(some, places, strict=True):
                if self._waiting.get(key) is post:  # neither deleted nor told anew meanwhile
                    self._put(key, post, at)
            return bool(self._waiting)

    def _start_over(self) -> None:
        self._index = SlidingIndex(self._width, self._most)
        self._placed: dict[int, KnownPost] = {}
        self._waiting: dict[int, KnownPost] = {}

    def _take_in(self) -> None:
        deleted = self._deleted.keys()
        try:
            self._keep(self._readings.read(), deleted)
        except RewrittenError:
            self._start_over()
            self._keep(self._readings.read(), deleted)
        for key in deleted:
            self._forget(key)

    def _keep(self, news: Iterable[Reading | Gone], deleted: frozenset[int]) -> None:
        for one in news:
            key = key_of(one.channel, one.post_id)
            if isinstance(one, Gone):
                self._forget(key)
            elif key not in deleted:
                self._await(key, KnownPost(exemplar_of(one), one.brands, one.thumbnails))

    def _await(self, key: int, post: KnownPost) -> None:
        self._waiting.pop(key, None)
        if self._placed.get(key) == post:
            return  # told once more, as after a crash of the run
        self._waiting[key] = post
        if len(self._waiting) > self._most:
            del self._waiting[next(iter(self._waiting))]

    def _forget(self, key: int) -> None:
        self._index.forget(key)
        self._placed.pop(key, None)
        self._waiting.pop(key, None)

    def _put(self, key: int, post: KnownPost, at: Embedding) -> None:
        del self._waiting[key]
        if self._index.add(_entry(post.exemplar), at.text, at.image):
            self._placed[key] = post
        if len(self._placed) > len(self._index):
            self._placed = {key: one for key, one in self._placed.items() if key in self._index}

    def _embed(self, posts: Sequence[KnownPost]) -> list[Embedding]:
        seen = [self._seen(post) for post in posts]
        try:
            return self._scorer.embed(seen)
        except ValueError:  # a picture is damaged, and which is not said
            return self._scorer.embed([ScoreInput(one.text) for one in seen])

    def _seen(self, post: KnownPost) -> ScoreInput:
        images = (self._rendition(name) for name in post.thumbnails)
        text = prepare_text(post.exemplar.text)
        return ScoreInput(text, tuple(image for image in images if image is not None))

    def _vector_of(self, words: str) -> Vector | None:
        key = content_key(words.encode())
        vector = self._words.get(key)
        if vector is None:
            [at] = self._scorer.embed([ScoreInput(prepare_text(words))])
            if (vector := at.text) is not None:
                self._words.put(key, vector)
        return vector

    def _shown(self, matches: Iterable[Match]) -> tuple[Found, ...]:
        """The closest first; those that say and show the same are told once."""
        alike: dict[tuple[str, str | None], list[Match]] = {}
        for match in matches:
            alike.setdefault((match.entry.text, match.entry.thumbnail), []).append(match)
        return tuple(
            Found(
                post=self._placed[first.entry.key].exemplar,
                brands=self._placed[first.entry.key].brands,
                similarity=first.similarity,
                alike=len(others),
            )
            for first, *others in islice(alike.values(), SHOWN)
        )

    def _answer(self, nearest: tuple[Nearest, ...], like: Exemplar | None = None) -> Answer:
        return Answer(
            stage="ready" if self._placed or self._readings.is_current() else "loading",
            posts=len(self._placed),
            waiting=len(self._waiting),
            like=like,
            nearest=nearest,
        )


def _shown_post(post: Exemplar) -> KnownPost:
    """A post of the page, by its first image: of others it knows nothing."""
    return KnownPost(post, thumbnails=(post.thumbnail,) if post.thumbnail else ())


def _entry(post: Exemplar) -> Entry:
    return Entry(
        channel=post.channel,
        post_id=post.post_id,
        created_at=post.created_at.timestamp(),
        author="",  # of use to campaigns alone
        text=post.text,
        thumbnail=post.thumbnail,
    )
