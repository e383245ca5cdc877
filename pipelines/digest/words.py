"""A digest in words: composed from its facts, nothing added."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo

from pipelines.delivery.wording import link_to
from pipelines.digest.charts import Stretch
from pipelines.digest.days import zone_of
from pipelines.digest.facts import AlertFact, BrandDay, Compared, Digest
from pipelines.feedback import in_words
from schemas.records import Estimate

Line = tuple[str, str]  # what it is about, and what is said
Shown = Callable[[float], str]
LEAST_UNSURE = 0.05  # a share of posts that is worth a word


def subject(digest: Digest) -> str:
    """One line: which day, how many alerts, how many brands. Posts may name several brands."""
    told = (alert for brand in digest.brands for alert in brand.alerts)
    alerts = sum(alert.status != "withdrawn" for alert in told)
    brands = _many(len(digest.brands), "brand")
    return f"{digest.title}, {digest.day:%a %d %b %Y}: {_many(alerts, 'alert')}, {brands}"


def introduction(digest: Digest) -> str:
    """From when to when, and in whose clock."""
    zone = zone_of(digest.timezone)
    since, until = (moment.astimezone(zone) for moment in (digest.since, digest.until))
    return (
        f"{since:%a %d %b %Y, %H:%M} to {until:%a %d %b, %H:%M}, times in {digest.timezone}. "
        "In brackets: 95 % intervals."
    )


def lines_of(brand: BrandDay, zone: tzinfo) -> list[Line]:
    """What is said of a brand, its alerts apart."""
    if not brand.windows:
        return [("posts", "none")]
    return [
        ("posts", _posts(brand, zone)),
        *_compared("valence", brand.valence, lambda value: f"{value:+z.2f}"),
        *_compared("negative", brand.share_negative, lambda value: f"{value:.0%}"),
        *([("emotions", _emotions(brand.emotions))] if brand.emotions else []),
        *_hour("best hour", brand.best, zone),
        *_hour("worst hour", brand.worst, zone),
        ("quality", _quality(brand)),
    ]


def alert_lines(alert: AlertFact, zone: tzinfo, page_url: str | None) -> list[str]:
    """What is said of an alert, the first line alone being enough."""
    facts = f"{alert.kind.replace('_', ' ')}, severity {alert.severity}, {_course(alert, zone)}"
    return [
        f"{alert.title} ({facts})",
        *map(in_words, alert.feedback),
        *([f"words: {', '.join(alert.cause_terms)}"] if alert.cause_terms else []),
        *([alert.recommendation] if alert.status == "firing" and alert.recommendation else []),
        *([link_to(alert.alert_id, page_url)] if page_url else []),
    ]


def notes(digest: Digest) -> list[str]:
    """What is to be known of the data of all brands."""
    letters = digest.dead_letters
    if letters is None:
        return []
    if not letters:
        return ["No post of the run was refused."]
    most = sorted(letters.items(), key=lambda item: (-item[1], item[0]))[:3]
    causes = ", ".join(f"{cause} {count:,}" for cause, count in most)
    return [f"{_many(sum(letters.values()), 'dead letter')} in the whole run: {causes}."]


def text_of(digest: Digest) -> str:
    """The whole digest as plain text."""
    zone = zone_of(digest.timezone)
    parts = [introduction(digest)]
    for brand in digest.brands:
        lines = [f"  {name}: {said}" for name, said in lines_of(brand, zone)]
        for alert in brand.alerts:
            first, *rest = alert_lines(alert, zone, digest.page_url)
            lines += [f"  - {first}", *(f"    {line}" for line in rest)]
        parts.append("\n".join([brand.brand, *lines]))
    return "\n\n".join([*parts, *notes(digest)]) + "\n"


def _posts(brand: BrandDay, zone: tzinfo) -> str:
    before = "" if brand.posts_before is None else f", {brand.posts_before:,.0f} a day before"
    most = ""
    if brand.most_people_at is not None:
        at = f"{brand.most_people_at.astimezone(zone):%H:%M}"
        most = f"; at most {_many(brand.most_people, 'person', 'people')} in one window ({at})"
    people = "" if brand.people is None else f" by {_many(brand.people, 'person', 'people')}"
    return f"{brand.posts:,}{people}{before}{most}"


def _compared(name: str, found: Compared | None, shown: Shown) -> Iterator[Line]:
    if found is None:
        return
    said = _estimate(found.day, shown)
    if found.before is not None and found.change is not None:
        said += f"; the week before {_estimate(found.before, shown)}"
        if found.lowest is not None and found.highest is not None:
            said += f", its days {shown(found.lowest)} to {shown(found.highest)}"
        said += f"; {_changed(found.change, name == 'negative')}"
    yield name, said


def _changed(change: Estimate, percent: bool) -> str:
    if change.low <= 0 <= change.high:
        return "no change that chance does not explain"
    scale, unit, digits = (100, " points", 0) if percent else (1, "", 2)
    mean, low, high = (scale * value for value in (change.mean, change.low, change.high))
    return f"changed by {mean:+z.{digits}f}{unit} ({low:+.{digits}f} to {high:+.{digits}f})"


def _emotions(emotions: dict[str, Compared]) -> str:
    def one(group: str, found: Compared) -> str:
        was = f" (was {found.before.mean:.0%})" if found.before else ""
        return f"{group} {found.day.mean:.0%}{was}"

    return ", ".join(one(group, found) for group, found in emotions.items())


def _hour(name: str, stretch: Stretch | None, zone: tzinfo) -> Iterator[Line]:
    if stretch is None or stretch.valence is None:
        return
    span = f"{_clock(stretch.start, zone)} to {_clock(stretch.end, zone)}"
    yield name, f"{span}, valence {stretch.valence.mean:+z.2f} of {stretch.posts:,} posts"


def _quality(brand: BrandDay) -> str:
    open_windows = brand.windows - brand.final
    settled = "final" if not open_windows else f"{open_windows} of them may still change"
    said = f"{_many(brand.windows, 'window')} with posts, {settled}"
    unsure = brand.abstained / brand.posts if brand.posts else 0.0
    return said + (f"; the model was not sure of {unsure:.0%}" if unsure >= LEAST_UNSURE else "")


def _course(alert: AlertFact, zone: tzinfo) -> str:
    since = f"{alert.mark.opened.astimezone(zone):%d %b %H:%M}"
    if alert.status == "firing":
        said = f"since {since}, still firing"
    elif alert.mark.ended is not None:
        said = f"{since} to {alert.mark.ended.astimezone(zone):%d %b %H:%M}, {alert.status}"
    else:
        said = f"{since}, {alert.status}"
    return said + (", muted" if alert.muted else "")


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def _estimate(found: Estimate, shown: Shown) -> str:
    return f"{shown(found.mean)} ({shown(found.low)} to {shown(found.high)})"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
