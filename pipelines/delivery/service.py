"""The service behind `moodwire deliver`: alerts in, messages out, one thread for each receiver."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from kafka.errors import KafkaError

from pipelines.delivery.alertmanager import RESOLVED_SECONDS, Alertmanager
from pipelines.delivery.digests import DailyDigests
from pipelines.delivery.events import (
    Told,
    body_of,
    event_of,
    message_id_of,
    quiet_until,
    told_by,
)
from pipelines.delivery.outbox import Message, Outbox
from pipelines.delivery.receivers import Receiver, Refused
from pipelines.delivery.sources import Arrival, Source
from schemas.records import Alert, AlertFeedback, decode, encode
from transforms.kafka.cluster import KafkaUnreachableError
from transforms.publish import pauses

LOG = logging.getLogger(__name__)
JITTER = 0.2
FORGET_SECONDS = 3_600.0
LONGEST_WAIT_SECONDS = 5.0  # a replay by hand is another process

OpenSource = Callable[[], Source]


@dataclass
class Service:
    """Reads alerts, keeps the outbox, and sends what is due until it is stopped.

    Guarantees: an alert state that was read is sent to each receiver that wants it, at least
    once, always under the same id; a receiver that is down or slow delays nobody else.

    Attributes:
        open_source: opens the source of alerts, again after an outage.
        outbox: what is to be sent; it outlives the process.
        receivers: whom messages are sent to.
        alertmanager: whom the state is told to, if anybody.
        digests: makes the digest of each day, if anybody wants it.
        retry_seconds: waits before each further attempt; then a message is a dead letter.
        on_sent: is told of each attempt: the message, and None or why it was refused.
        alertmanager_said: why Alertmanager did not take the last round; None when it did.
        read_at: when the source last answered, or the service was made; epoch seconds.
    """

    open_source: OpenSource
    outbox: Outbox
    receivers: Sequence[Receiver]
    alertmanager: Alertmanager | None
    retry_seconds: Sequence[float]
    on_sent: Callable[[Message, Refused | None], None] = lambda _message, _refused: None
    digests: DailyDigests | None = None
    alertmanager_said: str | None = None
    read_at: float = field(default_factory=time.time)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _changes: int = 0

    def run(self, stop: threading.Event, once: bool = False) -> None:
        """Go on until `stop` is set; with `once`, until all was read and nothing is due.

        Raises:
            Exception: something failed that waiting does not mend, such as a full disk; the whole
                service has ended then.
        """
        works = [partial(self._serve, receiver, stop, once) for receiver in self.receivers]
        if self.alertmanager is not None:
            works.append(partial(self._repeat, stop, once))
        if self.digests is not None and not once:
            works.append(partial(self.digests.run, stop, self._tell))
        failures: list[Exception] = []
        threads = [
            threading.Thread(target=self._work, args=(work, stop, failures)) for work in works
        ]
        try:
            if once:  # first everything is read, then everything is sent
                self._follow(stop, once)
                if self.digests is not None:
                    self.digests.run(stop, self._tell, once)
            for thread in threads:
                thread.start()
            if not once:
                self._follow(stop, once)
                stop.wait()
        except BaseException:
            stop.set()
            raise
        finally:
            self._tell()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if failures:
            raise failures[0]

    def _work(
        self, work: Callable[[], None], stop: threading.Event, failures: list[Exception]
    ) -> None:
        """One thread's work; if it fails all of them end, since nobody would miss a single one."""
        try:
            work()
        except Exception as error:  # raised again by `run`
            failures.append(error)
            stop.set()
            self._tell()

    def close(self) -> None:
        """Close the connections to those who are told."""
        for receiver in self.receivers:
            receiver.close()
        if self.alertmanager is not None:
            self.alertmanager.close()

    def _follow(self, stop: threading.Event, once: bool) -> None:
        """Read alerts into the outbox; an outage of their source delays, and loses nothing."""
        waits, forgot_at = pauses(), 0.0
        while not stop.is_set():
            try:
                with ExitStack() as stack:
                    source = self.open_source()
                    stack.callback(source.close)
                    while not stop.is_set() and not (once and source.at_end):
                        for arrival in source.read():
                            self.take(arrival)
                        waits, self.read_at = pauses(), time.time()
                        if source.at_end:
                            stop.wait(0.2)
                        if time.monotonic() - forgot_at > FORGET_SECONDS:
                            self.outbox.forget()
                            forgot_at = time.monotonic()
                return
            except (KafkaUnreachableError, KafkaError, OSError) as error:
                pause = next(waits)
                LOG.warning("alerts are away (%s); next attempt in %.1f s", error, pause)
                stop.wait(pause)

    def take(self, arrival: Arrival) -> None:
        """Put what follows from one alert state, or from what a person did, into the outbox."""
        alert, positions = arrival.alert, arrival.positions
        if arrival.feedback is not None:
            return self._heed(arrival.feedback, positions)
        if alert is None or self._is_known(alert):
            return self.outbox.go_on(positions)
        is_quiet = self.outbox.is_quiet(alert.alert_id)
        told: dict[str, Told] = {}
        messages = []
        for receiver in self.receivers:
            before = self.outbox.told(receiver.name, alert.alert_id)
            event = event_of(alert, before)
            if event is None or not receiver.wishes.include(alert, before):
                continue
            if is_quiet and event == "updated":
                continue  # what it was told last still holds: graver than that is `escalated`
            told[receiver.name] = told_by(alert)
            if not arrival.is_history and receiver.wishes.include_event(event):
                body, name = body_of(alert, event), message_id_of(alert)
                messages.append(Message(receiver.name, name, alert.alert_id, event, body))
        self.outbox.take(alert.alert_id, encode(alert), positions, told, messages)
        self._tell()

    def _heed(self, feedback: AlertFeedback, positions: dict[str, int]) -> None:
        until = quiet_until(feedback)
        if until is None:
            return self.outbox.go_on(positions)
        return self.outbox.hush(feedback.alert_id, feedback.action, until, positions)

    def _is_known(self, alert: Alert) -> bool:
        """Whether this state or a later one was taken in before, as after a replay."""
        known = self.outbox.newest(alert.alert_id)
        if known is None:
            return False
        return alert.rank <= decode(known, Alert).rank

    def _tell(self) -> None:
        with self._news:
            self._changes += 1
            self._news.notify_all()

    def _serve(self, receiver: Receiver, stop: threading.Event, once: bool) -> None:
        while not stop.is_set():
            changes = self._changes
            message, due_at = self.outbox.next_due(receiver.name)
            if message is not None:
                self._send(receiver, message)
            elif once:
                return
            else:
                self._wait(changes, due_at)

    def _wait(self, changes: int, due_at: float | None) -> None:
        """Until there are news, or something is due, or a while has passed."""
        longest = LONGEST_WAIT_SECONDS
        seconds = longest if due_at is None else min(max(due_at - time.time(), 0.01), longest)
        with self._news:
            self._news.wait_for(lambda: self._changes != changes, seconds)

    def _send(self, receiver: Receiver, message: Message) -> None:
        refused = receiver.send(message)
        if refused is None:
            self.outbox.delivered(message)
        elif refused.gone:
            self.outbox.disable(receiver.name, refused.said)
            self.outbox.give_up(message, refused.said)
        elif message.attempts >= len(self.retry_seconds):
            self.outbox.give_up(message, refused.said)
        else:
            self.outbox.retry(message, self._pause(message.attempts, refused), refused.said)
        self.on_sent(message, refused)

    def _pause(self, attempts: int, refused: Refused) -> float:
        """The schedule's wait, spread so that receivers which come back are not all met at once."""
        planned = self.retry_seconds[attempts] * (1 + JITTER * (2 * random.random() - 1))
        return max(planned, min(refused.after_seconds or 0.0, max(self.retry_seconds)))

    def _repeat(self, stop: threading.Event, once: bool) -> None:
        """Post what fires to Alertmanager, at once when it changed and again every so often."""
        assert self.alertmanager is not None
        waits = pauses()
        while not stop.is_set():
            changes = self._changes
            bodies = self.outbox.alerts_since(time.time() - RESOLVED_SECONDS)
            try:
                self.alertmanager.post([decode(body, Alert) for body in bodies])
                waits, self.alertmanager_said = pauses(), None
            except OSError as error:
                self.alertmanager_said = str(error)
            if once:
                return
            if self.alertmanager_said is not None:
                pause = next(waits)
                LOG.warning("Alertmanager: %s; again in %.1f s", self.alertmanager_said, pause)
                stop.wait(pause)
                continue
            self._wait(changes, time.time() + self.alertmanager.repeat_seconds)
