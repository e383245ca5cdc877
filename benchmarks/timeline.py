"""The alerts of two real events as a page: `python -m benchmarks.timeline --help`.

Replays the posts with images of MediaEval 2016 (verifying multimedia use) through the whole
pipeline, as `moodwire replay` does it with deploy/settings/mediaeval2016.yaml, and writes
docs/timeline.md with the alerts about Hurricane Sandy and the Boston Marathon: what was told and
when, the posts and images behind it, the words that stood out, and what was recommended.

  python -m benchmarks.timeline --data ../shared/data     replay and write, some ten minutes
  python -m benchmarks.timeline --run .run/timeline       write again from that run
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from PIL import Image

from benchmarks.timeline_page import Story, write_page
from deploy.processes import REPOSITORY
from pipelines.run_folder import RunFolder
from schemas.records import Alert, Record, decode

# By event: why its images are not shown, where they are not.
BRANDS = {
    "Hurricane Sandy": "",
    "Boston Marathon": "Its images are not shown: many are of people who were called suspects, "
    "some of them wrongly.",
}
POSTS = Path("streams/mediaeval2016/posts.jsonl.gz")
SETTINGS = REPOSITORY / "deploy/settings/mediaeval2016.yaml"
WIDEST = 160  # pixels of an image on the page
JPEG_QUALITY = 70
R = TypeVar("R", bound=Record)


class _Posted(msgspec.Struct):
    created_at: datetime
    brands: tuple[str, ...]


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


def posted_about(path: Path, brand: str) -> list[datetime]:
    """When posts about a brand were written."""
    decoder = msgspec.json.Decoder(_Posted)
    with path.open("rb") as lines:
        readings = [decoder.decode(line) for line in lines]
    return sorted(one.created_at.astimezone(UTC) for one in readings if brand in one.brands)


def shrink(rendition: Path, target: Path) -> None:
    """A small copy of an image."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(rendition) as image:
        image.thumbnail((WIDEST, WIDEST))
        image.convert("RGB").save(target, quality=JPEG_QUALITY, optimize=True)


def main() -> None:
    """Replay if asked to, then write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help=f"folder that holds {POSTS}; replays it first")
    parser.add_argument("--run", type=Path, default=REPOSITORY / ".run/timeline", help="run folder")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs/timeline.md")
    args = parser.parse_args()
    folder = RunFolder(args.run.resolve())
    if args.data:
        replay((args.data / POSTS).resolve(), folder.path)
    if not folder.file("alerts").exists():
        parser.error(f"--run {args.run}: no alerts there. Give --data to replay the stream first")
    alerts = list(read_records(folder.file("alerts"), Alert))
    stories = [
        Story(brand, states_of(alerts, brand), posted_about(folder.file("readings"), brand), hidden)
        for brand, hidden in BRANDS.items()
    ]
    for name in write_page(stories, args.output):
        shrink(folder.media / f"{name}.jpg", args.output.with_suffix("") / f"{name[:12]}.jpg")
    print(f"written to {args.output}")


if __name__ == "__main__":
    main()
