"""Facts about the incident suite: what is planted, what counts as found, what as false."""

import math
import random
from collections import Counter
from itertools import pairwise

import pytest

from benchmarks.bench_incidents import timelines
from benchmarks.incident_judge import AFTERMATH, Span, false_alarms, judge, sum_up
from benchmarks.incident_kinds import HOUR, MINUTE, PLANTED, Incident, known_kinds
from benchmarks.incident_play import Row, Told, play
from benchmarks.incident_posts import Mood
from benchmarks.incident_rules import QuietStretch, Scored, Thresholds, choose, opened, score
from benchmarks.incident_story import BASELINES, BEGIN, HORIZON, Timeline, plant, tell, usual_of
from benchmarks.incident_streams import densest
from schemas.records import Reading
from tests.builders import a_delivery

START = BEGIN + 6 * HOUR


def planted(kind: str, baseline: str = "quiet") -> Incident:
    return PLANTED[kind](random.Random(kind), START, usual_of(baseline, 1).rate(START))


def a_timeline(kind: str, baseline: str = "quiet") -> Timeline:
    incident = planted(kind, baseline)
    return Timeline(baseline, 1, incident.judged_until + HOUR - BEGIN, (incident,))


def inside(timeline: Timeline) -> list[Reading]:
    (incident,) = timeline.incidents
    moments = ((reading, reading.created_at.timestamp()) for reading in tell(timeline))
    return [reading for reading, at in moments if incident.start < at < incident.end]


def test_two_hundred_incidents_are_of_every_kind_and_on_every_baseline() -> None:
    every = timelines(200, weeks=4)
    kinds = Counter(one.kind for timeline in every for one in timeline.incidents)
    baselines = Counter(timeline.baseline for timeline in every for _ in timeline.incidents)

    assert kinds.total() == 200 and set(kinds) == set(known_kinds())
    assert max(kinds.values()) - min(kinds.values()) <= len(BASELINES) * 2
    assert baselines == dict.fromkeys(BASELINES, 40)
    assert max(timeline.seconds for timeline in every) < HORIZON


def test_a_timeline_is_the_same_every_time_and_in_order() -> None:
    timeline = a_timeline("crisis", "noisy")
    readings = list(tell(timeline))

    assert readings == list(tell(timeline))
    assert readings == sorted(readings, key=lambda reading: reading.created_at)
    assert len({reading.post_id for reading in readings}) == len(readings)


def test_incidents_of_a_timeline_leave_calm_between_them() -> None:
    incidents = plant("bursty", 3, ["crisis", "volume_spike", "viral_post"] * 2).incidents

    for before, after in pairwise(incidents):
        assert after.start - before.judged_until > 2 * AFTERMATH


@pytest.mark.parametrize("baseline", BASELINES)
def test_baselines_differ_in_how_even_they_are(baseline: str) -> None:
    rates = usual_of(baseline, 1).per_minute

    assert (rates.std() > 0.3 * rates.mean()) == (baseline not in {"quiet", "sparse"})
    assert (rates.mean() < 0.1) == (baseline == "sparse")


def test_a_surge_turns_the_mood_of_everybody() -> None:
    posts = inside(a_timeline("negativity_surge"))

    assert sum(post.valence < -0.25 for post in posts) > 0.5 * len(posts)


def test_a_viral_post_is_one_text_by_many_and_a_campaign_one_by_few() -> None:
    for kind, few in (("viral_post", False), ("coordinated_campaign", True)):
        posts = inside(a_timeline(kind))
        text, copies = Counter(p.cluster_id for p in posts if p.cluster_id).most_common(1)[0]
        authors = {post.author for post in posts if post.cluster_id == text}

        assert copies > 0.4 * len(posts)
        assert (len(authors) <= 10) == few


def test_a_silent_feed_says_nothing() -> None:
    assert inside(a_timeline("feed_silent")) == []


def test_a_decline_comes_slowly() -> None:
    incident = planted("sustained_decline")
    usual = Mood(0.18, 0.4)
    shares = [incident.mood_at(START + hour * HOUR, usual).negative for hour in (0, 2, 4, 12)]

    assert shares == sorted(shares) and shares[0] == 0.18
    assert shares[-1] == incident.mood.negative


