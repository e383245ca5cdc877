"""Commands that read one file and write another: what each can be asked for."""

from __future__ import annotations

import argparse

from models.detection.count_detector import ALERTS_PER_WEEK

INDEX_FOLDER = ".run/search"
SETTINGS_HELP = "settings file (default: moodwire.yaml)"


def at_least_one(written: str) -> int:
    """A count on the command line.

    Raises:
        argparse.ArgumentTypeError: it is none, or below one.
    """
    if not written.isdecimal() or int(written) < 1:
        raise argparse.ArgumentTypeError(f"{written!r} is no number from 1 up")
    return int(written)


def add_command(
    commands: argparse._SubParsersAction, name: str, says: str, examples: str
) -> argparse.ArgumentParser:
    """One command: what it says of itself, and examples below its options."""
    return commands.add_parser(
        name,
        help=says,
        description=f"{says[0].upper()}{says[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_files(parser: argparse.ArgumentParser, reads: str, writes: str) -> None:
    parser.add_argument("--input", metavar="FILE", required=True, help=reads)
    parser.add_argument("--output", metavar="FILE", required=True, help=writes)


def add_score(commands: argparse._SubParsersAction) -> None:
    """`moodwire score`."""
    parser = add_command(
        commands,
        "score",
        "read the emotion of posts in a file, one reading a line in the same order",
        "  moodwire score --input posts.jsonl --output readings.jsonl --rejected bad.jsonl\n\n"
        "Each line holds at least post_id and text; optional created_at, author_id, lang and\n"
        "images (paths relative to the input file, or data: URIs). Exit code 3 says that lines\n"
        "were refused.",
    )
    _add_files(parser, "posts, JSON lines, also .gz", "readings, JSON lines, also .gz")
    parser.add_argument(
        "--rejected", metavar="FILE", help="refused lines with their causes (default: only counted)"
    )
    parser.add_argument("--checkpoint", metavar="DIR", help="another model than the shipped one")


def add_train(commands: argparse._SubParsersAction) -> None:
    """`moodwire train`."""
    parser = add_command(
        commands,
        "train",
        "train a model from labelled posts, and go on after a stop or a kill",
        "  moodwire train --config models/configs/default.yaml --data data --output out\n"
        "  moodwire train --config mine.yaml --data data --output out --stage text\n"
        "  tensorboard --logdir out/logs\n\n"
        "Start it again with the same options to go on where it was. The model is then in\n"
        "DIR/checkpoint, for `moodwire score --checkpoint`. Needs a checkout of the source and\n"
        "`pip install -e '.[train]'`; see docs/training.md and docs/bring-your-own-model.md.",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        default="models/configs/default.yaml",
        help="training settings (default: models/configs/default.yaml)",
    )
    parser.add_argument("--data", metavar="DIR", required=True, help="folder with text/ and pairs/")
    parser.add_argument(
        "--output", metavar="DIR", required=True, help="folder of states, logs and checkpoint"
    )
    parser.add_argument(
        "--stage",
        choices=("text", "align", "fusion", "all"),
        default="all",
        help="the last stage to train (default: all)",
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on from the states in --output, or throw them away (default: go on)",
    )
    parser.add_argument(
        "--threads", type=at_least_one, metavar="N", help="CPU threads (default: all cores)"
    )


def add_explain(commands: argparse._SubParsersAction) -> None:
    """`moodwire explain`."""
    parser = add_command(
        commands,
        "explain",
        "say why posts were read as they were: words, regions of the image, weights",
        "  moodwire explain --input posts.jsonl --output why\n"
        "  moodwire explain --input posts.jsonl --output why --limit 20\n\n"
        "The folder gets index.html, a page for each post, explanations.jsonl and rejected.jsonl.\n"
        "About a second a post. Exit code 3 says that lines were refused.",
    )
    parser.add_argument(
        "--input", metavar="FILE", required=True, help="posts, JSON lines, also .gz"
    )
    parser.add_argument("--output", metavar="DIR", required=True, help="folder for the pages")
    parser.add_argument(
        "--limit", type=at_least_one, default=100, metavar="N", help="lines to read (default: 100)"
    )
    parser.add_argument("--checkpoint", metavar="DIR", help="another model than the shipped one")


def add_search(commands: argparse._SubParsersAction) -> None:
    """`moodwire search`."""
    parser = add_command(
        commands,
        "search",
        "find posts by a text or an image, posts like one another, and campaigns",
        '  moodwire search --input posts.jsonl --text "broken on arrival"\n'
        "  moodwire search --readings out/readings.jsonl --image photo.jpg --limit 5\n"
        "  moodwire search --like 1797 --json         in the index that is there already\n"
        "  moodwire search --campaigns                few authors who repeat themselves\n"
        "  moodwire search --forget 1797              delete a post from the index\n\n"
        "The index is built once and kept; another file or model builds it anew.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--input", metavar="FILE", help="posts, JSON lines, also .gz")
    source.add_argument("--readings", metavar="FILE", help="readings.jsonl of a run folder")
    question = parser.add_mutually_exclusive_group(required=True)
    question.add_argument("--text", help="posts whose text or image fits these words")
    question.add_argument("--image", metavar="FILE", help="posts whose text or image fits this one")
    question.add_argument("--like", metavar="POST_ID", help="posts like this one of the index")
    question.add_argument("--campaigns", action="store_true", help="posts that few authors repeat")
    question.add_argument("--forget", metavar="POST_ID", help="delete this post from the index")
    parser.add_argument(
        "--limit", type=at_least_one, default=10, metavar="N", help="results to show (default: 10)"
    )
    parser.add_argument(
        "--index",
        metavar="DIR",
        default=INDEX_FOLDER,
        help=f"folder of the index (default: {INDEX_FOLDER})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--checkpoint", metavar="DIR", help="another model than the shipped one")


def add_backtest(commands: argparse._SubParsersAction) -> None:
    """`moodwire backtest`."""
    parser = add_command(
        commands,
        "backtest",
        "score a series of counts as the detector would have, and say where alerts open",
        "  moodwire backtest --input counts.csv --output scores.csv\n"
        "  moodwire backtest --input counts.csv --output scores.csv --report report.html\n"
        "  moodwire backtest --input counts.csv --output scores.csv --tune 0.1\n\n"
        "The input has the columns timestamp,value, a row for each equal stretch of time, in\n"
        "order. The output has timestamp,value,anomaly_score,alert: a score from 0 to 1 from\n"
        "earlier rows alone, the chance that an ordinary week stays below it, and 1 where an\n"
        "alert would open. The first three days warm up and score 0. See docs/backtest.md.",
    )
    _add_files(
        parser, "counts, CSV with timestamp,value, also .gz", "scores and alerts, CSV, also .gz"
    )
    _add_threshold(parser)
    parser.add_argument(
        "--report", metavar="FILE", help="also write an HTML page: series, usual band, alerts"
    )
    parser.add_argument(
        "--windows", metavar="FILE", help="JSON with labelled windows to show in the report"
    )


def _add_threshold(parser: argparse.ArgumentParser) -> None:
    """Three ways to say when an alert opens."""
    group = parser.add_mutually_exclusive_group()
    rates = ", ".join(f"{name} {rate:g}" for name, rate in ALERTS_PER_WEEK.items())
    group.add_argument(
        "--sensitivity",
        choices=tuple(ALERTS_PER_WEEK),
        default="medium",
        help=f"false alarms to expect a week: {rates} (default: medium)",
    )
    group.add_argument(
        "--tune",
        type=float,
        metavar="RATE",
        help="choose the threshold for at most RATE false alarms a week on this series",
    )
    group.add_argument(
        "--threshold", type=float, metavar="SCORE", help="open alerts from this score up"
    )


def add_quality(commands: argparse._SubParsersAction) -> None:
    """`moodwire quality`."""
    parser = add_command(
        commands,
        "quality",
        "hold posts against the data-quality expectations and write an HTML report",
        "  moodwire quality posts.jsonl --report quality.html",
    )
    parser.add_argument("path", metavar="PATH", help="a JSON-lines file (also .gz), or a folder")
    parser.add_argument(
        "--report",
        metavar="FILE",
        default="quality.html",
        help="where the report goes (default: quality.html)",
    )
    parser.add_argument(
        "--sample",
        type=at_least_one,
        default=5000,
        metavar="N",
        help="posts to check (default: 5000)",
    )


def add_models(commands: argparse._SubParsersAction) -> None:
    """`moodwire models`."""
    parser = add_command(
        commands,
        "models",
        "list checkpoints, let running pipelines use another one, or write a reference",
        "  moodwire models list --pointer models/current\n"
        "  moodwire models use models/2026-12 --pointer models/current\n"
        "  moodwire models reference models/2026-12 --posts validation.jsonl.gz\n\n"
        "`use` loads the folder and lets it read a few lines before the pointer file names it;\n"
        "runs whose model.checkpoint is that file take it without a restart. `reference` is what\n"
        "drift is measured against. See docs/models.md.",
    )
    parser.add_argument("action", choices=("list", "use", "reference"), help="what to do")
    parser.add_argument("folder", metavar="DIR", nargs="?", help="use, reference: the checkpoint")
    parser.add_argument(
        "--pointer", metavar="FILE", help="list, use: the pointer file (default: model.checkpoint)"
    )
    parser.add_argument(
        "--settings", metavar="FILE", default="moodwire.yaml", help="default: moodwire.yaml"
    )
    parser.add_argument("--posts", metavar="PATH", help="reference: JSON lines, as `score` takes")
