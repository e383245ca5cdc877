"""Facts about the page that tells two events by their alerts."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.timeline import posted_about, states_of
from benchmarks.timeline_page import Story, gravest, write_page
from schemas.records import Alert, Exemplar, Signal, Weights, encode
from tests.builders import a_reading, at


def an_alert(name: str = "a", revision: int = 1, **changes: object) -> Alert:
    post = Exemplar(
        channel="x",
        post_id="1",
        created_at=at(60),
        text="A shark | swims *here*",
        valence=-0.7,
        emotion="fear",
        reach=9,
        weights=Weights(0.4, 0.6),
        thumbnail="f" * 64,
    )
    alert = Alert(
        alert_id=name,
        brand="Nova",
        kind="crisis",
        status="firing",
        severity=5,
        since=at(0),
        updated_at=at(3600),
        resolved_at=None,
        revision=revision,
        final=False,
        title="Nova: 90 people posting where 8 are usual",
        signals=(Signal(name="volume", value=90, expected=8, score=9),),
        evidence=(post, msgspec.structs.replace(post, post_id="2")),
        cause_terms=("#shark",),
        recommendation="For the crisis team: 1. Look.",
        playbook="test",
    )
    return msgspec.structs.replace(alert, **changes)


def test_states_of_an_alert_come_in_order_and_withdrawn_ones_not_at_all() -> None:
    told = [
        an_alert("b", 2, since=at(600), severity=8),
        an_alert("b", 1, since=at(600)),
        an_alert("a"),
        an_alert("c"),
        an_alert("c", 2, status="withdrawn"),
        an_alert("d", brand="Orion"),
    ]
    found = states_of(told, "Nova")

    assert [[(one.alert_id, one.revision) for one in states] for states in found] == [
        [("a", 1)],
        [("b", 1), ("b", 2)],
    ]


def test_the_page_shows_each_image_once_and_escapes_what_people_write(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    story = Story("Nova", [[an_alert(), an_alert(revision=2, severity=7)]], [at(0), at(60)])
    shown = write_page([story], tmp_path / "timeline.md")
    page = (tmp_path / "timeline.md").read_text()

    assert shown == ["f" * 64]
    assert page.count("![image of this post](timeline/ffffffffffff.jpg)") == 1
    assert "A shark \\| swims \\*here\\*" in page and "severity 5, 7 in the end" in page
    assert (tmp_path / "timeline/nova.png").exists()


def test_the_gravest_alerts_are_told_at_length_in_the_order_of_time() -> None:
    alerts = [[an_alert(str(n), since=at(n), severity=1 + n % 7)] for n in range(14)]
    chosen = [states[0].severity for states in gravest(alerts)]

    assert chosen == [5, 6, 7, 5, 6, 7]


def test_posts_about_a_brand_are_told_by_their_times(tmp_path: Path) -> None:
    readings = [a_reading(created_at=at(9)), a_reading(brands=("Orion",)), a_reading()]
    (tmp_path / "readings.jsonl").write_bytes(b"\n".join(map(encode, readings)) + b"\n")

    assert posted_about(tmp_path / "readings.jsonl", "Nova") == [at(0), at(9)]
