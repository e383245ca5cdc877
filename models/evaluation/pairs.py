"""What the image adds to the text: pairs by several readers, as shipped and cross-validated."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray

from models.checkpoint import Checkpoint
from models.evaluation.answers import Answers
from models.evaluation.features import PairFeatures, Progress, rendition
from models.evaluation.fusion_head import FusionFit, fusion_head
from models.evaluation.heads import PENALTIES, logistic_head, mean_of
from models.evaluation.intervals import Figure, TruthFigure, interval_of, mean_interval
from models.evaluation.labelled import Labelled
from models.evaluation.paired import compare
from models.evaluation.pooled import FitPredict, pooled_predictions, stratified_folds
from models.evaluation.records import PairsReport, Slice
from models.evaluation.risk import selection
from models.evaluation.scoring import Scoring
from models.labels import SENTIMENTS
from models.scorer import ScoreInput
from models.text_preparation import prepare_text
from models.training.figures import accuracy, confusion, macro_recall, weighted_f1

Classes = NDArray[np.int64]
_CLASSES: Final = len(SENTIMENTS)
_RISK_WANTED: Final = 0.2
FOLDS: Final = 5
FIGURES: Final[dict[str, TruthFigure]] = {
    "accuracy": accuracy,
    "weighted_f1": lambda truth, read: weighted_f1(truth, read, _CLASSES),
    "macro_recall": lambda truth, read: macro_recall(truth, read, _CLASSES),
}


@dataclass(frozen=True)
class PairAnswers:
    """What the checkpoint says about pairs, and about their halves."""

    fused: Answers
    text: Answers
    image: Answers
    other_image: Answers  # each text with the next post's image


def read_pairs(scoring: Scoring, pairs: Labelled) -> PairAnswers:
    """The checkpoint's answers to pairs, text alone, image alone, and another post's image."""
    texts = [prepare_text(text) for text in pairs.texts]
    images = [(rendition(file),) for file in pairs.images]
    others = images[1:] + images[:1]
    asked = {
        "fused": [ScoreInput(*pair) for pair in zip(texts, images, strict=True)],
        "text": [ScoreInput(text) for text in texts],
        "image": [ScoreInput("", image) for image in images],
        "other_image": [ScoreInput(*pair) for pair in zip(texts, others, strict=True)],
    }
    return PairAnswers(
        **{name: scoring.answers(f"pairs-{name}", inputs) for name, inputs in asked.items()}
    )


def shipped_report(
    pairs: Labelled, answers: PairAnswers, adapted: Classes, seed: int
) -> PairsReport:
    """The checkpoint as it is, on pairs that it was not trained on.

    `adapted` are the fair rival's answers: a regression on the same frozen text vector, fitted to
    the texts of the training pairs, whose labels are unlike those of tweets.
    """
    readers = {
        "text": answers.text.classes,
        "text_adapted": adapted,
        "image": answers.image.classes,
        "fused": answers.fused.classes,
    }
    alike = readers["text"] == readers["image"]
    report = report_readers(pairs.truth, readers, alike, seed)
    right = readers["fused"] == pairs.truth
    return replace(
        report,
        facts=_facts(answers, seed),
        selection=selection(answers.fused.confidence, right, _RISK_WANTED, seed),
    )


@dataclass(frozen=True)
class PooledRun:
    """How a cross-validation runs, and the folder where it keeps what it has for the next try."""

    seed: int
    kept: Path
    progress: Progress
    folds: int = FOLDS

    def folder(self, features: PairFeatures, head: str) -> Path:
        """Where the folds of a head are kept; another one when anything that matters changed."""
        labels = features.labels.tolist()  # folds are drawn by class, heads fitted to classes
        parts = (features.key, labels, self.seed, self.folds, head, PENALTIES, FusionFit())
        return self.kept / blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def pooled_report(
    checkpoint: Checkpoint, features: PairFeatures, texts: list[str], run: PooledRun
) -> PairsReport:
    """Text, image and their combinations by cross-validation over all pairs."""
    folds = stratified_folds(features.labels, texts, run.folds, run.seed)
    read = {
        name: pooled_predictions(
            head, folds, run.folder(features, name), partial(run.progress, f"folds, {name}")
        ).argmax(axis=1)
        for name, head in build_heads(checkpoint, features, run.seed).items()
    }
    alike = read["text"] == read["image"]
    return replace(report_readers(features.labels, read, alike, run.seed), folds=run.folds)


def build_heads(checkpoint: Checkpoint, features: PairFeatures, seed: int) -> dict[str, FitPredict]:
    """Heads by name. `fused` is the model's own fusion; what it has to beat is in front of it.

    `other_images` is the same network fitted to the same texts with images of other posts: if the
    fusion beats `text` but not this, its gain comes from its weights and not from the image.
    """
    means = features.image_means()
    text = logistic_head(features.text, features.labels)
    image = logistic_head(means, features.labels)
    both = torch.cat([block / block.std() for block in (features.text, means)], dim=1)
    return {
        "text": text,
        "image": image,
        "mean": mean_of([text, image]),
        "concatenation": logistic_head(both, features.labels),
        "other_images": fusion_head(checkpoint, features.with_other_images(seed), seed),
        "fused": fusion_head(checkpoint, features, seed),
    }


def report_readers(
    truth: Classes, readers: Mapping[str, Classes], alike: NDArray[np.bool_], seed: int
) -> PairsReport:
    """Figures of each reader on all pairs and where text and image agree or not.

    Args:
        truth: true class of each pair, (pairs,).
        readers: answers of each reader, (pairs,); the one named `fused` is compared with the rest.
        alike: whether text alone and image alone gave the same answer, (pairs,).
        seed: of intervals and tests.
    """
    parts = {"all": np.ones_like(alike), "agree": alike, "disagree": ~alike}
    parts = {name: part for name, part in parts.items() if part.any()}
    rivals = [name for name in readers if name != "fused"]
    return PairsReport(
        rows=len(truth),
        slices={
            name: Slice(
                int(part.sum()),
                {one: _figures(truth[part], read[part], seed) for one, read in readers.items()},
            )
            for name, part in parts.items()
        },
        comparisons={
            name: {
                rival: compare(
                    truth[part], readers["fused"][part], readers[rival][part], FIGURES, seed
                )
                for rival in rivals
            }
            for name, part in parts.items()
        },
        confusion=confusion(truth, readers["fused"], _CLASSES).tolist(),
        facts={},
    )


def _figures(truth: Classes, read: Classes, seed: int) -> dict[str, Figure]:
    return {name: interval_of(of, truth, read, seed) for name, of in FIGURES.items()}


def _facts(answers: PairAnswers, seed: int) -> dict[str, Figure]:
    own, other = answers.fused.mismatch, answers.other_image.mismatch
    measured = {
        "alpha_text": answers.fused.alpha_text,
        "mismatch_own_image": own,
        "mismatch_other_image": other,
        "own_image_matches_better": (own < other).astype(np.float64),
    }
    return {name: mean_interval(of, seed) for name, of in measured.items()}
