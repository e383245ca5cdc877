"""The timeline of alerts as Markdown: with references to posts, or with their texts and images."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.reports import table
from pipelines.digest.charts import Stretch, draw_course, mark_of
from schemas.records import Alert, Exemplar, Signal
from transforms.text_cleaning import without_urls

TOLD_AT_LENGTH = 6  # alerts of an event, the gravest
POSTS_OF_ALERT, PICTURES_OF_EVENT = 3, 4
LONGEST_TEXT = 200
INTRODUCTION = """# Two events, as their alerts told them

What Moodwire tells of Hurricane Sandy (October 2012) and of the bombing of the Boston Marathon
(April 2013) when the posts of those days go through it as if they came in now: the settings are
`deploy/settings/mediaeval2016.yaml`, windows of an hour every half hour, medium sensitivity.
Nothing here was written by hand: `python -m benchmarks.timeline --data DIR` makes it again. How an
alert ends is the same in every run; how it was first told depends on how fast posts were read."""
REFERENCES = """**To see the posts and their images**, add `--quotes`: `.run/timeline/timeline.md`
is this page with them. Here posts are named by their ids and their lines in `posts.jsonl.gz` of the
collection, since nothing of it belongs into this repository."""
COLLECTION = """The posts are those of *MediaEval 2016, Verifying Multimedia Use* (Boididou et al.),
Apache-2.0, a collection made to study true and false images: much reposted, few to begin with,
hours and days missing. So the volumes are those of the collection, not of the events. **Many of its
images were fakes at the time**: a shark in a street, a photo of another storm. An alert says what
people post, not what is true."""
QUOTES = """Texts stand as the pipeline cleans them, with mentions masked; images are its own
renditions, shrunk to 160 pixels. This page is for your own eyes: do not publish it."""


class Counts(NamedTuple):
    """Posts while an alert fired, people who wrote them, posts with pictures, and those."""

    posts: int
    people: int
    pictured: int
    pictures: int


class Story(NamedTuple):
    """An event: the states and counts of each of its alerts, its posts, its windows.

    `hidden` says why its images are never shown, where they are not.
    """

    brand: str
    alerts: list[list[Alert]]
    counts: list[Counts]
    posted: list[datetime]
    course: list[Stretch]
    hidden: str = ""


class Quotes:
    """What the page that quotes shows: texts, and of each event a few images, each once."""

    def __init__(self) -> None:
        self.pictures: list[str] = []
        self._room = 0

    def begin(self, story: Story) -> None:
        """Make room for the images of an event."""
        self._room = 0 if story.hidden else PICTURES_OF_EVENT

    def cells(self, post: Exemplar, folder: str) -> list[str]:
        """The image of a post, and its text."""
        return [self._picture(post, folder), f"“{escape(shorten(without_urls(post.text)))}”"]

    def _picture(self, post: Exemplar, folder: str) -> str:
        name = post.thumbnail
        if name is None:
            return ""
        if name in self.pictures:
            return "image shown above"
        if not self._room:
            return "image"
        self._room -= 1
        self.pictures.append(name)
        return f"![image of this post]({folder}/{name[:12]}.jpg)"


def write_page(
    stories: Sequence[Story], places: Mapping[str, int], path: Path, quotes: Quotes | None = None
) -> None:
    """Write the page and its charts.

    Args:
        stories: what it tells.
        places: on which line of the stream each post stands.
        path: of the page; charts go into a folder of its name.
        quotes: collects the images to be put beside the charts; None for a page without quotes.
    """
    folder = path.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    page = _Page(places, path.stem, quotes)
    parts = [INTRODUCTION, QUOTES if quotes else REFERENCES, COLLECTION]
    for story in stories:
        parts += page.event(story)
        if story.alerts:
            (folder / f"{_slug(story.brand)}.png").write_bytes(_chart(story))
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _chart(story: Story) -> bytes:
    """From the day before the first alert to the day after the last."""
    ends = [states[-1].resolved_at or states[-1].updated_at for states in story.alerts]
    since, until = story.alerts[0][0].since - timedelta(days=1), max(ends) + timedelta(days=1)
    shown = [one for one in story.course if since <= one.start < until]
    return draw_course(shown, [mark_of(states) for states in story.alerts], since, until)


class _Page(NamedTuple):
    """What every part of the page needs: lines of posts, folder of its images, what it quotes."""

    places: Mapping[str, int]
    folder: str
    quotes: Quotes | None

    def event(self, story: Story) -> list[str]:
        """An event, its alerts in a table, the gravest at length."""
        heading = [f"## {story.brand}", _said(story)]
        if self.quotes:
            self.quotes.begin(story)
            heading += [story.hidden] if story.hidden else []
        if not story.alerts:
            return heading
        told = list(zip(story.alerts, story.counts, strict=True))
        lengthy = gravest(story.alerts)
        columns = ["since (UTC)", "kind", "severity", "until", "posts", "people", "what was told"]
        return [
            *heading,
            "![Posts an hour and their valence, with what the alerts did]"
            f"({self.folder}/{_slug(story.brand)}.png)",
            table(columns, [_row(states, counts) for states, counts in told]),
            *(part for one in told if one[0] in lengthy for part in self._alert(*one)),
        ]

    def _alert(self, states: list[Alert], counts: Counts) -> list[str]:
        alert = states[-1]
        kind = alert.kind.replace("_", " ")
        terms = ", ".join(f"`{term}`" for term in alert.cause_terms)
        shown = ["image", "text"] if self.quotes else ["image"]
        posts = [self._post(post) for post in _chosen(alert.evidence)]
        parts = [
            f"### {_moment(alert.since)} · {kind} · severity {alert.severity}",
            f"**{escape(alert.title)}.** {_course(states)}",
            f"While it fired: {counts.posts:,} posts, {counts.people:,} people, "
            f"{counts.pictured:,} posts with an image, {counts.pictures:,} images.",
            table(["signal", "seen", "usual", "score"], [_signal(one) for one in alert.signals]),
            f"Words that stood out: {terms}." if terms else "",
            table(["post", "line", "written (UTC)", "valence", "emotion", *shown], posts)
            if posts
            else "",
            f"> {escape(shorten(alert.recommendation, 2 * LONGEST_TEXT))}",
        ]
        return [part for part in parts if part]

    def _post(self, post: Exemplar) -> list[str]:
        line = f"{self.places[post.post_id]:,}" if post.post_id in self.places else ""
        facts = [post.post_id, line, _moment(post.created_at), f"{post.valence:+.2f}", post.emotion]
        if self.quotes:
            return facts + self.quotes.cells(post, self.folder)
        return [*facts, "yes" if post.thumbnail else ""]


def _said(story: Story) -> str:
    first, last = (_day(story.posted[0]), _day(story.posted[-1])) if story.posted else ("", "")
    return f"{len(story.posted):,} posts from {first} to {last}; {len(story.alerts)} alerts."


def gravest(alerts: Sequence[list[Alert]]) -> list[list[Alert]]:
    """The gravest alerts, in the order of time."""
    ranked = sorted(alerts, key=lambda states: (-states[-1].severity, states[0].since))
    return sorted(ranked[:TOLD_AT_LENGTH], key=lambda states: states[0].since)


def _row(states: list[Alert], counts: Counts) -> list[str]:
    alert = states[-1]
    until = _moment(alert.resolved_at) if alert.resolved_at else "–"
    kind = alert.kind.replace("_", " ")
    numbers = [f"{counts.posts:,}", f"{counts.people:,}"]
    return [_moment(alert.since), kind, str(alert.severity), until, *numbers, escape(alert.title)]


def _course(states: list[Alert]) -> str:
    """How it was first told, and what became of it."""
    alert, first, mark = states[-1], states[0], mark_of(states)
    grown = f"severity {first.severity}"
    if alert.severity > first.severity:
        grown += f", {alert.severity} in the end"
    escalated = f"; escalated {_moment(mark.escalated)}" if mark.escalated else ""
    ended = f"; resolved {_moment(mark.ended)}" if mark.ended else ""
    return f"First told with {grown}{escalated}{ended}."


def _signal(signal: Signal) -> list[str]:
    both = (signal.value, signal.expected)
    seen, usual = (f"{value:.2f}".rstrip("0").rstrip(".") for value in both)
    return [signal.name.replace("_", " "), seen, usual, f"{signal.score:.1f}"]


def _chosen(evidence: Sequence[Exemplar]) -> list[Exemplar]:
    """A few posts, those with an image first."""
    return sorted(evidence, key=lambda post: post.thumbnail is None)[:POSTS_OF_ALERT]


def shorten(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` on one line, cut between words.

    >>> shorten("one two three", 8)
    'one two…'
    """
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    return line[: longest + 1].rpartition(" ")[0].rstrip(" ,;:") + "…"


def escape(text: str) -> str:
    r"""`text` as Markdown shows it literally.

    >>> print(escape("*a* | <b>"))
    \*a\* \| &lt;b>
    """
    return re.sub(r"([\\`*_\[\]#|])", r"\\\1", text).replace("<", "&lt;")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %b %Y, %H:%M")


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %b %Y")


def _slug(brand: str) -> str:
    return brand.lower().replace(" ", "-")
