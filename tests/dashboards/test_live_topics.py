import random

from dashboards.live.state import State
from dashboards.live.topics import HOURS
from schemas.records import OTHER, Topic
from tests.dashboards.topics import a_calm_topic, a_topic, build_topics


def folded(*topics: Topic) -> State:
    state = State()
    for topic in topics:
        state.fold(topic)
    return state


def rows(state: State) -> list[Topic]:
    return sorted(state.changes().topics, key=lambda topic: topic.key)


def start_of(topic: Topic) -> int:
    return int(topic.window_start.timestamp())


def test_a_final_topic_replaces_the_one_told_on_time_whatever_the_order() -> None:
    on_time, final = a_topic(), a_topic(timing="final", final=True, pane_index=410, posts=270)

    for order in ((on_time, final), (final, on_time)):
        assert [topic.posts for topic in rows(folded(*order))] == [270]


def test_a_topic_that_was_undone_is_told_of_without_posts() -> None:
    state = folded(a_topic())
    before = state.id
    state.fold(a_topic(posts=0, authors=0, exemplars=()))

    assert [topic.posts for topic in state.changes(before).topics] == [0]


def test_a_repeated_topic_changes_nothing() -> None:
    state = folded(a_topic())
    before = state.id
    state.fold(a_topic())

    assert state.id == before


def test_only_the_newest_hours_of_a_brand_are_kept_in_any_order() -> None:
    topics = [a_calm_topic("Velora", "coat", hour) for hour in range(8, 20)]
    random.Random(4).shuffle(topics)
    kept = rows(folded(*topics, a_topic(9)))

    assert [topic.window_start.hour for topic in kept if topic.brand == "Velora"] == [17, 18, 19]
    assert len(kept) == HOURS + 1


def test_rows_hold_no_posts_and_these_are_found_by_their_topic() -> None:
    state = folded(*build_topics())
    (smoke,) = (topic for topic in rows(state) if topic.key == a_topic().key)
    posts = state.topics.exemplars("Aerolume", start_of(smoke), "smoke")

    assert all(topic.exemplars == () for topic in rows(state))
    assert [post.post_id for post in posts] == ["smoke15", "script15"]
    assert state.topics.exemplars("Aerolume", start_of(smoke), "unknown") == ()
    assert state.exemplar("x", "script15") == posts[1]


def test_posts_of_forgotten_hours_are_forgotten_too() -> None:
    state = folded(*(a_calm_topic("Velora", "coat", hour) for hour in range(8, 12)))

    assert state.exemplar("instagram", "coat8") is None
    assert state.exemplar("instagram", "coat11") is not None


def test_a_new_run_starts_without_topics() -> None:
    state = folded(*build_topics())
    state.clear()

    assert rows(state) == [] and OTHER not in {t.topic_id for t in rows(state)}
