"""Where the facts of a digest come from: a run folder, or the topics that a run publishes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from pipelines.digest.days import day_of, weeks_days, zone_of
from pipelines.digest.facts import Digest, Frame, Gathered, compose
from pipelines.feedback import FEEDBACK_TOPIC
from pipelines.run_folder import FEEDBACK_FILE, RunFolder, count_causes
from pipelines.settings import KafkaSink
from pipelines.sinks import TOPICS
from pipelines.topic_reading import read_until_now
from schemas.records import (
    UNREADABLE,
    Alert,
    AlertFeedback,
    Record,
    Rollup,
    Slice,
    Trend,
    decode,
)
from transforms.kafka.producers import require_topic

GROUP = "moodwire-digest"  # commits nothing
KINDS: dict[str, type[Record]] = {
    "trends": Trend,
    "rollups": Rollup,
    "alerts": Alert,
    "feedback": AlertFeedback,
}
OF_WINDOWS = ("trends", "rollups")
AHEAD = timedelta(days=1)  # no window is written so long before it begins


class Value(NamedTuple):
    """The bytes of a record, and which of `KINDS` it is."""

    kind: str
    value: bytes


class Source(Protocol):
    """Records that are there now."""

    def read(self, since: datetime) -> Iterator[Value]:
        """Every trend, roll-up, alert and feedback, in the order of writing of each kind.

        Of windows only those that begin at `since` or later are promised.

        Raises:
            OSError: they cannot be read now.
            KafkaSettingsError: a topic is missing.
        """

    def dead_letters(self) -> dict[str, int] | None:
        """How many posts were refused, by stage and cause; None where that is not known."""


@dataclass(frozen=True)
class FolderSource:
    """A run folder."""

    path: Path

    def read(self, since: datetime) -> Iterator[Value]:
        """What the files hold."""
        folder = RunFolder(self.path)
        files = {
            **{kind: folder.file(kind) for kind in OF_WINDOWS},
            "alerts": folder.file("alerts"),
            "feedback": self.path / FEEDBACK_FILE,
        }
        for kind, file in files.items():
            if file.exists():
                with file.open("rb") as lines:
                    yield from (Value(kind, line) for line in lines)

    def dead_letters(self) -> dict[str, int] | None:
        """Of the whole run: a dead letter has no time."""
        causes = count_causes(RunFolder(self.path).file("rejections"))
        return {f"{stage}/{cause}": count for (stage, cause), count in causes.items()}


@dataclass(frozen=True)
class TopicSource:
    """The topics `trends`, `rollups`, `alerts` and `alert-feedback`."""

    sink: KafkaSink

    def read(self, since: datetime) -> Iterator[Value]:
        """What they hold until now; a record that was deleted is left out.

        Alerts are read from their beginning, windows from the offset of the time `since`: they are
        written when posts of them have been read, which is not before.
        """
        prefix, cluster = self.sink.topic_prefix, self.sink.cluster
        kinds = {f"{prefix}{TOPICS[kind]}": kind for kind in ("trends", "alerts")}
        for topic in kinds:
            require_topic(cluster, topic)
        kinds[f"{prefix}{TOPICS['rollups']}"] = "rollups"  # an older stack lacks it
        kinds[f"{prefix}{FEEDBACK_TOPIC}"] = "feedback"
        starts = {topic: since - AHEAD for topic, kind in kinds.items() if kind in OF_WINDOWS}
        with closing(read_until_now(cluster, GROUP, kinds, starts)) as records:
            for topic, value in records:
                if value is not None:
                    yield Value(kinds[topic], value)

    def dead_letters(self) -> dict[str, int] | None:
        """Not known: that topic forgets."""
        return None


class _Head(msgspec.Struct):
    """What says whether a trend is wanted, without reading the rest of it."""

    brand: str
    slice: Slice
    window_start: datetime


@dataclass(frozen=True)
class Reader:
    """Makes digests of what a source holds.

    Attributes:
        source: where the records are.
        brands: whom digests are about; every brand that has windows where none is named.
        frame: what is the same in every digest.
    """

    source: Source
    brands: tuple[str, ...]
    frame: Frame

    def digest(self, day: date) -> Digest:
        """The digest of a day, as far as it is known now."""
        return self.look(day)[0]

    def look(self, day: date) -> tuple[Digest, tuple[datetime, datetime] | None]:
        """The digest of a day, and when the first and the last window of all days begin."""
        zone = zone_of(self.frame.timezone)
        whole = day_of(day, zone)
        since = next(weeks_days(whole, zone)).since
        gathered, starts = Gathered(), list[datetime]()

        def is_wanted(head: _Head) -> bool:
            named = not self.brands or head.brand in self.brands
            if not named or head.slice != Slice():
                return False
            starts[:] = [min([*starts, head.window_start]), max([*starts, head.window_start])]
            return since <= head.window_start < whole.until

        for record in _records(self.source.read(since), is_wanted):
            gathered.add(record)
        brands = self.brands or tuple(sorted(gathered.windows))
        digest = compose(gathered, brands, day, self.frame, self.source.dead_letters())
        return digest, (starts[0], starts[-1]) if starts else None


def _records(
    values: Iterable[Value], is_wanted: Callable[[_Head], bool]
) -> Iterator[Trend | Alert | AlertFeedback]:
    """The records that are wanted; what is none is passed over, the page counts and shows it."""
    head = msgspec.json.Decoder(_Head)
    for kind, value in values:
        try:
            if kind not in OF_WINDOWS or is_wanted(head.decode(value)):
                yield decode(value, KINDS[kind])  # type: ignore[misc]
        except UNREADABLE:
            continue
