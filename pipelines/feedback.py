"""What people did about alerts: where it is written, and where it is read beside the alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kafka.errors import KafkaError

from dashboards.live.actions import Actions
from pipelines.run_folder import FEEDBACK_FILE, FILES
from pipelines.settings import KafkaSink
from pipelines.sinks import TOPICS
from pipelines.topic_reading import read_until_now, readable
from schemas.records import Alert, AlertFeedback, encode
from transforms.kafka.cluster import KafkaSettingsError
from transforms.kafka.producers import Message, open_producer, require_topic, send_all
from transforms.publish import append_lines

GROUP = "moodwire-alerts"  # commits nothing
FEEDBACK_TOPIC = "alert-feedback"
VERDICTS = {"true": "a true alarm", "false": "a false alarm", "duplicate": "a duplicate"}

Write = Callable[[AlertFeedback], None]


class FeedbackError(OSError):
    """What a person did could not be written."""


class Place(Protocol):
    """Where alerts are, and what people did about them."""

    def read(self) -> Iterator[Alert | AlertFeedback]:
        """Every alert state and all feedback that is there now, each in the order of writing."""

    def write(self, feedback: AlertFeedback) -> None:
        """Add what a person did; it stays once this returns.

        Raises:
            FeedbackError: it could not be written.
        """


@dataclass(frozen=True)
class FeedbackFolder:
    """A run folder: alerts in one file, feedback appended to another beside it."""

    path: Path

    def read(self) -> Iterator[Alert | AlertFeedback]:
        """What the two files hold; a line that is not whole yet is left out."""
        yield from _lines(self.path / FILES["alerts"], Alert)
        yield from _lines(self.path / FEEDBACK_FILE, AlertFeedback)

    def write(self, feedback: AlertFeedback) -> None:
        """Append one line in one write, so that writers at the same time do not mix.

        Raises:
            FeedbackError: the file cannot be written.
        """
        file = self.path / FEEDBACK_FILE
        try:
            append_lines(file, [encode(feedback)])
        except OSError as error:
            raise FeedbackError(
                f"{file}: cannot be written ({error.strerror}). Let this user write there"
            ) from error


@dataclass(frozen=True)
class FeedbackTopic:
    """The topics `alerts` and `alert-feedback` that the settings publish to."""

    sink: KafkaSink

    @property
    def topic(self) -> str:
        """The name of the topic of feedback."""
        return f"{self.sink.topic_prefix}{FEEDBACK_TOPIC}"

    def require(self) -> None:
        """Fail where there is no topic of feedback.

        Raises:
            KafkaSettingsError: no broker answers, or it lacks the topic.
        """
        require_topic(self.sink.cluster, self.topic)

    def read(self) -> Iterator[Alert | AlertFeedback]:
        """What the two topics hold until now.

        Raises:
            KafkaSettingsError: no broker answers, or it lacks a topic.
        """
        kinds: dict[str, type[Alert] | type[AlertFeedback]] = {
            f"{self.sink.topic_prefix}{TOPICS['alerts']}": Alert,
            self.topic: AlertFeedback,
        }
        for topic in kinds:
            require_topic(self.sink.cluster, topic)
        for topic, value in read_until_now(self.sink.cluster, GROUP, kinds):
            yield from readable(value, kinds[topic])

    def write(self, feedback: AlertFeedback) -> None:
        """Send it and return once every replica has it; people are slow, so no connection is kept.

        Raises:
            FeedbackError: no broker took it.
        """
        message = Message(feedback.key.encode(), encode(feedback))
        try:
            self.require()
            with closing(open_producer(self.sink.cluster)) as producer:
                send_all(producer, self.topic, [message])
        except (KafkaError, KafkaSettingsError) as error:
            raise FeedbackError(f"{self.topic}: cannot be written ({error})") from error


def in_words(feedback: AlertFeedback) -> str:
    """What was done and by whom, in a few words."""
    note = f" ({feedback.note})" if feedback.note else ""
    if feedback.verdict is not None:
        return f"judged {VERDICTS[feedback.verdict]} by {feedback.by}{note}"
    if feedback.until is not None:
        return f"snoozed until {feedback.until:%Y-%m-%d %H:%M} UTC by {feedback.by}{note}"
    return f"acknowledged by {feedback.by}{note}"


def build_actions(token: str | None, write: Write) -> Actions | None:
    """What people may do on the page; None without a token: then it is read-only."""
    return None if token is None else Actions(token, write)


def _lines(path: Path, kind: type[Alert] | type[AlertFeedback]) -> Iterator[Alert | AlertFeedback]:
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            yield from readable(line, kind)
