"""Facts about alerts as Grafana's annotations: each once, in words, gone where it never was."""

from __future__ import annotations

from msgspec.structs import replace

from dashboards.grafana.client import Grafana
from dashboards.grafana.incidents import annotate, note_of
from schemas.records import Alert
from tests.dashboards.grafana_contract import TOKEN, Contents, a_grafana
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.story import SCRIPT_POST


def client(grafana: Contents) -> Grafana:
    return Grafana(grafana.url, TOKEN)


def ended(alert: Alert) -> Alert:
    return replace(alert, status="resolved", resolved_at=at(18.0), updated_at=at(18.0), revision=9)


def test_an_alert_is_told_once_and_ends_where_it_ended() -> None:
    alert = an_alert("a1", "Nova", hours=(14.0, 15.0))
    with a_grafana() as grafana:
        done = [annotate(client(grafana), state) for state in (alert, alert, ended(alert))]
        done.append(annotate(client(grafana), ended(alert)))

    assert done == ["made", "unchanged", "changed", "unchanged"]
    (note,) = grafana.annotations.values()
    assert (note["time"], note["timeEnd"]) == tuple(at(h).timestamp() * 1000 for h in (14, 18))
    assert note["tags"] == ["moodwire", "Nova", "crisis", "alert:a1"]
    assert len(grafana.writes) == 2


def test_one_alert_is_told_from_the_next() -> None:
    with a_grafana() as grafana:
        for name in ("a1", "a2"):
            assert annotate(client(grafana), an_alert(name, "Nova")) == "made"

    assert len(grafana.annotations) == 2


def test_what_was_withdrawn_never_was() -> None:
    alert = an_alert("a1", "Nova")
    with a_grafana() as grafana:
        for state in (alert, replace(alert, status="withdrawn")):
            annotate(client(grafana), state)
        assert annotate(client(grafana), replace(alert, status="withdrawn")) == "unchanged"

    assert grafana.annotations == {}


def test_words_that_others_wrote_stay_words() -> None:
    alert = an_alert("a1", "<b>Nova</b>", title=f"<b>Nova</b>: {SCRIPT_POST}")

    text = note_of(alert, "http://page.example")["text"]

    assert "<script" not in text and "<img" not in text and "&lt;script&gt;" in text
    assert '<a href="http://page.example/#alert=a1">' in text
