"""Where reading starts and stops, as people write it: a word, a time, or offsets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from transforms.kafka.cluster import KafkaSettingsError

if TYPE_CHECKING:  # settings are read without Beam, which offsets need
    from transforms.kafka.offsets import Offsets, Partition

StartWord = Literal["committed", "earliest", "latest"]
StopWord = Literal["end"]
GivenOffsets = Mapping[str, Mapping[int, int]]  # topic: {partition: offset}
Start = StartWord | datetime | GivenOffsets
Stop = StopWord | datetime | GivenOffsets | None
TIME_FORM = "an ISO-8601 time with its zone, such as 2026-11-01T08:00:00Z"
OFFSETS_FORM = "offsets such as {posts: {0: 1200, 1: 1180}}"


def parse_start(value: Any, setting: str) -> Start:
    """Where reading starts, from a word, a time (also as text) or offsets.

    >>> parse_start("2026-11-01T08:00:00Z", "start").isoformat()
    '2026-11-01T08:00:00+00:00'

    Raises:
        KafkaSettingsError: it is none of them; the message names the setting and what it takes.
    """
    return _parse(value, setting, get_args(StartWord))


def parse_stop(value: Any, setting: str) -> Stop:
    """Where reading stops, from a word, a time (also as text) or offsets; None is nowhere.

    Raises:
        KafkaSettingsError: it is none of them; the message names the setting and what it takes.
    """
    return None if value is None else _parse(value, setting, get_args(StopWord))


def _parse(value: Any, setting: str, words: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return _parse_offsets(value, setting)
    moment = _time_of(value) if isinstance(value, str) and value not in words else value
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment
    if isinstance(moment, str):
        return moment
    choices = ", ".join([*words, TIME_FORM]) + f", or {OFFSETS_FORM}"
    raise KafkaSettingsError(f"{setting}: {str(value)!r} is none of {choices}")


def _time_of(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _parse_offsets(value: Mapping[Any, Any], setting: str) -> GivenOffsets:
    for topic, offsets in value.items():
        if not isinstance(topic, str) or not isinstance(offsets, Mapping):
            raise KafkaSettingsError(f"{setting}: {topic!r} must be a topic with {OFFSETS_FORM}")
        for number, offset in offsets.items():
            if not _is_count(number) or not _is_count(offset):
                raise KafkaSettingsError(
                    f"{setting}: {topic}/{number}: {offset!r} is no offset of a partition; "
                    f"give {OFFSETS_FORM}"
                )
    return {topic: dict(offsets) for topic, offsets in value.items()}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def check_stop_has_passed(stop: Stop, now: datetime, setting: str) -> None:
    """Fail for a stop that lies ahead: what will be there by then cannot be known now.

    Raises:
        KafkaSettingsError: it lies ahead.
    """
    if isinstance(stop, datetime) and stop > now:
        raise KafkaSettingsError(
            f"{setting}: {stop.isoformat()} lies ahead. A bounded run reads what is there already: "
            "choose an earlier time, or `end` for all that is there at the start"
        )


def pick_offsets(
    given: GivenOffsets, earliest: Offsets, latest: Offsets, setting: str
) -> dict[Partition, int]:
    """The offsets of `given`, which must name exactly the partitions that are there.

    Raises:
        KafkaSettingsError: a partition is missing, unknown, or its offset is out of range.
    """
    offsets = {(t, n): offset for t, some in given.items() for n, offset in some.items()}
    _refuse(setting, earliest.keys() - offsets.keys(), "has no offset. Name every partition")
    _refuse(setting, offsets.keys() - earliest.keys(), "is not read. Remove it or correct it")
    for (topic, number), offset in sorted(offsets.items()):
        first, last = earliest[topic, number], latest[topic, number]
        if not first <= offset <= last:
            raise KafkaSettingsError(
                f"{setting}: {topic}/{number} holds the offsets {first} to {last}, {offset} is out "
                "of range. Choose one of them"
            )
    return offsets


def _refuse(setting: str, partitions: set[Partition], problem: str) -> None:
    if partitions:
        topic, number = min(partitions)
        raise KafkaSettingsError(f"{setting}: partition {topic}/{number} {problem}")
