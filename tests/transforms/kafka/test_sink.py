"""Facts about what waits in memory before it goes to Kafka."""

from __future__ import annotations

import pytest

from transforms.kafka import sink
from transforms.kafka.producers import Message


class Recorder:
    """A writer that keeps the sizes of the parts it was sent, and whether each ended a bundle."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bool] | str] = []

    def send(self, messages: list[Message], ends: bool) -> None:
        self.seen.append((len(messages), ends))

    def abort(self) -> None:
        self.seen.append("abort")

    def close(self) -> None:
        self.seen.append("close")


def key_of(record: bytes) -> bytes:
    return b"k"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def writes(recorder: Recorder) -> sink._Write:
    dofn = sink._Write(lambda: recorder, key_of=key_of, encode=bytes)
    dofn.setup()
    dofn.start_bundle()
    return dofn


def test_no_more_records_wait_than_the_bound(recorder: Recorder, writes: sink._Write) -> None:
    for _ in range(2 * sink.MAX_WAITING_RECORDS + 1):
        writes.process(b"v")
    writes.finish_bundle()

    assert recorder.seen == [(5_000, False), (5_000, False), (1, True)]


def test_no_more_bytes_wait_than_the_bound(recorder: Recorder, writes: sink._Write) -> None:
    for _ in range(3):
        writes.process(bytes(sink.MAX_WAITING_BYTES // 2))
    writes.finish_bundle()

    assert recorder.seen == [(2, False), (1, True)]


def test_bundle_that_ends_on_the_bound_is_still_ended(
    recorder: Recorder, writes: sink._Write
) -> None:
    for _ in range(sink.MAX_WAITING_RECORDS):
        writes.process(b"v")
    writes.finish_bundle()

    assert recorder.seen == [(5_000, False), (0, True)]


def test_empty_bundle_writes_nothing(recorder: Recorder, writes: sink._Write) -> None:
    writes.finish_bundle()
    writes.teardown()

    assert recorder.seen == ["close"]


def test_part_of_a_bundle_that_failed_elsewhere_is_given_up(
    recorder: Recorder, writes: sink._Write
) -> None:
    for _ in range(sink.MAX_WAITING_RECORDS + 1):
        writes.process(b"v")
    writes.start_bundle()
    writes.process(b"v")
    writes.finish_bundle()

    assert recorder.seen == [(5_000, False), "abort", (1, True)]
