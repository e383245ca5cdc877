"""One evaluation of one checkpoint: which studies, in which order, written where."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.checkpoint import Checkpoint, load_checkpoint
from models.evaluation.answers import Answers
from models.evaluation.fairness import fairness_report
from models.evaluation.features import PairFeatures, pair_features
from models.evaluation.heads import logistic_head
from models.evaluation.labelled import Labelled, load_pairs, load_texts
from models.evaluation.pairs import (
    PairAnswers,
    PooledRun,
    pooled_report,
    read_pairs,
    shipped_report,
)
from models.evaluation.records import PairsReport, Report, Robustness, TaskReport
from models.evaluation.robustness import HARMED_TASKS, image_robustness, text_robustness
from models.evaluation.scoring import Progress, Scoring
from models.evaluation.tasks import TEXT_TASKS
from models.evaluation.text_tasks import task_report
from models.scorer import ScoreInput
from models.text_preparation import prepare_text

Found = TypeVar("Found")
STUDIES: Final = (*TEXT_TASKS, "pairs", "pooled", "robustness", "fairness")
_NEED_PAIRS: Final = {"pairs", "pooled", "robustness"}
_NEED_TRAINING_PAIRS: Final = {"pairs", "pooled"}


@dataclass(frozen=True)
class Request:
    """What is to be evaluated.

    Attributes:
        data: folder laid out as `models.evaluation.labelled.LAYOUT` says.
        checkpoint: folder of the model.
        output: folder for scores that are kept, and for the report.
        studies: some of `STUDIES`.
        limit: only so many rows of each part, for a quick look.
        seed: of draws, halves, folds and typos.
    """

    data: Path
    checkpoint: Path
    output: Path
    studies: tuple[str, ...] = STUDIES
    limit: int | None = None
    seed: int = 0


class Evaluation:
    """Runs the studies of a request; data is read first, so that what is missing shows at once.

    Raises:
        DataError: labelled data is missing or unlike what is expected.
        CheckpointError: the checkpoint cannot be used.
    """

    def __init__(self, request: Request, progress: Progress, done: Callable[[str], None]) -> None:
        self._request, self._progress, self._done = request, progress, done
        self.checkpoint: Checkpoint = load_checkpoint(request.checkpoint)
        self._texts = {
            task: load_texts(request.data, task, request.limit) for task in self._tasks_needed()
        }
        self._answered: dict[str, Answers] = {}
        asked = set(request.studies)
        self._pairs = self._load_pairs("validation") if asked & _NEED_PAIRS else None
        self._train = self._load_pairs("train") if asked & _NEED_TRAINING_PAIRS else None
        self.scoring = Scoring(request.checkpoint, request.output / "scores", progress)

    def report(self) -> Report:
        """Every study that was asked for, in order."""
        request = self._request
        return Report(
            model=self.checkpoint.version,
            checkpoint=self.scoring.fingerprint,
            engine=self.scoring.scorer.engine,
            date=datetime.now(UTC).date().isoformat(),
            seed=request.seed,
            limit=request.limit,
            tasks={task: self._task(task) for task in TEXT_TASKS if task in request.studies},
            pairs=self._if_asked("pairs", self._shipped_pairs),
            pooled=self._if_asked("pooled", self._pooled_pairs),
            robustness=self._if_asked("robustness", self._robustness) or [],
            fairness=self._if_asked(
                "fairness", lambda: fairness_report(self.scoring, request.seed)
            ),
        )

    def _if_asked(self, study: str, run: Callable[[], Found]) -> Found | None:
        if study not in self._request.studies:
            return None
        found = run()
        self._done(study)
        return found

    def _tasks_needed(self) -> Iterable[str]:
        needed = set(self._request.studies) & TEXT_TASKS.keys()
        if "robustness" in self._request.studies:
            needed |= set(HARMED_TASKS)
        return [task for task in TEXT_TASKS if task in needed]

    def _load_pairs(self, part: str) -> Labelled:
        return load_pairs(self._request.data, part, self._request.limit)

    @property
    def _validation_pairs(self) -> Labelled:
        assert self._pairs is not None, "studies that need pairs have loaded them"
        return self._pairs

    @property
    def _temperatures(self) -> dict[str, float]:
        return self.checkpoint.calibration.temperatures

    def _answers(self, task: str) -> Answers:
        if task not in self._answered:
            inputs = [ScoreInput(prepare_text(text)) for text in self._texts[task].texts]
            self._answered[task] = self.scoring.answers(task, inputs)
        return self._answered[task]

    @cached_property
    def _pair_answers(self) -> PairAnswers:
        return read_pairs(self.scoring, self._validation_pairs)

    @cached_property
    def _features(self) -> PairFeatures:
        """Training pairs, then validation pairs."""
        assert self._train is not None
        train, validation = self._train, self._validation_pairs
        both = Labelled(
            train.texts + validation.texts,
            np.concatenate([train.truth, validation.truth]),
            train.images + validation.images,
        )
        file = self._request.output / "scores" / "pair-features.pt"
        return pair_features(self.checkpoint, both, file, self.scoring.fingerprint, self._progress)

    def _task(self, name: str) -> TaskReport:
        answers = self._answers(name)
        report = task_report(
            TEXT_TASKS[name], self._texts[name], answers, self._temperatures, self._request.seed
        )
        self._done(name)
        return report

    def _shipped_pairs(self) -> PairsReport:
        adapted = self._adapted_text()
        return shipped_report(
            self._validation_pairs, self._pair_answers, adapted, self._request.seed
        )

    def _adapted_text(self) -> NDArray[np.int64]:
        features = self._features
        trained = np.arange(len(features) - len(self._validation_pairs))
        judged = np.arange(len(trained), len(features))
        head = logistic_head(features.text, features.labels)
        return np.asarray(head(trained, judged).argmax(axis=1))

    def _pooled_pairs(self) -> PairsReport:
        assert self._train is not None
        texts = [prepare_text(text) for text in self._train.texts + self._validation_pairs.texts]
        kept = self._request.output / "scores" / "pooled"
        run = PooledRun(self._request.seed, kept, self._progress)
        return pooled_report(self.checkpoint, self._features, texts, run)

    def _robustness(self) -> list[Robustness]:
        rows: list[Robustness] = []
        for task in HARMED_TASKS:
            posts, clean = self._texts[task], self._answers(task)
            rows += text_robustness(
                self.scoring,
                task,
                posts,
                clean,
                tokens_of=self.checkpoint.tokenizer,
                temperatures=self._temperatures,
                seed=self._request.seed,
            )
        rows += image_robustness(
            self.scoring, self._validation_pairs, self._pair_answers.fused, self._request.seed
        )
        return rows
