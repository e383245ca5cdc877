"""Stage: ingest. Deliveries from JSON-lines files, in event time, as fast or as slow as wanted."""

from __future__ import annotations

import gzip
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

import apache_beam as beam
import msgspec
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Duration, Timestamp

from schemas.metrics import POSTS_READ, WATERMARK
from schemas.records import Delivery, Position
from transforms.counters import counter, gauge
from transforms.kafka.times import to_timestamp
from transforms.watermark import BoundedDisorder

EventTimeOf = Callable[[bytes, str | None], float | None]

LINES_PER_BUNDLE = 500
PAUSE_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 86_400.0  # in event time, between two lines
SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")


class NoInputError(ValueError):
    """There is no readable input where the settings say there is."""


class Line(NamedTuple):
    """One line of one file: its place and its bytes, without the newline."""

    path: str
    number: int
    value: bytes


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    channel: str
    payload: msgspec.Raw


def find_files(path: str | Path) -> tuple[str, ...]:
    """The JSON-lines files at `path`, a file or a folder, in name order.

    Raises:
        NoInputError: nothing is there, or the folder holds no JSON-lines file.
    """
    place = Path(path)
    if place.is_file():
        return (str(place),)
    found = sorted(str(f) for f in place.glob("*") if f.name.endswith(SUFFIXES))
    if not found:
        raise NoInputError(
            f"source.path: no {', '.join(SUFFIXES)} at {place}. Give a JSON-lines file or a folder"
        )
    return tuple(found)


def read_lines(files: tuple[str, ...]) -> Iterator[Line]:
    """Every line of `files`, one file after the other; blank lines are lines too.

    Raises:
        NoInputError: a compressed file is damaged.
    """
    for path in files:
        try:
            with _open(path) as stream:
                for number, line in enumerate(stream):
                    yield Line(path, number, line.rstrip(b"\r\n"))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise NoInputError(f"{path}: is no whole gzip file ({error}); copy it again") from error


def _open(path: str) -> IO[bytes]:
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")  # type: ignore[return-value]


