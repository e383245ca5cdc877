from itertools import pairwise

import msgspec
import pytest

from models.detection.evidence import worst_posts
from models.detection.incident import Incident
from models.detection.incidents import Watch, alert_id, epoch
from models.detection.kinds import kind_of
from models.detection.mood_detector import IMAGES, NEGATIVITY, VOLUME, rules_for, valence_of_words
from schemas.records import Reading
from tests.builders import NOON, a_stream, an_image_reading, angry, at, calm, final_trends, pictured

RULES = rules_for("medium")
HOUR = 3600
QUIET = a_stream(4 * HOUR, 6)


def incidents(readings: list[Reading]) -> list[Incident]:
    """Every incident of a history, closed by the silence after it; notices left out."""
    watch = Watch()
    found: list[Incident] = []
    for trend in final_trends(readings):
        found += watch.learn_one(trend, RULES, 60)
    found += watch.close_if_idle(NOON + 10**9, 300, 60)
    return [incident for incident in found if incident.kind != "recovery"]


@pytest.mark.parametrize("per_minute", [0.5, 3, 10])
@pytest.mark.parametrize("seed", [11, 12])
def test_steady_noise_is_silent(per_minute: float, seed: int) -> None:
    assert incidents(a_stream(8 * HOUR, per_minute, seed=seed)) == []


def test_planted_anger_is_a_crisis_within_minutes_and_one_incident() -> None:
    found = incidents(QUIET + a_stream(1200, 20, angry, start=2 * HOUR, seed=2))
    crisis = found[-1]

    assert [i.kind for i in found if i.grew_into is None] == ["crisis"]
    assert NOON + 2 * HOUR < crisis.opened <= NOON + 2 * HOUR + 300
    assert crisis.severity >= 8
    assert set(crisis.signals) == {VOLUME, NEGATIVITY}
    assert crisis.emotion == "anger"


def test_an_incident_closes_when_calm_windows_hold_no_hot_one() -> None:
    crisis = incidents(QUIET + a_stream(1200, 20, angry, start=2 * HOUR, seed=2))[-1]

    assert crisis.closed == crisis.last_hot + 300


def test_images_that_turn_before_words_are_seen_as_such() -> None:
    found = incidents(QUIET + a_stream(1200, 3, pictured, start=2 * HOUR, seed=2))

    assert {i.kind for i in found} == {"image_led_crisis"}
    assert found[0].led_by_images and IMAGES in found[0].signals
    assert all(post.thumbnail for post in found[0].pictured)


def test_many_calm_people_are_a_volume_spike_of_bounded_severity() -> None:
    found = incidents(QUIET + a_stream(1200, 20, calm, start=2 * HOUR, seed=2))

    assert [i.kind for i in found] == ["volume_spike"]
    assert found[0].severity <= 6


def test_one_author_shouting_is_no_crowd() -> None:
    storm = a_stream(1200, 20, angry, start=2 * HOUR, seed=2)
    shouted = [msgspec.structs.replace(reading, author="troll") for reading in storm]

    assert incidents(QUIET + shouted) == []


def test_nothing_is_told_before_the_warm_up() -> None:
    assert incidents(a_stream(500, 30, angry)) == []


def test_a_gap_of_years_costs_no_time_and_starts_afresh() -> None:
    years = 3 * 365 * 24 * HOUR
    watch = Watch()
    trends = final_trends(QUIET + a_stream(500, 30, angry, start=years, seed=3))
    for trend in trends:
        watch.learn_one(trend, RULES, 60)

    assert any(epoch(b.window_end) - epoch(a.window_end) > years / 2 for a, b in pairwise(trends))
    assert watch.incident is None
    assert watch.detector.learned < 20


def test_a_crowd_after_hours_of_silence_is_seen() -> None:
    found = incidents(a_stream(HOUR, 2) + a_stream(900, 10, angry, start=7 * HOUR, seed=4))

    assert [i.kind for i in found][-1] == "crisis"


def test_kinds_by_signals() -> None:
    assert kind_of([VOLUME]) == "volume_spike"
    assert kind_of([NEGATIVITY]) == "negativity_surge"
    assert kind_of([NEGATIVITY, IMAGES]) == "image_led_crisis"
    assert kind_of([VOLUME, IMAGES]) == "crisis"
    assert kind_of([]) is None


def test_alert_id_names_brand_kind_and_opening_window() -> None:
    incident = Incident(kind="crisis", since=60, opened=360, last_hot=360)
    later = msgspec.structs.replace(incident, last_hot=900, severity=9)

    assert alert_id("Nova", incident) == alert_id("Nova", later)
    assert alert_id("Nova", incident) != alert_id("Orion", incident)


def test_words_are_what_images_do_not_explain() -> None:
    readings = [an_image_reading(post_id=str(i), created_at=at(0), valence=-0.6) for i in range(2)]
    readings += a_stream(60, 120, lambda rng, now: {"valence": 0.2}, seed=6)
    trend = final_trends(readings)[2]

    assert valence_of_words(trend) == pytest.approx(0.2, abs=1e-5)


def test_a_post_of_overlapping_windows_is_evidence_once() -> None:
    post = final_trends([an_image_reading(valence=-0.5)])[0].exemplars[0]
    worse = msgspec.structs.replace(post, text="burns", valence=-0.9)

    assert worst_posts([post, post, worse, post]) == [worse, post]


def test_sensitivity_orders_the_thresholds() -> None:
    low, medium, high = (rules_for(s) for s in ("low", "medium", "high"))

    assert low.volume_score > medium.volume_score > high.volume_score
    assert low.margin > medium.margin > high.margin


def test_state_survives_serialisation() -> None:
    watch = Watch()
    for trend in final_trends(QUIET)[:100]:
        watch.learn_one(trend, RULES, 60)

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(watch), type=Watch) == watch
