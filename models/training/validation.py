"""Quick look at validation parts while training runs; `moodwire evaluate` has the real figures."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.labels import HEADS, SENTIMENTS, TWEET_EMOTIONS
from models.training.data import Example
from models.training.figures import f1_scores, macro_recall, several_label_f1
from models.training.losses import logits_of_task, many_hot

Logits = Callable[[list[Example]], dict[str, Tensor]]


def validate_text(
    logits_of: Logits, validation: dict[str, list[Example]], rows: int = 1500
) -> dict[str, float]:
    """Headline figure of every task on at most `rows` validation examples."""
    parts = {task: examples[:rows] for task, examples in validation.items()}
    found = {task: logits_of_task(task, read_all(logits_of, part)) for task, part in parts.items()}
    truth = {
        task: [example.target[0] for example in part]
        for task, part in parts.items()
        if task != "emotions"  # of which a text may have several, or none
    }
    four = found["tweet_emotion"].argmax(dim=1).numpy()
    sentiment = found["sentiment"].argmax(dim=1).numpy()
    hot = many_hot([example.target for example in parts["emotions"]], HEADS["emotions"])
    several = several_label_f1(hot.bool().numpy(), found["emotions"].sigmoid().numpy() > 0.3)
    figures: dict[str, float | NDArray[np.float64]] = {
        "sentiment": macro_recall(truth["sentiment"], sentiment, len(SENTIMENTS)),
        "tweet_emotion": f1_scores(truth["tweet_emotion"], four, len(TWEET_EMOTIONS)),
        "emotions": several,
    }
    for task in ("irony", "offence"):
        figures[task] = f1_scores(truth[task], (found[task][:, 0] > 0).long().numpy(), 2)
    return {task: round(float(np.mean(values)), 4) for task, values in figures.items()}


@torch.inference_mode()
def read_all(logits_of: Logits, examples: Sequence[Example]) -> dict[str, Tensor]:
    """Logits of every example by head, on the CPU in 32 bits, in the order of the examples.

    Texts of similar length are read together, so that little is padding.
    """
    order = sorted(range(len(examples)), key=lambda index: len(examples[index].token_ids))
    parts = [
        {
            head: logits.float().cpu()
            for head, logits in logits_of(
                [examples[at] for at in order[start : start + 64]]
            ).items()
        }
        for start in range(0, len(order), 64)
    ]
    back = torch.tensor(order).argsort()
    return {head: torch.cat([part[head] for part in parts])[back] for head in parts[0]}
