"""Facts about what is told of an alert: what is new, once, and under a name that stays."""

from msgspec.structs import replace

from pipelines.delivery.events import (
    Told,
    alert_in,
    body_of,
    event_of,
    message_id_of,
    told_by,
)
from pipelines.delivery.wording import body_text, subject
from schemas.records import Alert
from tests.dashboards.incidents import an_alert, build_alerts
from tests.pipelines.delivery.receiver import states


def events_of(alerts: list[Alert]) -> list[str | None]:
    told: Told | None = None
    found: list[str | None] = []
    for alert in alerts:
        event = event_of(alert, told)
        found.append(event)
        told = told_by(alert) if event else told
    return found


def test_an_incident_is_told_as_it_goes() -> None:
    assert events_of(states()) == ["opened", "updated", None, "escalated", "resolved"]


def test_a_state_that_only_became_final_is_nothing_new() -> None:
    resolved = an_alert("a1", "Nova", status="resolved")

    assert event_of(replace(resolved, final=True, revision=9), told_by(resolved)) is None


def test_what_was_over_before_anybody_heard_of_it_is_told_unless_it_never_stood() -> None:
    assert event_of(an_alert("a1", "Nova", status="resolved"), None) == "resolved"
    assert event_of(an_alert("a1", "Nova", status="withdrawn"), None) is None


def test_a_muted_alert_is_told_once_it_no_longer_is_and_to_those_who_know_it() -> None:
    muted = replace(an_alert("a1", "Nova"), muted=True)
    firing = replace(muted, muted=False, revision=2)

    assert event_of(muted, None) is None
    assert event_of(firing, None) == "opened"
    assert event_of(replace(muted, status="resolved"), told_by(firing)) == "resolved"


def test_an_incident_that_late_posts_open_again_is_opened() -> None:
    resolved = an_alert("a1", "Nova", status="resolved")

    assert event_of(an_alert("a1", "Nova", revision=2), told_by(resolved)) == "opened"


def test_every_state_has_a_name_of_its_own_and_a_body_that_holds_it_all() -> None:
    alerts = states()
    alerts.append(replace(alerts[-1], final=True))

    assert len({message_id_of(alert) for alert in alerts}) == len(alerts)
    assert alert_in(body_of(alerts[0], "opened")) == ("opened", alerts[0])
    assert body_of(alerts[0], "opened").startswith(b'{"type":"alert.opened","timestamp":"')


def test_words_hold_what_a_person_needs_and_nothing_else() -> None:
    alert = next(alert for alert in build_alerts() if alert.evidence and alert.cause_terms)

    text = body_text("opened", replace(alert, status="firing"), "https://mood.example/")

    assert alert.recommendation in text and alert.cause_terms[0] in text
    assert alert.evidence[0].text.split()[0] in text
    assert f"https://mood.example/#alert={alert.alert_id}" in text
    assert f"severity {alert.severity} of 10" in subject("opened", alert)


def test_an_alert_that_is_over_gives_no_advice() -> None:
    alert = an_alert("a1", "Nova", status="resolved", recommendation="Call them.")

    assert "Call them." not in body_text("resolved", alert)
    assert "over at" in body_text("resolved", alert)
