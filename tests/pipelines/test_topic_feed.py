"""Facts about what a feed of topics says of the run behind them."""

from __future__ import annotations

from pipelines.topic_feed import Counted, TopicFeed
from transforms.kafka.cluster import Cluster


def test_an_engine_that_no_longer_answers_is_not_said_to_be_live() -> None:
    counts = {"moodwire_posts_read_total": 7}
    answers = iter(
        [Counted(counts, True), None, None, Counted(counts, True), Counted(counts, False)]
    )
    clock = [0.0]
    feed = TopicFeed(
        Cluster("127.0.0.1:9"), read_counters=lambda: next(answers), clock=lambda: clock[0]
    )
    seen = []
    for clock[0] in (0.0, 10.0, 31.0, 32.0, 33.0):
        feed.ask()
        feed.poll()
        seen.append(feed.state.run.status)

    assert seen == ["running", "running", "stalled", "running", "ended"]
    assert feed.state.stages.read == 7
