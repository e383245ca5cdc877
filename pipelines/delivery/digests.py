"""Daily digests on their way to people: each day's composed once, then sent like any message."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Final

import msgspec
from kafka.errors import KafkaError

from pipelines.delivery.outbox import Message, Outbox
from pipelines.digest.days import newest_due, zone_of
from pipelines.digest.facts import Digest
from transforms.kafka.cluster import KafkaSettingsError, KafkaUnreachableError
from transforms.publish import pauses

LOG = logging.getLogger(__name__)
DIGEST: Final = "digest"
POSITION = "digests"  # in the outbox: the day after the last one that was taken care of
LOOK_SECONDS = 5.0
AWAY = (KafkaUnreachableError, KafkaSettingsError, KafkaError, OSError)


class DigestEnvelope(msgspec.Struct, frozen=True):
    """The body of a message: Standard Webhooks 1.0, "Payload structure"."""

    type: str
    timestamp: datetime
    data: Digest


def body_of(digest: Digest) -> bytes:
    """The JSON that is sent: `{"type": "digest.daily", "timestamp": …, "data": its facts}`."""
    return msgspec.json.encode(DigestEnvelope("digest.daily", digest.until, digest))


def digest_in(body: bytes) -> Digest:
    """What `body_of` was made of."""
    return msgspec.json.decode(body, type=DigestEnvelope).data


def digest_id(day: date, timezone: str, brands: tuple[str, ...]) -> str:
    """Names the digest of a day for ever; those about other brands or days have other names."""
    about = blake2b("\x1f".join([timezone, *brands]).encode(), digest_size=4).hexdigest()
    return f"digest-{day}-{about}"


@dataclass
class DailyDigests:
    """Puts the digest of each day into the outbox, once, when it is due.

    Days before the first start are history. After a time away only the newest day is told:
    `moodwire digest --day` shows the others.

    Attributes:
        compose: the digest of a day, as far as it is known now.
        outbox: what was taken care of; it outlives the process.
        at: when a day's digest is due, on the day after.
        timezone: whose days and clock are meant.
        brands: whom digests are about, as the settings say; a part of their ids.
        sinks: names of the receivers.
        from_start: whether the newest day is told at the first start too.
        now: the clock.
    """

    compose: Callable[[date], Digest]
    outbox: Outbox
    at: time
    timezone: str
    brands: tuple[str, ...]
    sinks: tuple[str, ...]
    from_start: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def look(self) -> bool:
        """Take care of the newest day that is due; whether there was anything to do.

        Raises:
            OSError: its facts cannot be read now.
            KafkaError: Kafka is away.
            KafkaSettingsError: a topic is missing.
        """
        day = newest_due(self.now(), self.at, zone_of(self.timezone))
        after = {POSITION: (day + timedelta(days=1)).toordinal()}
        known = self.outbox.position(POSITION)
        if known is None and not self.from_start:
            self.outbox.go_on(after)
            return False
        if known is not None and known > day.toordinal():
            return False
        name, body = digest_id(day, self.timezone, self.brands), body_of(self.compose(day))
        self.outbox.queue([Message(sink, name, name, DIGEST, body) for sink in self.sinks], after)
        return True

    def run(self, stop: threading.Event, tell: Callable[[], None], once: bool = False) -> None:
        """Look until `stop` is set, or `once`; what is away delays a digest and loses none."""
        waits = pauses()
        while not stop.is_set():
            try:
                if self.look():
                    tell()
                if once:
                    return
                waits, pause = pauses(), LOOK_SECONDS
            except AWAY as error:
                pause = next(waits)
                LOG.warning("no digest yet (%s); next attempt in %.1f s", error, pause)
            stop.wait(pause)
