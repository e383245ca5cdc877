"""Small heads on frozen features of pairs: what text, image and both can say about sentiment."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.calibration import Floats
from models.evaluation.pooled import FitPredict, Rows
from models.labels import SENTIMENTS

PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
_HELD_OUT = 5  # every fifth row of those to fit on chooses the penalty


def logistic_head(features: Tensor, labels: Rows) -> FitPredict:
    """A multinomial logistic regression on features, (rows, width); labels (rows,).

    Features are centred and divided by one number, both from the rows to fit on (a scale for each
    would blow up directions that hold noise), and a fifth of these chooses the penalty, so that
    nothing about the rows to read is known.
    """
    targets = torch.from_numpy(labels)

    def fit_predict(fitted: Rows, read: Rows) -> Floats:
        mean, scale = features[fitted].mean(dim=0), features[fitted].std() + 1e-6
        scaled = (features - mean) / scale
        penalty = _choose_penalty(scaled, targets, fitted)
        weight, bias = fit_logistic(scaled[fitted], targets[fitted], penalty)
        return _probabilities(scaled[read] @ weight.T + bias)

    return fit_predict


def mean_of(heads: Sequence[FitPredict]) -> FitPredict:
    """Late fusion: the mean of what several heads say."""
    return lambda fitted, read: np.mean([head(fitted, read) for head in heads], axis=0)


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


def _choose_penalty(features: Tensor, labels: Tensor, rows: Rows) -> float:
    """The penalty of least loss on every fifth of the rows, fitted on the others."""
    chosen = rows[np.arange(len(rows)) % _HELD_OUT == 0]
    rest = rows[np.arange(len(rows)) % _HELD_OUT != 0]

    def loss(penalty: float) -> float:
        weight, bias = fit_logistic(features[rest], labels[rest], penalty)
        return float(functional.cross_entropy(features[chosen] @ weight.T + bias, labels[chosen]))

    return min(PENALTIES, key=loss)


def _probabilities(logits: Tensor) -> Floats:
    return np.asarray(logits.double().softmax(dim=1).numpy())
