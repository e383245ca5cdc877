"""The whole day as files: posts, pictures, the truth about them and the watchlist."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

from pipelines.demo.generate.arrival import Line, arrange
from pipelines.demo.generate.drafts import Desk, write_day
from pipelines.demo.generate.extras import write_extras
from pipelines.demo.generate.people import Crowd
from pipelines.demo.generate.pictures.families import draw_pictures, name_pictures
from pipelines.demo.generate.spoilage import write_bad_pictures
from pipelines.demo.generate.story import SEED
from pipelines.demo.generate.truth import describe, watchlist
from pipelines.demo.generate.words import Writer

_AUTHORS = 3400


def write_lines(scale: float = 1.0, seed: int = SEED) -> list[Line]:
    """Every record of the day in order of arrival, the same for the same arguments."""
    rng = random.Random(seed)
    crowd = Crowd(random.Random(f"crowd {seed}"), round(_AUTHORS * scale))
    desk = Desk(rng, Writer(random.Random(f"words {seed}")), crowd, name_pictures(scale))
    drafts = [*write_day(desk, scale), *write_extras(desk, scale)]
    return arrange(drafts, desk, scale)


def write_demo(
    folder: Path, scale: float = 1.0, seed: int = SEED, with_pictures: bool = True
) -> None:
    """Write the demo's files into `folder`; `with_pictures` also draws every picture again."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = write_lines(scale, seed)
    _write_posts(folder / "posts.jsonl.gz", lines)
    pictures = [path for family in name_pictures(scale).values() for path in family]
    truth = json.dumps(describe(lines, pictures, seed), indent=1, ensure_ascii=False)
    (folder / "story.json").write_text(truth + "\n", encoding="utf-8")
    (folder / "watchlist.yaml").write_text(watchlist(), encoding="utf-8")
    write_bad_pictures(folder)
    for _ in draw_pictures(folder, seed, scale) if with_pictures else ():
        pass


def _write_posts(path: Path, lines: list[Line]) -> None:
    """JSON lines, gzip without a time or a name, so that the same lines give the same bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as stream:
        for line in lines:
            stream.write(line.value + b"\n")
