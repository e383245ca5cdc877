"""How quickly the model reads posts, beside other ways: `python -m benchmarks.bench_models`.

Every alternative reads the same posts in a process of its own, on the same one and two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.model_alternatives import ALTERNATIVES
from benchmarks.model_ceiling import ceiling, operations, rates
from benchmarks.model_posts import read_posts, with_reposts
from benchmarks.reports import table, write_results
from deploy.processes import REPOSITORY
from models.scorer import ScoreInput

RIVAL = "Beam RunInference, torch"
OURS = "Moodwire, int8"
COMPARED = [name for name in ALTERNATIVES if not name.endswith(("rows", "auto"))]
SCORERS = ("Moodwire, torch fp32", "Moodwire, fp32", OURS)
BUNDLES = (1, 5, 20, 200)
REPOSTS = (0.3, 0.6)
WARM_POSTS = 40


class Posts(NamedTuple):
    """Other posts to warm up with, and those that are timed."""

    warm: list[ScoreInput]
    timed: list[ScoreInput]


def run(name: str, posts: Posts, cores: int, bundle: int = 512) -> dict[str, Any]:
    """One alternative on the first `cores` cores."""
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(tuple(posts), file)
        file.flush()
        command = ["taskset", "-c", f"0-{cores - 1}", sys.executable, "-m"]
        done = subprocess.run(
            [*command, "benchmarks.model_alternatives", name, file.name],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "OMP_NUM_THREADS": str(cores),
                "BUNDLE": str(bundle),
                "TOKENIZERS_PARALLELISM": "false",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(cores, bundle, found, flush=True)
    return {**found, "cores": cores, "bundle": bundle}


def measure(posts: Posts, rounds: int) -> dict[str, Any]:
    """Everything; each round meets every alternative, so a busy minute meets them all."""
    compared = [
        run(name, posts, cores) for _ in range(rounds) for cores in (1, 2) for name in COMPARED
    ]
    reposted = [
        {**run(name, Posts(posts.warm, with_reposts(posts.timed, share)), 2), "reposts": share}
        for share in REPOSTS
        for name in (RIVAL, *SCORERS)
    ]
    few = Posts(posts.warm, posts.timed[: max(60, len(posts.timed) // 3)])
    bundles = [run(name, few, 1, size) for name in SCORERS for size in BUNDLES]
    passes = [
        run(name, few, 1, size) for name in ALTERNATIVES if "rows" in name for size in BUNDLES
    ]
    return {"compared": compared, "reposts": reposted, "bundles": bundles, "passes": passes}


def best(runs: list[dict[str, Any]], name: str, cores: int) -> float:
    """The highest rate of the rounds: other work on the machine only ever slows."""
    return float(max(run["rate"] for run in runs if (run["name"], run["cores"]) == (name, cores)))


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    runs, needed = results["compared"], results["operations"]
    parts = [
        "# Models: posts a second",
        describe_in_words(results["machine"]),
        f"{results['posts']} different posts, {results['pictured']:.0%} with an image, mean "
        f"{sum(needed.values()) / 1e9:.2f} GFLOP a post. Rate: the best of {results['rounds']} "
        f"rounds. Ratio: to {RIVAL}, same cores.",
        table(
            ["", "1 core", "ratio", "2 cores", "ratio", "2 / 1", "first answer s", "peak MB"],
            [_compared(runs, name) for name in COMPARED],
        ),
        "## The arithmetic ceiling",
        table(
            ["", "1 core", "reached", "2 cores", "reached"],
            [_ceiling(results, precision) for precision in ("fp32", "int8")],
        ),
        "Products of 1,024 x 1,024, GFLOP/s: "
        + "; ".join(
            f"{cores} core(s) fp32 {found['fp32'] / 1e9:.0f}, int8 {found['int8'] / 1e9:.0f}"
            for cores, found in results["rates"].items()
        ),
        "## Reposts, two cores",
        table(
            ["", "0 %", *(f"{share:.0%}" for share in REPOSTS)],
            [
                [name, f"{best(runs, name, 2):.0f}", *_reposted(results["reposts"], name)]
                for name in (RIVAL, *SCORERS)
            ],
        ),
        "## Small bundles, one core",
        _by_bundle(results["bundles"]),
        "## Rows of a pass with torch, one core",
        _by_bundle(results["passes"]),
    ]
    return "\n\n".join(parts) + "\n"


def _compared(runs: list[dict[str, Any]], name: str) -> list[str]:
    one, two = (best(runs, name, cores) for cores in (1, 2))
    ratios = [rate / best(runs, RIVAL, cores) for cores, rate in ((1, one), (2, two))]
    last = next(run for run in reversed(runs) if run["name"] == name and run["cores"] == 2)
    return [
        name,
        f"{one:.0f}",
        f"{ratios[0]:.1f}",
        f"{two:.0f}",
        f"{ratios[1]:.1f}",
        f"{two / one:.2f}",
        f"{last['first_answer_seconds']:.1f}",
        str(last["peak_megabytes"]),
    ]


def _ceiling(results: dict[str, Any], precision: str) -> list[str]:
    cells = [precision]
    for cores in (1, 2):
        most = ceiling(results["operations"], results["rates"][str(cores)], precision)
        reached = best(results["compared"], f"Moodwire, {precision}", cores) / most
        cells += [f"{most:.0f}", f"{reached:.0%}"]
    return cells


def _reposted(runs: list[dict[str, Any]], name: str) -> list[str]:
    return [f"{run['rate']:.0f}" for run in runs if run["name"] == name]


def _by_bundle(runs: list[dict[str, Any]]) -> str:
    names = dict.fromkeys(run["name"] for run in runs)
    return table(
        ["posts of a bundle", *map(str, BUNDLES)],
        [[name, *(f"{r['rate']:.0f}" for r in runs if r["name"] == name)] for name in names],
    )


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="folder with text/ and pairs/ (default: the demo's posts)"
    )
    parser.add_argument("--posts", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results"))
    args = parser.parse_args()
    every, machine = read_posts(args.data, args.posts + WARM_POSTS), describe_machine()
    posts = Posts(every[:WARM_POSTS], every[WARM_POSTS:])
    results = {
        "machine": machine,
        "posts": len(posts.timed),
        "pictured": sum(bool(post.images) for post in posts.timed) / len(posts.timed),
        "rounds": args.rounds,
        "operations": operations(posts.timed),
        "rates": {str(cores): rates(cores) for cores in (1, 2)},
        **measure(posts, args.rounds),
    }
    write_results(results, in_words(results), args.output, "models")


if __name__ == "__main__":
    main()
