import random
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

import pytest

from models.detection.incidents import epoch
from models.detection.mood_detector import rules_for
from schemas.records import Alert, PaneTiming, Reading
from tests.builders import NOON, a_stream, angry, pictured, spread
from transforms.ledger import Ledger, Terms
from transforms.playbooks import default_playbooks
from transforms.tally import Tally
from transforms.windows import WindowKey

HOUR = 3600
TERMS = Terms(rules=rules_for("medium"), playbooks=default_playbooks(), period=60, lateness=1200)
HISTORY = a_stream(1.5 * HOUR, 4) + a_stream(600, 12, angry, start=HOUR, seed=2)


class Stream:
    """Windows and a ledger as a runner drives them, one reading or watermark at a time."""

    def __init__(self) -> None:
        self.ledger = Ledger(brand="Nova")
        self.open: dict[WindowKey, Tally] = {}
        self.watermark = NOON - HOUR
        self.told: list[Alert] = []

    def arrive(self, reading: Reading) -> None:
        for key, sample in spread(reading):
            tally = self.open.setdefault(key, Tally())
            tally.learn_one(sample)
            if tally.closed or key[-1] + 300 <= self.watermark:
                tally.closed = True
                self.pane(key, "late")

    def pane(self, key: WindowKey, timing: PaneTiming) -> None:
        start = key[-1]
        self.ledger.learn_one(self.open[key].trend(key[:-1], start, start + 300, timing))
        look = max(self.ledger.pending) if timing != "final" else start + 301 + TERMS.lateness
        self.told += self.ledger.advance(look, TERMS)

    def advance(self, watermark: int) -> None:
        """Fire the timers that the watermark passes, in the order of their times."""
        self.watermark = watermark
        due: list[tuple[int, WindowKey, PaneTiming]] = []
        for key, tally in self.open.items():
            if not tally.closed:
                due.append((key[-1] + 300, key, "on_time"))
            due.append((key[-1] + 300 + TERMS.lateness, key, "final"))
        for moment, key, timing in sorted(due):
            if moment <= watermark:
                self.open[key].closed = True
                self.pane(key, timing)
                if timing == "final":
                    del self.open[key]

    def finish(self) -> list[Alert]:
        self.advance(NOON + 10**8)
        while (moment := self.ledger.next_commit(TERMS)) is not None:
            self.told += self.ledger.advance(moment, TERMS)
        return self.told


def told_of(readings: Iterable[Reading], delay: int = 0) -> list[Alert]:
    """Alerts of readings in the given order, the watermark `delay` behind the newest."""
    stream = Stream()
    for reading in readings:
        stream.arrive(reading)
        stream.advance(max(stream.watermark, epoch(reading.created_at) - delay))
    return stream.finish()


def in_order(readings: Iterable[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda r: (r.created_at, r.post_id))


def shuffled(readings: Iterable[Reading], disorder: float, seed: int) -> list[Reading]:
    """Readings by arrival, each up to `disorder` seconds late."""
    rng = random.Random(seed)
    return sorted(readings, key=lambda r: r.created_at.timestamp() + rng.uniform(0, disorder))


@cache
def history_told(seed: int | None = None) -> list[Alert]:
    """Alerts of the history, in order or shuffled."""
    return told_of(in_order(HISTORY) if seed is None else shuffled(HISTORY, 1100, seed))


def finals(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted((a for a in alerts if a.final), key=lambda a: (a.since, a.kind))


def test_alerts_open_on_time_grow_resolve_and_become_final() -> None:
    told = [a for a in history_told() if a.kind == "crisis"]

    assert told[0].status == "firing" and not told[0].final
    assert epoch(told[0].updated_at) <= NOON + HOUR + 300
    assert max(a.severity for a in told) > told[0].severity
    assert [a.status for a in told[-2:]] == ["resolved", "resolved"]
    assert [a.final for a in told[-2:]] == [False, True]


@pytest.mark.parametrize("seed", range(3))
def test_final_alerts_do_not_depend_on_the_order_of_arrival(seed: int) -> None:
    expected = finals(history_told())

    assert finals(history_told(seed)) == expected
    assert [a.kind for a in expected][-1] == "crisis"


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_revisions_only_grow(seed: int | None) -> None:
    by_alert: dict[str, list[int]] = {}
    for alert in history_told(seed):
        by_alert.setdefault(alert.alert_id, []).append(alert.revision)

    assert by_alert
    assert all(a < b for revisions in by_alert.values() for a, b in pairwise(revisions))


def test_late_posts_withdraw_an_incident_that_does_not_stand() -> None:
    quiet = a_stream(HOUR + 300, 6)
    burst = a_stream(240, 8, angry, start=HOUR, seed=5)
    calm_crowd = [
        r for n in range(12) for r in a_stream(240, 8, start=HOUR - n, seed=20 + n)
    ]  # comes late and shows that the angry were few
    stream = Stream()
    for reading in in_order(quiet + burst):
        stream.arrive(reading)
        stream.advance(max(stream.watermark, epoch(reading.created_at)))
    opened = {a.alert_id for a in stream.told if a.kind == "negativity_surge"}
    for reading in calm_crowd:
        stream.arrive(reading)
    withdrawn = {a.alert_id: a for a in stream.told if a.status == "withdrawn"}

    assert opened and opened & set(withdrawn)
    assert not any(a.final for a in withdrawn.values())
    assert not opened & {a.alert_id for a in finals(stream.finish())}


def test_bounded_input_closes_a_running_incident() -> None:
    ongoing = a_stream(HOUR, 6) + a_stream(600, 20, angry, start=HOUR, seed=3)
    told = told_of(in_order(ongoing))

    assert told[-1].final and told[-1].status == "resolved"
    assert epoch(told[-1].updated_at) < NOON + 2 * HOUR


def test_a_whole_history_at_once_gives_the_same_final_alerts() -> None:
    stream = Stream()
    for reading in reversed(HISTORY):
        stream.arrive(reading)
    ledger = Ledger(brand="Nova")
    for key, tally in stream.open.items():
        ledger.learn_one(tally.trend(key[:-1], key[-1], key[-1] + 300, "final"))
    told: list[Alert] = []
    while (moment := ledger.next_commit(TERMS)) is not None:
        told += ledger.advance(moment, TERMS)

    assert finals(told) == finals(history_told())


def test_panes_told_again_say_nothing_new() -> None:
    stream = Stream()
    for reading in in_order(HISTORY):
        stream.arrive(reading)
        stream.advance(max(stream.watermark, epoch(reading.created_at)))
    before = len(stream.told)
    for trend in list(stream.ledger.pending.values()):
        stream.ledger.learn_one(trend)
    again = stream.ledger.advance(stream.ledger.clock, TERMS)

    assert before and again == []


def test_evidence_of_image_led_alerts_holds_images() -> None:
    history = a_stream(2 * HOUR, 6) + a_stream(900, 3, pictured, start=HOUR, seed=2)
    alert = finals(told_of(in_order(history)))[0]

    assert alert.kind == "image_led_crisis"
    assert sum(post.thumbnail is not None for post in alert.evidence) >= 3
    assert alert.playbook == "image-led-crisis"