def test_a_planted_crisis_is_found_soon_and_named() -> None:
    timeline = a_timeline("crisis", "noisy")
    played = play(timeline.brand, tell(timeline))
    (verdict,) = judge("noisy", timeline.incidents, played.told, played.posted)

    assert verdict.found and verdict.named
    assert verdict.minutes is not None and verdict.minutes <= 20
    assert verdict.posts is not None and verdict.posts > 0


def test_empty_windows_are_rows_of_no_posts() -> None:
    played = play("quiet-1", tell(a_timeline("feed_silent")))
    ends = [row.end for row in played.rows]

    assert ends == list(range(ends[0], ends[-1] + 1, 300))
    assert any(row.posts == 0 and row.negative is None for row in played.rows)


def test_an_alert_counts_for_the_incident_that_it_falls_into() -> None:
    incident = Incident("negativity_surge", 1000.0, HOUR)
    told = [Told("volume_spike", 500), Told("volume_spike", 1300), Told("crisis", 1600)]
    posted = [900.0, 1100.0, 1200.0, 1500.0]

    (verdict,) = judge("quiet", [incident], told, posted)

    assert (verdict.found, verdict.named, verdict.minutes, verdict.posts) == (True, True, 5.0, 2)
    assert not judge("quiet", [incident], told[:1], posted)[0].found
    assert not judge("quiet", [incident], told[:2], posted)[0].named


def test_a_recovery_is_found_by_its_name_alone() -> None:
    incident = Incident("recovery", 1000.0, HOUR)
    surge, after = Told("negativity_surge", 2000), Told("volume_spike", 1000 + HOUR + 60)

    assert not judge("quiet", [incident], [surge, after], [])[0].found
    assert judge("quiet", [incident], [Told("recovery", 1000 + HOUR + 900)], [])[0].minutes == 15


def test_false_alarms_lie_outside_incidents_and_within_an_hour_count_once() -> None:
    span = Span(0, 10 * 24 * HOUR, (Incident("crisis", 5 * HOUR, HOUR),))
    told = [Told("crisis", moment) for moment in (HOUR, 1.5 * HOUR, 5.5 * HOUR, 30 * HOUR)]

    assert false_alarms(span, told) == [HOUR, 30 * HOUR]
    assert span.quiet_weeks == pytest.approx((240 - 4.25) / (7 * 24))


def test_sums_of_verdicts_have_medians() -> None:
    incident = Incident("crisis", 0.0, HOUR)
    verdicts = [
        judge("quiet", [incident], [Told("crisis", MINUTE * n)] if n else [], [1.0, 2.0])[0]
        for n in (0, 10, 20)
    ]

    assert sum_up(verdicts)[:4] == (3, 2, 2, 15.0)


def test_thresholds_are_the_lowest_that_keep_to_the_alarms_allowed() -> None:
    ends = tuple(range(300, 300 * 2001, 300))
    busy = dict.fromkeys(range(0, 2000, 50), 2.0) | {510: 9.0, 1510: 9.0}
    counts = tuple(busy.get(n, 1 + n % 7 / 100) for n in range(2000))
    scored = Scored(ends, counts, (0.0,) * 2000)
    stretch = QuietStretch(scored, 0, ends[-1] + 1)

    strict, lax = choose([stretch], 0), choose([stretch], 2)

    assert strict.volume > 9 >= lax.volume > 2
    assert lax.share == math.inf
    assert len(opened(scored, lax, 0, ends[-1] + 1)) == 2


def test_rules_see_counts_and_shares() -> None:
    rows = [Row(300 * n, 20 + n % 5, 18.0 + n % 3) for n in range(1, 1500)]
    rows += [Row(300 * n, 90, 80.0) for n in range(1500, 1512)]
    scored = score("Prometheus adaptive bands", rows)

    assert max(scored.counts[1499:]) > 2 * max(scored.counts[400:1499])
    assert max(scored.shares[1499:]) > 2 * max(scored.shares[400:1499])
    assert opened(scored, Thresholds(5, 5), 300 * 400, math.inf)


def test_the_densest_stretch_of_a_stream_is_taken() -> None:
    moments = [0.0, 50.0, 100.0, 101.0, 102.0, 103.0, 200.0]
    deliveries = [a_delivery(event_time=moment) for moment in moments]

    assert [one.event_time for one in densest(deliveries, 10)] == [100.0, 101.0, 102.0, 103.0]
