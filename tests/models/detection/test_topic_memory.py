import msgspec

from models.detection.topic_memory import (
    MOST_KNOWN,
    MOST_TEXTS,
    Seen,
    TopicHour,
    TopicMemory,
    topic_id,
)
from tests.builders import NOON
from tests.topics import BAGS, USUAL, about, an_hour, usual_hours

WARM_UP, DAYS_7 = 3, 7 * 86_400


def learned(memory: TopicMemory, *hours: TopicHour) -> list[Seen]:
    """What is found in the last of these hours."""
    return [memory.learn_one("Nova", hour, WARM_UP, DAYS_7) for hour in hours][-1]


def with_bags(hour: int, posts: int = 12) -> TopicHour:
    return an_hour(hour, [*about(USUAL, hour, 24), *about(BAGS, hour, posts)])


def bags_among(found: list[Seen]) -> Seen:
    (bags,) = (seen for seen in found if "luggage" in seen.terms)
    return bags


def test_a_topic_goes_on_under_its_name_through_hours_and_breaks() -> None:
    memory = TopicMemory()
    first = bags_among(learned(memory, *usual_hours(4), with_bags(4)))
    later = [bags_among(learned(memory, with_bags(n))) for n in (5, 6, 30)]

    assert {seen.topic_id for seen in later} == {first.topic_id}
    assert all(seen.first_seen == NOON + 4 * 3600 for seen in later)
    assert "lost" in first.terms and len(first.terms) == 3


def test_a_topic_is_new_for_some_hours_and_usual_ones_never_are() -> None:
    memory = TopicMemory()
    found = learned(memory, *usual_hours(4), with_bags(4))
    news = [bags_among(learned(memory, with_bags(n))).is_new for n in range(5, 12)]

    assert [seen.topic_id for seen in found if seen.is_new] == [bags_among(found).topic_id]
    assert news == [True] * 5 + [False] * 2


def test_nothing_is_new_before_the_brand_is_known() -> None:
    memory = TopicMemory()

    assert not any(seen.is_new for seen in learned(memory, *usual_hours(2), with_bags(2)))


def test_words_that_were_always_said_make_no_new_topic() -> None:
    memory = TopicMemory()
    sparse = [an_hour(n, [*about(USUAL, n, 24), *about(BAGS, n, 2)]) for n in range(4)]
    found = bags_among(learned(memory, *sparse, with_bags(4)))

    assert found.first_seen == NOON + 4 * 3600 and not found.is_new


def test_a_topic_that_was_silent_for_long_is_forgotten() -> None:
    memory = TopicMemory()
    first = bags_among(learned(memory, *usual_hours(4), with_bags(4)))
    days = [hour for day in range(1, 9) for hour in usual_hours(1, first=day * 24)]
    again = bags_among(learned(memory, *days, with_bags(9 * 24)))

    assert again.topic_id != first.topic_id


def test_after_a_long_silence_the_brand_is_learned_anew() -> None:
    memory = TopicMemory()
    learned(memory, *usual_hours(4))
    found = learned(memory, with_bags(24 * 8))

    assert memory.hours == 1 and not any(seen.is_new for seen in found)


def test_two_groups_alike_are_two_topics_of_which_one_is_new() -> None:
    memory = TopicMemory()
    hour = with_bags(4)
    (bags,) = (group for group in hour.groups if "luggage" in group.weights)
    twice = msgspec.structs.replace(hour, groups=(*hour.groups, bags))
    found = [s for s in learned(memory, *usual_hours(4), twice) if "luggage" in s.terms]

    assert len({seen.topic_id for seen in found}) == 2
    assert [seen.is_new for seen in found] == [True, False]


def test_a_topic_is_named_by_brand_hour_and_words_in_any_order() -> None:
    assert topic_id("Nova", NOON, ("a", "b")) == topic_id("Nova", NOON, ("b", "a"))
    assert len({topic_id(b, s, ("a",)) for b in ("Nova", "Orion") for s in (0, 3600)}) == 4


def test_what_is_known_is_bounded() -> None:
    memory = TopicMemory()
    (group, *_) = usual_hours(1)[0].groups
    for n in range(100):
        names = [f"word{n}x{k}" for k in range(9)]
        groups = tuple(
            msgspec.structs.replace(group, weights={name: 1.0}, counts={name: 4}, texts=4)
            for name in names
        )
        hour = TopicHour(
            start=NOON + n * 3600,
            end=NOON + (n + 1) * 3600,
            final=True,
            pane=900,
            groups=groups,
            other=0,
            texts=500,
            words=dict.fromkeys(names, 40),
        )
        learned(memory, hour)

    assert len(memory.topics) == MOST_KNOWN and memory.texts <= MOST_TEXTS
    assert memory.topics[0].last_seen == NOON + 99 * 3600
    assert len(msgspec.msgpack.encode(memory)) < 60_000
