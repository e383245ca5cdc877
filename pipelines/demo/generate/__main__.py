"""Command line of the generator."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.demo.generate.day import write_demo
from pipelines.demo.generate.story import SEED


def main() -> None:
    """Read the arguments and write the demo."""
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.demo.generate", description="Write the demo's day of posts."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for posts and pictures")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default: {SEED}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full volume")
    parser.add_argument(
        "--posts-only", action="store_true", help="leave the pictures as they are on disk"
    )
    args = parser.parse_args()
    write_demo(args.out, args.scale, args.seed, not args.posts_only)


if __name__ == "__main__":
    main()
