"""Facts about the page that tells two events by their alerts."""

import gzip
from pathlib import Path

import msgspec

from benchmarks.timeline import Posted, count, course_of, places_in, posted_about, states_of
from benchmarks.timeline_page import Counts, Quotes, Story, gravest, write_page
from schemas.records import Alert, Exemplar, Signal, Weights, encode
from tests.builders import a_reading, at
from tests.trends import a_trend


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


def a_story(hidden: str = "") -> Story:
    told = [an_alert(), an_alert(revision=2, severity=7)]
    windows = course_of([a_trend(n, brand="Nova") for n in range(24)], "Nova")
    return Story("Nova", [told], [Counts(3, 2, 1, 1)], [at(0), at(60)], windows, hidden)


def test_the_page_to_be_kept_refers_to_posts_and_shows_nothing_of_them(tmp_path: Path) -> None:
    write_page([a_story()], {"1": 1234}, tmp_path / "timeline.md")
    page = (tmp_path / "timeline.md").read_text()

    assert "swims" not in page and "ffffffffffff" not in page
    assert "| 1 | 1,234 | 01 Jan 2026, 12:01 | -0.70 | fear | yes |" in page
    assert "| volume | 90 | 8 | 9.0 |" in page
    assert "3 posts, 2 people, 1 posts with an image" in page
    assert "severity 5, 7 in the end" in page and "--quotes" in page.partition("##")[0]
    assert [file.name for file in (tmp_path / "timeline").iterdir()] == ["nova.png"]


def test_the_page_that_quotes_shows_each_image_once_and_escapes_texts(tmp_path: Path) -> None:
    quotes = Quotes()
    write_page([a_story()], {}, tmp_path / "timeline.md", quotes)
    page = (tmp_path / "timeline.md").read_text()

    assert quotes.pictures == ["f" * 64]
    assert page.count("![image of this post](timeline/ffffffffffff.jpg)") == 1
    assert "A shark \\| swims \\*here\\*" in page


def test_images_that_are_not_to_be_shown_are_not_and_the_reason_stands_there(
    tmp_path: Path,
) -> None:
    quotes = Quotes()
    write_page([a_story("Of suspects.")], {}, tmp_path / "timeline.md", quotes)

    assert quotes.pictures == []
    assert "Of suspects." in (tmp_path / "timeline.md").read_text()


def test_posts_people_and_pictures_are_those_of_the_time_an_alert_fired() -> None:
    posted = [
        Posted(at(-1), ("Nova",), "a", ("before",)),
        Posted(at(0), ("Nova",), "a", ("one",)),
        Posted(at(5), ("Nova",), "b", ("one", "two")),
        Posted(at(6), ("Nova",), "b"),
        Posted(at(3600), ("Nova",), "c"),
    ]

    assert count(posted, [an_alert()]) == Counts(posts=3, people=2, pictured=2, pictures=2)


def test_the_course_is_of_final_windows_that_do_not_overlap() -> None:
    trends = [a_trend(n / 5) for n in range(15)] + [a_trend(9, final=False)]

    assert [one.start for one in course_of(trends, "Nova")] == [at(n * 300 - 300) for n in range(3)]


def test_a_post_is_found_on_its_first_line(tmp_path: Path) -> None:
    lines = "".join(f'{{"post_id": "{name}", "text": "x"}}\n' for name in "abca")
    (tmp_path / "posts.jsonl.gz").write_bytes(gzip.compress(lines.encode()))

    assert places_in(tmp_path / "posts.jsonl.gz") == {"a": 1, "b": 2, "c": 3}


def test_the_gravest_alerts_are_told_at_length_in_the_order_of_time() -> None:
    alerts = [[an_alert(str(n), since=at(n), severity=1 + n % 7)] for n in range(14)]
    chosen = [states[0].severity for states in gravest(alerts)]

    assert chosen == [5, 6, 7, 5, 6, 7]


def test_posts_about_a_brand_are_told_by_their_times(tmp_path: Path) -> None:
    readings = [a_reading(created_at=at(9)), a_reading(brands=("Orion",)), a_reading()]
    (tmp_path / "readings.jsonl").write_bytes(b"\n".join(map(encode, readings)) + b"\n")

    found = posted_about(tmp_path / "readings.jsonl", "Nova")

    assert [one.created_at for one in found] == [at(0), at(9)]
