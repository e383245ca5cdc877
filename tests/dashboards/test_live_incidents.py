"""Facts about alerts on the page: their course, and what people did about them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from dashboards.live.follower import Follower
from dashboards.live.incidents import MAX_TURNS, Incidents
from dashboards.live.state import State
from schemas.records import Alert, AlertStatus
from tests.dashboards.incidents import NOON, an_alert, some_feedback
from tests.dashboards.run_folder import append


def a_state(revision: int, severity: int, status: AlertStatus = "firing") -> Alert:
    hours = (14.0, 14.0 + revision / 10)
    return an_alert("a", "Nova", severity=severity, status=status, revision=revision, hours=hours)


def folded(*alerts: Alert) -> Incidents:
    incidents = Incidents()
    for version, alert in enumerate(alerts, 1):
        incidents.add(alert, version)
    return incidents


def test_a_course_holds_what_changed_and_nothing_twice() -> None:
    opened, same, worse = a_state(1, 5), a_state(2, 5), a_state(3, 8)
    over = a_state(4, 8, status="resolved")

    turns = folded(opened, same, worse, worse, same, over).turns("a")

    assert [(turn.status, turn.severity) for turn in turns] == [
        ("firing", 5),
        ("firing", 8),
        ("resolved", 8),
    ]
    assert turns[-1].at == over.resolved_at


def test_a_course_is_bounded_and_keeps_its_beginning() -> None:
    turns = folded(*(a_state(n, 4 + n % 3) for n in range(1, 200))).turns("a")

    assert len(turns) == MAX_TURNS
    assert turns[0].at == a_state(1, 5).updated_at
    assert turns[-1].at == a_state(199, 4).updated_at


def test_an_alert_that_is_forgotten_takes_its_course_along() -> None:
    incidents = Incidents(most=1)
    incidents.add(an_alert("old", "Nova", status="resolved", hours=(9.0, 10.0)), 1)
    incidents.add(an_alert("new", "Nova"), 2)

    assert [alert.alert_id for alert in incidents.alerts.values()] == ["new"]
    assert incidents.turns("old") == ()


def test_of_each_action_the_newest_holds_whatever_the_order() -> None:
    early = some_feedback("a", by="Ada")
    late = some_feedback("a", by="Bo", at=NOON + timedelta(minutes=5))
    verdict = some_feedback("a", "verdict", at=NOON + timedelta(minutes=2))
    incidents = Incidents()
    for version, given in enumerate((late, early, verdict, late), 1):
        incidents.add_feedback(given, version)

    assert incidents.handling("a") == [verdict, late]
    assert incidents.handling("b") == []


def test_feedback_is_bounded() -> None:
    incidents = Incidents(most=2)
    for number in range(20):
        incidents.add_feedback(some_feedback(f"a{number}"), number + 1)

    assert len(incidents.feedback) == 6
    assert incidents.handling("a19") != []


def test_updates_bring_feedback_once() -> None:
    state = State()
    state.fold(some_feedback("a"))
    seen = state.id

    state.fold(some_feedback("a"))
    assert state.id == seen
    state.fold(some_feedback("a", "snooze"))

    assert [given.action for given in state.changes(seen).feedback] == ["snooze"]
    assert len(state.changes().feedback) == 2


def test_feedback_is_followed_in_the_run_folder(tmp_path: Path) -> None:
    append(tmp_path / "alerts.jsonl", an_alert("a", "Nova"))
    follower = Follower(tmp_path)
    follower.poll()
    append(tmp_path / "alert-feedback.jsonl", some_feedback("a"))
    follower.poll()

    assert follower.state.incidents.handling("a") == [some_feedback("a")]