def unwrap(value: bytes, channel: str | None) -> tuple[bytes, str | None]:
    """The payload and channel of `{"channel": …, "payload": …}`; any other line as it stands."""
    if b'"payload"' not in value:
        return value, channel
    try:
        envelope = msgspec.json.decode(value, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return value, channel
    payload = bytes(envelope.payload)
    if payload.startswith(b'"'):  # a payload that is not JSON itself travels as a string
        payload = msgspec.json.decode(payload, type=str).encode("utf-8", "surrogatepass")
    return payload, envelope.channel


def deliver(line: Line, channel: str | None, event_time_of: EventTimeOf) -> Delivery:
    """The delivery of one line, its media paths starting from the folder of its file."""
    value, named = unwrap(line.value, channel)
    return Delivery(
        value=value,
        position=Position(line.path, 0, line.number),
        channel=named,
        event_time=event_time_of(value, named),
        root=str(Path(line.path).parent),
    )


class _Cursor:
    """An open place in the files, kept between bundles so that a resumed read does not seek."""

    def __init__(self, files: tuple[str, ...], start: int) -> None:
        self.lines = read_lines(files)
        for _ in range(start):
            next(self.lines, None)
        self.next = start
        self.peeked: Line | None = None

    def peek(self) -> Line | None:
        if self.peeked is None:
            self.peeked = next(self.lines, None)
        return self.peeked

    def advance(self) -> None:
        self.peeked = None
        self.next += 1


class Pace:
    """Says how long to wait so that event time runs `speed` times as fast as the clock.

    A leap of more than a day, on or back, is not waited for: one line of another year would hold
    up all that follow.
    """

    def __init__(self, speed: float | None) -> None:
        self.speed = speed
        self.anchor: tuple[float, float] | None = None
        self._last = math.nan

    def wait_seconds(self, event_time: float | None, clock: float) -> float:
        """How long after `clock` a line of that time is due; negative where it is overdue."""
        if self.speed is None or event_time is None:
            return 0.0
        if self.anchor is None or abs(event_time - self._last) > LONGEST_WAIT_SECONDS:
            self.anchor = (clock, event_time)
        self._last = event_time
        started, first = self.anchor
        return (event_time - first) / self.speed - (clock - started)


class _LineTracker(OffsetRestrictionTracker):
    """Line offsets of unknown end: may stop and go on later, is never cut in two."""

    def try_split(self, fraction_of_remainder: float) -> Any:
        return super().try_split(0) if fraction_of_remainder == 0 else None  # type: ignore[no-untyped-call]


class _LineRestrictions(RestrictionProvider):
    def initial_restriction(self, element: tuple[str, ...]) -> OffsetRange:
        return OffsetRange(0, sys.maxsize)

    def create_tracker(self, restriction: OffsetRange) -> _LineTracker:
        return _LineTracker(restriction)

    def restriction_size(self, element: tuple[str, ...], restriction: OffsetRange) -> int:
        return 1

    def truncate(self, element: tuple[str, ...], restriction: OffsetRange) -> None:
        return None


class _Watermarks(WatermarkEstimatorProvider):
    """The watermark is the estimator's whole state, so a resumed read goes on where it was."""

    def initial_estimator_state(
        self, element: tuple[str, ...], restriction: OffsetRange
    ) -> Timestamp:
        return MIN_TIMESTAMP

    def create_watermark_estimator(self, state: Timestamp) -> ManualWatermarkEstimator:
        return ManualWatermarkEstimator(state)

    def estimator_state_coder(self) -> beam.coders.Coder:
        return beam.coders.TimestampCoder()


class _ReadLines(beam.DoFn):
    """Reads lines in order from one restriction, stopping often so that results flow."""

    def __init__(self, wanted: ReadFiles) -> None:
        self.channel = wanted.channel
        self.speed = wanted.speed
        self.disorder_seconds = wanted.disorder_seconds
        self.allowed_lateness_seconds = wanted.allowed_lateness_seconds
        self.event_time_of = wanted.event_time_of
        self.lines_per_bundle = wanted.lines_per_bundle

    def setup(self) -> None:
        self.cursor: _Cursor | None = None
        self.pace = Pace(self.speed)

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: tuple[str, ...],
        tracker: Any = beam.DoFn.RestrictionParam(_LineRestrictions()),
        watermarks: Any = beam.DoFn.WatermarkEstimatorParam(_Watermarks()),
    ) -> Iterator[TimestampedValue]:
        cursor = self._cursor_at(element, tracker.current_restriction().start)
        seen = self._seen_up_to(watermarks.current_watermark())
        for _ in range(self.lines_per_bundle):
            line = cursor.peek()
            if line is None:
                tracker.try_claim(sys.maxsize)
                return
            delivery = deliver(line, self.channel, self.event_time_of)
            wait = self.pace.wait_seconds(delivery.event_time, time.monotonic())
            if wait > 0:
                tracker.defer_remainder(Duration(max(wait, PAUSE_SECONDS)))
                return
            if not tracker.try_claim(cursor.next):
                return
            cursor.advance()
            yield self._stamp(delivery, seen)
            _advance(watermarks, seen)
        tracker.defer_remainder()

    def _seen_up_to(self, watermark: Timestamp) -> BoundedDisorder:
        newest = _seconds(watermark) + self.disorder_seconds
        return BoundedDisorder(self.disorder_seconds, newest)

    def _cursor_at(self, files: tuple[str, ...], start: int) -> _Cursor:
        if self.cursor is None or self.cursor.next != start:
            self.cursor = _Cursor(files, start)
        return self.cursor

    def _stamp(self, delivery: Delivery, seen: BoundedDisorder) -> TimestampedValue:
        counter(POSTS_READ).inc()
        if seen.is_too_late(delivery.event_time, self.allowed_lateness_seconds):
            delivery = msgspec.structs.replace(delivery, too_late=True)
        if delivery.event_time is None or delivery.too_late:
            return TimestampedValue(delivery, to_timestamp(seen.watermark))
        seen.observe(delivery.event_time)
        return TimestampedValue(delivery, Timestamp(delivery.event_time))


def _seconds(timestamp: Timestamp) -> float:
    return -math.inf if timestamp == MIN_TIMESTAMP else timestamp.micros / 1e6


def _advance(watermarks: Any, seen: BoundedDisorder) -> None:
    watermark = to_timestamp(seen.watermark)
    if watermark > watermarks.current_watermark():
        watermarks.set_watermark(watermark)
        gauge(WATERMARK).set(int(seen.watermark))


@dataclass
class ReadFiles(beam.PTransform):
    """JSON-lines files in; deliveries in event time out, each line exactly once.

    One restriction holds the place in all files, so the runner's checkpoint resumes it. The
    watermark follows the highest event time less `disorder_seconds`; a post behind it by more than
    `allowed_lateness_seconds` is marked `too_late`, never dropped. With `speed`, event time runs
    that many times as fast as the clock.

    A bundle ends after `lines_per_bundle`, so that results flow. A runner that does not stream
    must get all lines in one: FnApiRunner 2.77 lets the watermark run ahead of what was deferred.
    """

    path: str
    event_time_of: EventTimeOf
    channel: str | None = None
    speed: float | None = None
    disorder_seconds: float = 60.0
    allowed_lateness_seconds: float = 3600.0
    lines_per_bundle: int = LINES_PER_BUNDLE
    files: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        super().__init__()
        self.files = find_files(self.path)

    def expand(self, pbegin: PBegin) -> PCollection[Delivery]:
        """Wire the reader behind one element that names all files."""
        return (
            pbegin
            | "NameFiles" >> beam.Create([self.files], reshuffle=False)
            | "ReadLines" >> beam.ParDo(_ReadLines(self)).with_output_types(Delivery)
        )
