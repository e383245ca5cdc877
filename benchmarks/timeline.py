"""The alerts of two real events as a page: `python -m benchmarks.timeline --help`.

Replays the posts with images of MediaEval 2016 (verifying multimedia use) through the whole
pipeline, as `moodwire replay` does it with deploy/settings/mediaeval2016.yaml, and writes
docs/timeline.md with the alerts about Hurricane Sandy and the Boston Marathon: what was told and
when, against what was usual, the words that stood out, and what was recommended. It refers to posts
by their ids. With --quotes, a second page shows their texts and images: .run/timeline/timeline.md.

  python -m benchmarks.timeline --data ../shared/data --quotes       replay and write
  python -m benchmarks.timeline --data ../shared/data --run .run/timeline      write again
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from PIL import Image

from benchmarks.timeline_page import Counts, Quotes, Story, write_page
from deploy.processes import REPOSITORY
from pipelines.digest.charts import Stretch
from pipelines.run_folder import RunFolder
from schemas.records import Alert, Record, Slice, Trend, decode

# By event: why its images are not shown, where they are not.
BRANDS = {
    "Hurricane Sandy": "",
    "Boston Marathon": "Its images are not shown: many are of people who were called suspects, "
    "some of them wrongly.",
}
POSTS = Path("streams/mediaeval2016/posts.jsonl.gz")
SETTINGS = REPOSITORY / "deploy/settings/mediaeval2016.yaml"
PAGE, RUN = REPOSITORY / "docs/timeline.md", REPOSITORY / ".run/timeline"
WIDEST = 160  # pixels of an image on the page
JPEG_QUALITY = 70
R = TypeVar("R", bound=Record)


class Posted(msgspec.Struct):
    """What is counted of a reading."""

    created_at: datetime
    brands: tuple[str, ...]
    author: str
    thumbnails: tuple[str, ...] = ()


class _Line(msgspec.Struct):
    post_id: str


def replay(posts: Path, folder: Path) -> None:
    """Run the whole pipeline over the stream.

    Raises:
        subprocess.CalledProcessError: the run failed; it has told why.
    """
    command = [sys.executable, "-m", "pipelines.command_line", "replay", str(posts)]
    where = ["--settings", str(SETTINGS), "--output", str(folder), "--overwrite"]
    subprocess.run([*command, *where], cwd=REPOSITORY, check=True)


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of a file of a run."""
    with path.open("rb") as lines:
        for line in lines:
            yield decode(line, kind)


def states_of(alerts: Iterable[Alert], brand: str) -> list[list[Alert]]:
    """What was told of each alert of a brand, oldest first; alerts by when they began.

    An alert that late posts withdrew is left out: no later state of it stands.
    """
    told: dict[str, dict[int, Alert]] = defaultdict(dict)
    for alert in alerts:
        if alert.brand == brand:
            told[alert.alert_id][alert.revision] = alert
    every = [[states[revision] for revision in sorted(states)] for states in told.values()]
    standing = [states for states in every if states[-1].status != "withdrawn"]
    return sorted(standing, key=lambda states: (states[0].since, states[0].alert_id))


def posted_about(path: Path, brand: str) -> list[Posted]:
    """The posts about a brand, by when they were written."""
    decoder = msgspec.json.Decoder(Posted)
    with path.open("rb") as lines:
        found = [one for one in map(decoder.decode, lines) if brand in one.brands]
    return sorted(found, key=lambda one: one.created_at)


def count(posted: Iterable[Posted], states: Sequence[Alert]) -> Counts:
    """The posts while an alert fired, their authors, and their pictures."""
    since, until = states[0].since, states[-1].resolved_at or states[-1].updated_at
    posts = [one for one in posted if since <= one.created_at < until]
    return Counts(
        posts=len(posts),
        people=len({one.author for one in posts}),
        pictured=sum(bool(one.thumbnails) for one in posts),
        pictures=len({name for one in posts for name in one.thumbnails}),
    )


def course_of(trends: Iterable[Trend], brand: str) -> list[Stretch]:
    """The final windows of a brand that do not overlap."""
    chosen: dict[datetime, Trend] = {}
    for trend in trends:
        width = trend.window_end - trend.window_start
        stands_alone = trend.window_start.timestamp() % width.total_seconds() == 0
        if trend.brand == brand and trend.slice == Slice() and trend.final and stands_alone:
            chosen[trend.window_start] = trend
    return [
        Stretch(
            trend.window_start,
            trend.window_end,
            trend.posts,
            trend.valence if trend.posts > trend.abstained else None,
            trend.share_negative if trend.posts > trend.abstained else None,
        )
        for _, trend in sorted(chosen.items())
    ]


def places_in(posts: Path) -> dict[str, int]:
    """On which line of the stream each post stands first, counted from one."""
    decoder, places = msgspec.json.Decoder(_Line), dict[str, int]()
    with gzip.open(posts, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            places.setdefault(decoder.decode(line).post_id, number)
    return places


def tell(folder: RunFolder) -> list[Story]:
    """The events as a run told them."""
    alerts = list(read_records(folder.file("alerts"), Alert))
    trends = [t for t in read_records(folder.file("trends"), Trend) if t.brand in BRANDS]
    stories = []
    for brand, hidden in BRANDS.items():
        posted = posted_about(folder.file("readings"), brand)
        told = states_of(alerts, brand)
        counts = [count(posted, states) for states in told]
        moments = [one.created_at.astimezone(UTC) for one in posted]
        stories.append(Story(brand, told, counts, moments, course_of(trends, brand), hidden))
    return stories


def shrink(rendition: Path, target: Path) -> None:
    """A small copy of an image."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(rendition) as image:
        image.thumbnail((WIDEST, WIDEST))
        image.convert("RGB").save(target, quality=JPEG_QUALITY, optimize=True)


def main() -> None:
    """Replay unless a run is given, then write the page, or both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {POSTS}")
    parser.add_argument("--run", type=Path, help="do not replay: the run folder to write from")
    parser.add_argument("--output", type=Path, default=PAGE, help="the page without quotes")
    parser.add_argument("--quotes", action="store_true", help=f"also write {RUN}/timeline.md")
    args = parser.parse_args()
    posts, folder = (args.data / POSTS).resolve(), RunFolder((args.run or RUN).resolve())
    if args.run is None:
        replay(posts, folder.path)
    if not folder.file("alerts").exists():
        parser.error(f"--run {args.run}: no alerts there. Leave --run out to replay the stream")
    stories, places = tell(folder), places_in(posts)
    write_page(stories, places, args.output)
    print(f"written to {args.output}")
    if args.quotes:
        page, quotes = RUN / "timeline.md", Quotes()
        write_page(stories, places, page, quotes)
        for name in quotes.pictures:
            shrink(folder.media / f"{name}.jpg", page.with_suffix("") / f"{name[:12]}.jpg")
        print(f"with texts and images: {page}")


if __name__ == "__main__":
    main()
