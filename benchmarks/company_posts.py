"""Different posts about companies, as a live stream would bring them: real tweets, none twice.

The texts are StockNet's, and every fourth post has an image of MVSA-Single that no other has.
"""

from __future__ import annotations

import io
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.demo_stream import data_uri
from benchmarks.model_posts import IMAGE_SHARE
from models.text_preparation import prepare_text
from models.training.data import read_rows

COMPANIES = 20
CROP_PIXELS = 4  # by as much another use of a picture is smaller, so it is another picture


def company_posts(data: Path, count: int, warm_up: int) -> tuple[list[str], list[dict[str, Any]]]:
    """The names of the companies, and posts in the generic form without their times.

    Args:
        data: a folder with `streams/stocknet` and `pairs/mvsa_single`.
        count: how many posts.
        warm_up: how many come before them: tweets about other companies, each with the name of
            one of these behind it.

    Raises:
        ValueError: there are fewer.
    """
    rows = read_rows(data / "streams/stocknet/posts.jsonl.gz")
    counted = Counter(row["brand"] for row in rows if len(row["brand"]) > 1)
    companies = [name for name, _ in counted.most_common(COMPANIES)]
    found = list(islice(_different(row for row in rows if row["brand"] in companies), count))
    if len(found) < count:
        raise ValueError(f"--posts {count}: only {len(found)} different ones are there")
    others = list(islice(_different(row for row in rows if row["brand"] not in companies), warm_up))
    if len(others) < warm_up:
        raise ValueError(f"only {len(others)} different posts are there to warm up with")
    for post, company in zip(others, cycle(companies), strict=False):
        post["text"] = f"{post['text']} ${company}"
    found = others + found
    rng, pictures = random.Random(0), _pictures(data / "pairs/mvsa_single")
    for row in found:
        row["images"] = [next(pictures)] if rng.random() < IMAGE_SHARE else []
    return companies, found


def as_live(rows: list[dict[str, Any]], rate: float) -> list[bytes]:
    """The posts as a stream that ends now and has so many a second."""
    first = time.time() - len(rows) / rate
    moments = (datetime.fromtimestamp(first + n / rate, UTC) for n in range(len(rows)))
    stamped = zip(rows, moments, strict=True)
    return [json.dumps({**row, "created_at": at.isoformat()}).encode() for row, at in stamped]


def _different(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for row in rows:
        text = prepare_text(row["text"])
        if text not in seen:
            seen.add(text)
            yield {key: row[key] for key in ("post_id", "author_id", "text", "lang")}


def _pictures(folder: Path) -> Iterator[str]:
    """Pictures as `data:` URIs; from the second round on cut a little more each time."""
    paths = [folder / row["image"] for row in read_rows(folder / "train.jsonl.gz")]
    yield from (data_uri(path.read_bytes()) for path in paths)
    for cut in range(CROP_PIXELS, 100, CROP_PIXELS):
        for path in paths:
            buffer = io.BytesIO()
            with Image.open(path) as picture:
                width, height = picture.size
                picture.crop((cut, cut, width, height)).convert("RGB").save(buffer, "JPEG")
            yield data_uri(buffer.getvalue())
