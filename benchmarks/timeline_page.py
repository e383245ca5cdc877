"""The timeline of alerts as Markdown with pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.reports import table
from schemas.records import Alert, Exemplar
from transforms.text_cleaning import without_urls

TOLD_AT_LENGTH = 6  # alerts of an event, the gravest
POSTS_OF_ALERT, PICTURES_OF_EVENT = 3, 4
LONGEST_TEXT = 200
INTRODUCTION = """# Two events, as their alerts told them

What Moodwire tells of Hurricane Sandy (October 2012) and of the bombing of the Boston Marathon
(April 2013) when the posts of those days go through it as if they came in now: the settings are
`deploy/settings/mediaeval2016.yaml`, windows of an hour every half hour, medium sensitivity.
Nothing on this page was written by hand; `python -m benchmarks.timeline --data DIR` makes it again.

The posts are those of *MediaEval 2016, Verifying Multimedia Use* (Boididou et al.), Apache-2.0, a
collection made to study true and false images: much reposted, few to begin with, hours and days
missing. So the volumes are those of the collection, not of the events. Texts stand as the pipeline
cleans them, with mentions masked; images are its own renditions, shrunk to 160 pixels. **Many of
them were fakes at the time**: a shark in a street, a photo of another storm. An alert says what
people post, not what is true."""


class Story(NamedTuple):
    """An event: the states of each of its alerts, when posts were written, why no images show."""

    brand: str
    alerts: list[list[Alert]]
    posted: list[datetime]
    hidden: str = ""


def write_page(stories: Sequence[Story], path: Path) -> list[str]:
    """Write the page and its charts; returns the renditions that it shows."""
    pictures: list[str] = []
    parts = [INTRODUCTION]
    for story in stories:
        shown = _Pictures(path.stem, 0 if story.hidden else PICTURES_OF_EVENT)
        parts += _event(story, path.stem, shown)
        draw_chart(story, path.with_suffix("") / f"{_slug(story.brand)}.png")
        pictures += shown.names
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return pictures


class _Pictures:
    """The images that an event shows: each once, and only a few."""

    def __init__(self, folder: str, most: int) -> None:
        self.folder, self.most, self.names = folder, most, list[str]()

    def show(self, post: Exemplar) -> str:
        name = post.thumbnail
        if name is None:
            return ""
        if name in self.names:
            return "image shown above"
        if len(self.names) >= self.most:
            return "image"
        self.names.append(name)
        return f"![image of this post]({self.folder}/{name[:12]}.jpg)"


def _event(story: Story, folder: str, pictures: _Pictures) -> list[str]:
    chart = f"{folder}/{_slug(story.brand)}.png"
    first, last = (_day(story.posted[0]), _day(story.posted[-1])) if story.posted else ("", "")
    heading = [
        f"## {story.brand}",
        f"{len(story.posted):,} posts from {first} to {last}; {len(story.alerts)} alerts. "
        + story.hidden,
    ]
    if not story.alerts:
        return heading
    lengthy = gravest(story.alerts)
    rows = [_row(states) for states in story.alerts]
    return [
        *heading,
        f"![posts an hour, alerts marked by severity]({chart})",
        table(["since (UTC)", "kind", "severity", "until", "what was told"], rows),
        *(part for states in lengthy for part in _alert(states, pictures)),
    ]


def gravest(alerts: Sequence[list[Alert]]) -> list[list[Alert]]:
    """The gravest alerts, in the order of time."""
    ranked = sorted(alerts, key=lambda states: (-states[-1].severity, states[0].since))
    return sorted(ranked[:TOLD_AT_LENGTH], key=lambda states: states[0].since)


def _row(states: list[Alert]) -> list[str]:
    alert = states[-1]
    until = _moment(alert.resolved_at) if alert.resolved_at else "–"
    kind = alert.kind.replace("_", " ")
    return [_moment(alert.since), kind, str(alert.severity), until, escape(alert.title)]


def _alert(states: list[Alert], pictures: _Pictures) -> list[str]:
    alert, first = states[-1], states[0]
    grown = f"severity {first.severity}"
    if alert.severity > first.severity:
        grown += f", {alert.severity} in the end"
    ended = f"; resolved {_moment(alert.resolved_at)}" if alert.resolved_at else ""
    terms = ", ".join(f"`{term}`" for term in alert.cause_terms)
    posts = [_post(post, pictures) for post in _chosen(alert.evidence)]
    parts = [
        f"### {_moment(alert.since)} · {alert.kind.replace('_', ' ')} · severity {alert.severity}",
        f"**{escape(alert.title)}.** First told with {grown}{ended}.",
        f"Words that stood out: {terms}." if terms else "",
        table(["", "post", "valence", "emotion"], posts) if posts else "",
        f"> {escape(shorten(alert.recommendation, 2 * LONGEST_TEXT))}",
    ]
    return [part for part in parts if part]


def _chosen(evidence: Iterable[Exemplar]) -> list[Exemplar]:
    """A few posts, those with an image first."""
    return sorted(evidence, key=lambda post: post.thumbnail is None)[:POSTS_OF_ALERT]


def _post(post: Exemplar, pictures: _Pictures) -> list[str]:
    said = (
        f"“{escape(shorten(without_urls(post.text), LONGEST_TEXT))}” ({_moment(post.created_at)})"
    )
    return [pictures.show(post), said, f"{post.valence:+.2f}", post.emotion]


def shorten(text: str, longest: int) -> str:
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


def draw_chart(story: Story, path: Path) -> None:
    """Posts an hour over the days of the alerts, a span for each alert."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    if not story.alerts:
        return
    ends = [states[-1].resolved_at or states[-1].updated_at for states in story.alerts]
    since, until = story.alerts[0][0].since - timedelta(days=1), max(ends) + timedelta(days=1)
    hours = Counter(
        one.replace(minute=0, second=0, microsecond=0)
        for one in story.posted
        if since <= one <= until
    )
    figure, axes = plt.subplots(figsize=(8, 2.4), dpi=80)
    axes.bar(list(map(_days, hours)), list(hours.values()), width=1 / 24, color="#4c78a8")
    axes.xaxis_date()
    for states, end in zip(story.alerts, ends, strict=True):
        darkness = 0.04 * states[-1].severity
        axes.axvspan(_days(states[0].since), _days(end), color="#e45756", alpha=darkness)
    axes.set_ylabel("posts an hour")
    axes.spines[["top", "right"]].set_visible(False)
    figure.autofmt_xdate(rotation=0, ha="center")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def _days(moment: datetime) -> float:
    """Days since 1970, which matplotlib draws as dates."""
    return moment.timestamp() / 86_400
