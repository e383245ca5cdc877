"""The validation parts as posts, from which `moodwire models reference` makes a reference.

`python -m models.training.validation_posts --data DIR --out posts.jsonl.gz`
"""

import argparse
import base64
import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from models.training.data import TASKS, read_rows

PER_PART = 500  # so that Reddit comments, which are most, do not stand for all posts


def validation_posts(data: Path, per_part: int = PER_PART) -> Iterator[dict[str, Any]]:
    """Posts as `moodwire score` reads them: of each part the first so many, unlabelled."""
    for task, (folder, _) in TASKS.items():
        rows = read_rows(data / "text" / folder / "validation.jsonl.gz")
        for number, row in enumerate(islice(rows, per_part)):
            yield {"post_id": f"{task}-{number}", "text": row["text"]}
    pairs = data / "pairs" / "mvsa_single"
    for row in islice(read_rows(pairs / "validation.jsonl.gz"), per_part):
        image = base64.b64encode((pairs / row["image"]).read_bytes()).decode()
        yield {
            "post_id": f"pair-{row['id']}",
            "text": row["text"],
            "images": [f"data:image/jpeg;base64,{image}"],
        }


def main() -> None:
    """Write one post a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with text/ and pairs/")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, gzip-compressed")
    args = parser.parse_args()
    posts = list(validation_posts(args.data))
    with gzip.open(args.out, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(post) + "\n" for post in posts)
    print(f"{args.out}: {len(posts):,} posts")


if __name__ == "__main__":
    main()
