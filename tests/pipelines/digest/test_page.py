"""Facts about a digest as a page, as text and as charts."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest
from PIL import Image

from pipelines.digest import page, words
from pipelines.digest.charts import Mark, draw_course, mark_of
from pipelines.digest.days import zone_of
from pipelines.digest.facts import Digest, compose
from tests.pipelines.digest.days import FRAME, MIDNIGHT, THE_DAY, a_day, gathered, incident, sliding

MEAN = '<script>alert(1)</script> & "Co" $x$'


def a_digest(brand: str = "Nova", timezone: str = "UTC") -> Digest:
    frame = msgspec.structs.replace(FRAME, timezone=timezone)
    return compose(gathered(a_day(brand)), [brand], THE_DAY, frame, {"decode/bad_timestamp": 3})


class Elements(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_text_says_the_day_against_the_week_before() -> None:
    text = words.text_of(a_digest())

    assert words.subject(a_digest()) == "Moodwire, Thu 18 Jun 2026: 1 alert, 1 brand"
    assert "posts: 1,584, 1,152 a day before; at most 40 people in one window (12:00)" in text
    assert "the week before +0.30 (+0.28 to +0.32), its days +0.30 to +0.30; changed by -0." in text
    assert "worst hour: 12:00 to 13:00, valence -0.60 of 480 posts" in text
    assert "severity 6, 18 Jun 12:00 to 18 Jun 14:00, resolved" in text
    assert "judged a true alarm by Ada" in text
    assert "words: kettle, melts" in text
    assert "https://page.example/#alert=a1" in text
    assert "3 dead letters in the whole run: decode/bad_timestamp 3." in text


def test_times_are_those_of_the_time_zone() -> None:
    text = words.text_of(a_digest(timezone="Asia/Tokyo"))

    assert "Thu 18 Jun 2026, 00:00 to Fri 19 Jun, 00:00, times in Asia/Tokyo" in text
    assert "18 Jun 21:00 to 18 Jun 23:00" in text


def test_what_chance_explains_is_called_no_change() -> None:
    calm = [*sliding(MIDNIGHT.replace(day=17), 24), *sliding(MIDNIGHT, 24)]
    text = words.text_of(compose(gathered(calm), ["Nova"], THE_DAY, FRAME))

    assert text.count("no change that chance does not explain") == 2


def test_a_brand_nobody_spoke_of_is_told_without_a_chart() -> None:
    digest = compose(gathered([]), ["Nova"], THE_DAY, FRAME)

    assert "posts: none" in words.text_of(digest)
    assert page.charts_of(digest) == {}
    assert "<img" not in page.page_of(digest, page.attached)


def test_markup_in_names_is_shown_and_never_obeyed() -> None:
    digest = a_digest(MEAN)
    charts = page.charts_of(digest)
    found = Elements(page.page_of(digest, page.embedded(charts)))

    assert "script" not in found.tags
    assert MEAN in found.text
    assert list(charts) == ["digest-2026-06-18-1-script-alert-1-script-co-x.png"]


def test_the_page_is_one_file_and_its_mail_refers_to_what_it_carries() -> None:
    digest = a_digest()
    charts = page.charts_of(digest)
    alone = Elements(page.page_of(digest, page.embedded(charts))).sources
    mailed = Elements(page.page_of(digest, page.attached)).sources

    assert [s.partition(",")[0] for s in alone] == [FRAME.page_url + "/#alert=a1", PNG]  # type: ignore[operator]
    assert mailed[1:] == ["cid:digest-2026-06-18-1-nova.png"]
    assert mailed[1].removeprefix("cid:") in charts


PNG = "data:image/png;base64"


def test_two_brands_that_look_alike_have_charts_of_their_own() -> None:
    records = [*a_day("Nova!"), *a_day("Nova?")]
    digest = compose(gathered(records), ["Nova!", "Nova?", "楽天"], THE_DAY, FRAME)
    names = [page.chart_name(digest, number) for number in range(3)]

    assert names == [
        "digest-2026-06-18-1-nova.png",
        "digest-2026-06-18-2-nova.png",
        "digest-2026-06-18-3.png",
    ]


def pixels(image: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(image)) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


def test_a_chart_shows_the_incident_where_it_was() -> None:
    day = a_digest().brands[0]
    marks = [alert.mark for alert in day.alerts]
    until = MIDNIGHT.replace(day=19)
    drawn = pixels(draw_course(day.stretches, marks, MIDNIGHT, until))
    past = Mark(MIDNIGHT.replace(day=1), None, MIDNIGHT.replace(day=2), severity=9)
    calm = pixels(draw_course(day.stretches, [past], MIDNIGHT, until))
    differs = (drawn != calm).any(axis=2).any(axis=0)
    columns = np.flatnonzero(differs) / len(differs)

    assert 0.5 < columns.min() < 0.56 and 0.56 < columns.max() < 0.66


def test_turns_that_the_states_do_not_show_are_not_made_up() -> None:
    """A compacted topic keeps the last state alone."""
    first, worse, over = incident()
    known, compacted = mark_of([first, worse, over]), mark_of([over])

    assert known.escalated == worse.updated_at
    assert (compacted.opened, compacted.escalated) == (over.since, None)
    assert compacted.ended == over.resolved_at


def test_charts_are_small_and_the_same_each_time() -> None:
    first, again = (page.charts_of(a_digest()) for _ in range(2))

    assert first == again
    assert all(len(image) < 60_000 for image in first.values())


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York"])
def test_a_chart_of_nothing_can_be_drawn(timezone: str) -> None:
    drawn = pixels(draw_course([], [], MIDNIGHT, MIDNIGHT.replace(day=19), zone_of(timezone)))

    assert drawn.shape[1] == 640
