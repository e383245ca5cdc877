"""Readings of a run as they come, from its folder or its topic, for whoever begins at the end."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from dashboards.live.follower import RewrittenError, Tail
from pipelines.run_folder import FILES
from pipelines.topic_reading import POLL_MS, Progress, keep_reading, readable
from schemas.records import Reading
from transforms.kafka.cluster import Cluster
from transforms.kafka.connection import find_partitions

LOG = logging.getLogger(__name__)
LAST_BYTES = 64 * 2**20  # of a folder's readings, some 40,000; what lies before is not read
GROUP = "moodwire-search"  # commits nothing: each start reads the newest


class Gone(NamedTuple):
    """A post that was erased."""

    channel: str
    post_id: str


class Readings(Protocol):
    """Where readings come from."""

    def read(self) -> Iterator[Reading | Gone]:
        """What came since the last look, without waiting; at first the newest there are.

        Raises:
            RewrittenError: what was read before is no more; the next look begins anew.
        """

    def is_current(self) -> bool:
        """Whether what was there at the first look has been read."""

    def close(self) -> None:
        """Stop reading."""


class FolderReadings:
    """`readings.jsonl` of a run folder. A file that is replaced is read anew, as is one cut."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILES["readings"]
        self._tail = Tail(self._path)
        self._file: int | None = None

    def read(self) -> Iterator[Reading | Gone]:
        """See `Readings`."""
        try:
            self._look()
            while lines := self._tail.read():
                for line in lines:
                    yield from readable(line, Reading)
        except FileNotFoundError:  # removed between two looks at it
            raise RewrittenError(self._path.name) from None
        except RewrittenError:
            self._tail.rewind()
            raise

    def is_current(self) -> bool:
        """A file is read faster than anybody asks."""
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _look(self) -> None:
        found = self._path.stat() if self._path.exists() else None
        before, self._file = self._file, found and found.st_ino
        if before is not None and self._file != before:
            raise RewrittenError(self._path.name)
        if found is not None and found.st_size - self._tail.offset > LAST_BYTES:
            self._tail.offset = found.st_size - LAST_BYTES  # amid a line, which is then no reading


class TopicReadings:
    """The newest messages of the topic of readings, read by a thread from the first look on.

    At most `most` wait to be taken; the older go.
    """

    def __init__(self, cluster: Cluster, topic: str, most: int) -> None:
        self._cluster, self._topic, self._most = cluster, topic, most
        self._waiting: deque[tuple[bytes | None, bytes | None]] = deque(maxlen=most)
        self._progress = Progress()
        self._has_read, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def read(self) -> Iterator[Reading | Gone]:
        """See `Readings`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="readings", daemon=True)
            self._thread.start()
        for _ in range(len(self._waiting)):
            key, value = self._waiting.popleft()
            yield from _gone(key) if value is None else readable(value, Reading)

    def is_current(self) -> bool:
        """Whether the end that the topic had at the first look is reached."""
        return self._has_read.is_set()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _read(self) -> None:
        keep_reading(self._cluster, GROUP, self._stop, self._begin, self._read_some)

    def _begin(self, consumer: Any) -> None:
        partitions = find_partitions(consumer, [self._topic])
        if not partitions:
            LOG.warning("there is no topic %s: no post can be found", self._topic)
            self._has_read.set()
            return self._stop.set()
        each = math.ceil(self._most / len(partitions))
        self._progress.go_on(consumer, partitions, lambda _, first, end: max(first, end - each))

    def _read_some(self, consumer: Any) -> None:
        for records in consumer.poll(timeout_ms=POLL_MS).values():
            self._waiting.extend((record.key, record.value) for record in records)
        self._progress.note(consumer)
        if self._progress.is_at_end:
            self._has_read.set()


def _gone(key: bytes | None) -> Iterator[Gone]:
    channel, bar, post_id = (key or b"").decode(errors="replace").partition("|")
    if bar:
        yield Gone(channel, post_id)
