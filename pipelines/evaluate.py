"""`moodwire evaluate`: an honest report about a checkpoint."""

from __future__ import annotations

import argparse
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.file_commands import add_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress

    from models.evaluation.evaluate import Request

# models.evaluation.evaluate.STUDIES, without the seconds that importing it takes; a test compares.
STUDIES = (
    *("sentiment", "tweet_emotion", "emotions", "irony", "offence"),
    *("pairs", "pooled", "robustness", "fairness"),
)
LEAST_ROWS = 10


class EvaluationError(ValueError):
    """An evaluation cannot be made; names what is missing and the remedy."""


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    """`moodwire evaluate`."""
    parser = add_command(
        commands,
        "evaluate",
        "measure a checkpoint on labelled posts and write a report",
        "  moodwire evaluate --data DIR --output evaluation\n"
        "  moodwire evaluate --data DIR --output look --limit 200 --tasks sentiment pairs\n\n"
        "Writes report.md, report.json and pictures. Scores stay in the output\n"
        "folder: a run that was killed goes on, and only what changed is scored again. Needs a\n"
        "checkout with the extra `train`. See docs/evaluation.md.",
    )
    parser.add_argument(
        "--data", metavar="DIR", required=True, help="labelled posts, with text/ and pairs/"
    )
    parser.add_argument("--checkpoint", metavar="DIR", help="another model than the shipped one")
    parser.add_argument(
        "--output", metavar="DIR", required=True, help="folder of scores and report"
    )
    parser.add_argument(
        "--tasks", nargs="+", choices=STUDIES, metavar="TASK", help=f"some of {', '.join(STUDIES)}"
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="the first N rows of each part, for a quick look",
    )
    parser.add_argument("--seed", type=int, default=0, help="of every draw (default: 0)")
    parser.add_argument(
        "--card", metavar="FILE", help="also write the figures into this model card"
    )


def evaluate(args: argparse.Namespace, console: Console) -> None:
    """Runs the studies that were asked for and writes what they found.

    Raises:
        EvaluationError: data, checkout or options are not as needed.
    """
    _check(args)
    from models.checkpoint import DEFAULT_CHECKPOINT
    from models.evaluation.card import CardError
    from models.evaluation.evaluate import Request
    from models.evaluation.labelled import DataError

    request = Request(
        data=Path(args.data),
        checkpoint=Path(args.checkpoint or DEFAULT_CHECKPOINT),
        output=Path(args.output),
        studies=tuple(args.tasks or STUDIES),
        limit=args.limit,
        seed=args.seed,
    )
    try:
        _run(request, Path(args.card) if args.card else None, console)
    except (DataError, CardError) as error:
        raise EvaluationError(str(error)) from error


def _check(args: argparse.Namespace) -> None:
    if find_spec("models.evaluation") is None:
        raise EvaluationError(
            "models.evaluation is missing: evaluating needs a checkout of Moodwire with its extra "
            "`train` (pip install -e '.[train]'); an installed wheel only scores"
        )
    if args.limit is not None and args.limit < LEAST_ROWS:
        raise EvaluationError(f"--limit {args.limit}: give at least {LEAST_ROWS} rows")
    if args.seed < 0:
        raise EvaluationError(f"--seed {args.seed}: give 0 or a positive number")
    if not Path(args.data).is_dir():
        raise EvaluationError(f"--data {args.data}: no such folder. docs/evaluation.md lists it")
    if Path(args.output).exists() and not Path(args.output).is_dir():
        raise EvaluationError(f"--output {args.output}: is a file; name a folder")


def _run(request: Request, card: Path | None, console: Console) -> None:
    from models.evaluation.card import check_card, update_card
    from models.evaluation.evaluate import Evaluation
    from models.evaluation.written_report import write_all

    if card is not None:
        check_card(card)
    with _shown(console, len(request.studies)) as shown:
        evaluation = Evaluation(request, shown.rows, shown.study_done)
        said = write_all(evaluation.report(), request.output)
    if card is not None:
        update_card(card, said)
        console.print(f"figures written into {card}", markup=False, highlight=False)
    _conclude(request, evaluation.scoring.reused, console)


def _conclude(request: Request, reused: int, console: Console) -> None:
    if reused:
        console.print(f"{reused:,} scores reused", highlight=False)
    says = f"report in {request.output}/report.md"
    console.print(says, markup=False, highlight=False, soft_wrap=True)


class _Shown:
    """Progress on the terminal: studies done, and the rows of what is being scored."""

    def __init__(self, progress: Progress, console: Console, studies: int) -> None:
        self._progress, self._console, self._started = progress, console, time.monotonic()
        self._studies = progress.add_task("studies", total=studies)
        self._rows = progress.add_task("", total=None, visible=False)
        self._what = ""

    def rows(self, what: str, done: int, total: int) -> None:
        """Rows done of one set."""
        if what != self._what:
            self._what = what
            self._progress.reset(self._rows, total=total, description=what, visible=True)
        self._progress.update(self._rows, completed=done, visible=done < total)

    def study_done(self, study: str) -> None:
        """A line for each study, also where no terminal shows bars."""
        self._progress.advance(self._studies)
        seconds = time.monotonic() - self._started
        self._console.print(f"{study}: done after {seconds:.0f} s", highlight=False)


@contextmanager
def _shown(console: Console, studies: int) -> Iterator[_Shown]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Shown(progress, console, studies)
