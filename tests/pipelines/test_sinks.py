"""Facts about the keys under which records go to Kafka."""

import pickle

from pipelines.sinks import KEYS, TOPICS, TopicKey
from schemas.records import Position, Rejection
from tests.builders import a_reading


def test_same_id_on_two_channels_makes_two_keys() -> None:
    key = TopicKey(KEYS["readings"])

    assert key(a_reading(channel="x", post_id="7")) == b"x|7"
    assert key(a_reading(channel="reddit", post_id="7")) == b"reddit|7"


def test_reading_written_again_has_the_same_key() -> None:
    key = pickle.loads(pickle.dumps(TopicKey(KEYS["readings"])))

    assert key(a_reading()) == key(a_reading(model="another"))


def test_dead_letter_is_known_by_its_place() -> None:
    letter = Rejection(
        original=b"", position=Position("posts", 3, 41), stage="decode", cause="no_id", detail=""
    )

    assert TopicKey(KEYS["rejections"])(letter) == b"posts-3-41"


def test_every_topic_has_a_key() -> None:
    assert KEYS.keys() == TOPICS.keys()
