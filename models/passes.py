"""Brings posts into the passes of an engine, and what it says back into the order of the posts."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.content_cache import ContentCache, content_key
from models.engines.engine import Engine, Floats, Halves
from models.images import to_pixels
from models.text_tokenizer import TextTokenizer

# Where passes have several rows they have these lengths and no others, whatever the batch: a
# post's length follows from its own tokens, and short groups are filled up with empty rows.
# Kernels then take the same path for a post each time, so live and replay agree to the last bit.
TOKEN_BUCKETS: Final = (16, 24, 32, 48, 64, 96, 128, 256, 512)
_IMAGES_AT_ONCE: Final = 64  # decoded and waiting: 10 MB
_TURN: Final = 8  # passes between which a thread does not stop to hand over

Member = TypeVar("Member")
Given = TypeVar("Given")
Said = TypeVar("Said")
Number = TypeVar("Number", np.float16, np.uint8)


class Post(Protocol):
    """A post as the model reads it, `models.scorer.ScoreInput`."""

    @property
    def text(self) -> str:
        """Prepared text; empty: none."""

    @property
    def images(self) -> tuple[bytes, ...]:
        """Renditions."""


class Mood(NamedTuple):
    """One row of `models.engines.engine.Moods`."""

    logits: dict[str, Floats]
    alphas: Floats
    text_joint: Floats
    image_joint: Floats | None


class Passes:
    """Reads posts with an engine; posts of many callers share its threads.

    Texts are tokenised by the calling thread. An image is decoded by the thread that reads it next;
    for an engine of several rows by threads of their own, before its turn. Guarantee: a post's mood
    is the same bits in any company and order, and whether or not its image was seen before.
    """

    def __init__(self, engine: Engine, tokenizer: TextTokenizer, cached_images: int) -> None:
        self._engine, self._tokenizer = engine, tokenizer
        self._features: ContentCache[Halves] = ContentCache(cached_images)
        self._workers = ThreadPoolExecutor(engine.workers, thread_name_prefix="model")
        cores = len(os.sched_getaffinity(0))
        self._decoders = ThreadPoolExecutor(cores, thread_name_prefix="decode")
        limit = tokenizer.max_tokens
        self._lengths = [*(size for size in TOKEN_BUCKETS if size < limit), limit]

    def read(self, items: Sequence[Post]) -> list[Mood]:
        """The mood of each post, in the order given.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        ids = self._tokenizer([item.text for item in items])
        features = self._image_features(items)
        moods: dict[int, Mood] = {}
        groups = list(self._groups(items, ids))
        read = self._in_turns(lambda group: self._pass(items, ids, features, *group), groups)
        for (_, members), found in zip(groups, read, strict=True):
            moods.update(zip(members, found, strict=True))
        return [moods[index] for index in range(len(items))]

    def _groups(
        self, items: Sequence[Post], ids: list[list[int]]
    ) -> Iterator[tuple[int, list[int]]]:
        """Length and posts of each pass; those of one pass all have images, or none has."""
        groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for index, (item, tokens) in enumerate(zip(items, ids, strict=True)):
            groups[self._length(len(tokens)), bool(item.images)].append(index)
        for (length, _), members in groups.items():
            for part in _cut(members, self._engine.rows):
                yield length, part

    def _length(self, tokens: int) -> int:
        if self._engine.rows == 1:
            return tokens
        return next(size for size in self._lengths if size >= tokens)

    def _pass(
        self,
        items: Sequence[Post],
        ids: list[list[int]],
        features: dict[bytes, Halves],
        length: int,
        members: list[int],
    ) -> list[Mood]:
        rows = self._engine.rows
        token_ids = np.zeros((rows, length), np.int64)
        mask = np.zeros((rows, length), np.bool_)
        mask[:, 0] = True
        for row, index in enumerate(members):
            token_ids[row, : len(ids[index])] = ids[index]
            mask[row, : len(ids[index])] = True
        tokens = self._engine.read_texts(token_ids, mask)
        patches = None
        if items[members[0]].images:
            seen = [_average(items[index].images, features) for index in members]
            patches = _filled(seen, rows)
            mask[: len(members)] &= np.array([[bool(items[index].text)] for index in members])
        moods = self._engine.fuse(tokens, mask, patches)
        joint = moods.image_joint
        return [
            Mood(
                {head: logits[row] for head, logits in moods.logits.items()},
                moods.alphas[row],
                moods.text_joint[row],
                None if joint is None else joint[row],
            )
            for row in range(len(members))
        ]

    def _image_features(self, items: Sequence[Post]) -> dict[bytes, Halves]:
        """Patch features of every image, by the image's bytes: (patches, width)."""
        found: dict[bytes, Halves] = {}
        missing: dict[bytes, bytes] = {}
        for image in {image: None for item in items for image in item.images}:
            key = content_key(image)
            cached = self._features.get(key)
            if cached is None:
                missing[key] = image
            else:
                found[image] = cached
        for keys in _cut(list(missing), _IMAGES_AT_ONCE):
            read = self._encode([missing[key] for key in keys])
            for key, features in zip(keys, read, strict=True):
                found[missing[key]] = features
                self._features.put(key, features)
        return found

    def _encode(self, images: list[bytes]) -> list[Halves]:
        rows, read = self._engine.rows, self._engine.read_images
        if rows == 1:
            return list(self._in_turns(lambda one: read(to_pixels(one)[np.newaxis])[0], images))
        pixels = list(self._decoders.map(to_pixels, images))
        passes = self._in_turns(lambda some: read(_filled(some, rows)), list(_cut(pixels, rows)))
        return [features for found in passes for features in found][: len(images)]

    def _in_turns(self, read: Callable[[Given], Said], passes: list[Given]) -> Iterator[Said]:
        """Passes by the engine's threads; each takes a few at a time while there are many."""
        turn = min(_TURN, len(passes) // (4 * self._engine.workers))
        turns = _cut(passes, max(turn, 1))
        for said in self._workers.map(lambda some: [read(one) for one in some], turns):
            yield from said


def _average(images: tuple[bytes, ...], features: dict[bytes, Halves]) -> Halves:
    """Patch features of a post's images, averaged: (patches, width)."""
    if len(images) == 1:
        return features[images[0]]
    mean = np.stack([features[image] for image in images]).mean(axis=0, dtype=np.float32)
    return np.asarray(mean, np.float16)


def _filled(values: Sequence[NDArray[Number]], rows: int) -> NDArray[Number]:
    """One array, with empty rows up to `rows` of them; a single row is not copied."""
    if rows == 1:
        return values[0][np.newaxis]
    filled = np.zeros((rows, *values[0].shape), values[0].dtype)
    filled[: len(values)] = values
    return filled


def _cut(members: list[Member], size: int) -> Iterator[list[Member]]:
    return (members[start : start + size] for start in range(0, len(members), size))
