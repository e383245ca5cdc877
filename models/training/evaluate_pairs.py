"""Figures on pairs of text and image: what the image adds to the text."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from models.checkpoint import Checkpoint
from models.images import render
from models.labels import SENTIMENTS
from models.scorer import ScoreInput, Scorer, Scores
from models.text_preparation import prepare_text
from models.training.answers import sentiment_probabilities
from models.training.data import pad, read_rows
from models.training.figures import accuracy, recalls, weighted_f1
from models.training.pairs import MVSA

Classes = NDArray[np.int64]


def pair_figures(checkpoint: Checkpoint, data: Path) -> dict[str, Any]:
    """MVSA-Single's validation part by text alone, image alone and both.

    `text_adapted` is the fair rival of the fusion: a logistic regression from the same frozen text
    vector f_T, fitted to the texts of the same pairs, whose labels are unlike those of tweets.
    """
    folder, scorer = data / MVSA, Scorer(checkpoint)
    rows = read_rows(folder / "validation.jsonl.gz")
    texts = [prepare_text(row["text"]) for row in rows]
    images = [(_rendition(folder / row["image"]),) for row in rows]
    shifted = images[1:] + images[:1]
    both = scorer.score([ScoreInput(*pair) for pair in zip(texts, images, strict=True)])
    others = scorer.score([ScoreInput(*pair) for pair in zip(texts, shifted, strict=True)])
    truth = np.array([SENTIMENTS.index(row["label"]) for row in rows])
    predicted = {
        "text": _classes(scorer.score([ScoreInput(text) for text in texts])),
        "text_adapted": text_probe(checkpoint, data, texts),
        "image": _classes(scorer.score([ScoreInput("", image) for image in images])),
        "fused": _classes(both),
    }
    figures: dict[str, Any] = {
        name: _figures(truth, classes) for name, classes in predicted.items()
    }
    return figures | {
        "p_fused_against_text_adapted": mcnemar(
            predicted["fused"] == truth, predicted["text_adapted"] == truth
        ),
        "alpha_text": float(np.mean([one.alpha_text for one in both])),
        "mismatch_own_image": float(np.mean([one.mismatch or 0.0 for one in both])),
        "mismatch_other_image": float(np.mean([one.mismatch or 0.0 for one in others])),
        "own_image_matches_better": _share_closer(both, others),
    }


def text_probe(checkpoint: Checkpoint, data: Path, texts: list[str]) -> Classes:
    """Classes of texts by a logistic regression on f_T, fitted to the training pairs' texts."""
    rows = read_rows(data / MVSA / "train.jsonl.gz")
    features = text_vectors(checkpoint, [prepare_text(row["text"]) for row in rows])
    labels = torch.tensor([SENTIMENTS.index(row["label"]) for row in rows])
    weight, bias = fit_logistic(features, labels)
    return np.asarray((text_vectors(checkpoint, texts) @ weight.T + bias).argmax(dim=1).numpy())


@torch.no_grad()
def text_vectors(checkpoint: Checkpoint, texts: list[str]) -> Tensor:
    """f_T of texts, (texts, joint width)."""
    vectors = []
    for start in range(0, len(texts), 32):
        ids, mask = pad(checkpoint.tokenizer(texts[start : start + 32]))
        path = checkpoint.mood.text
        regions = path.look_within(checkpoint.text_encoder(ids, mask), mask)
        vectors.append(path.pool(regions, mask)[0])
    return torch.cat(vectors)


def fit_logistic(features: Tensor, labels: Tensor, penalty: float = 1e-2) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regression by L-BFGS: weight (classes, width), bias (classes,)."""
    weight = torch.zeros(len(SENTIMENTS), features.shape[1], requires_grad=True)
    bias = torch.zeros(len(SENTIMENTS), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(features @ weight.T + bias, labels)
        loss = loss + penalty * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()


def mcnemar(right: NDArray[np.bool_], rival_right: NDArray[np.bool_]) -> float:
    """Exact two-sided McNemar test: chance of so uneven a split of the rows that differ."""
    wins, losses = int((right & ~rival_right).sum()), int((~right & rival_right).sum())
    differing = wins + losses
    tail = sum(math.comb(differing, k) for k in range(min(wins, losses) + 1))
    return min(1.0, float(2 * tail / 2**differing))


def _figures(truth: Classes, predicted: Classes) -> dict[str, float]:
    return {
        "accuracy": accuracy(truth, predicted),
        "weighted_f1": weighted_f1(truth, predicted, len(SENTIMENTS)),
        "macro_recall": float(recalls(truth, predicted, len(SENTIMENTS)).mean()),
    }


def _share_closer(own: list[Scores], other: list[Scores]) -> float:
    pairs = zip(own, other, strict=True)
    return float(np.mean([(a.mismatch or 0.0) < (b.mismatch or 0.0) for a, b in pairs]))


def _classes(scores: list[Scores]) -> Classes:
    return np.asarray(sentiment_probabilities(scores).argmax(axis=1))


def _rendition(file: Path) -> bytes:
    with Image.open(file) as image:
        return render(image)
