"""Quick look at validation parts while training runs; `moodwire evaluate` has the real figures."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from models.labels import HEADS, SENTIMENTS, TWEET_EMOTION_INDEXES, TWEET_EMOTIONS
from models.training.data import Example
from models.training.figures import f1_scores, recalls, several_label_f1
from models.training.losses import many_hot

Logits = Callable[[list[Example]], dict[str, Tensor]]


def validate_text(
    logits_of: Logits, validation: dict[str, list[Example]], rows: int = 1500
) -> dict[str, float]:
    """Headline figure of every task on at most `rows` validation examples."""
    parts = {task: examples[:rows] for task, examples in validation.items()}
    found = {task: _collect(logits_of, part, HEAD_OF[task]) for task, part in parts.items()}
    truth = {task: [example.target[0] for example in part] for task, part in parts.items()}
    four = found["tweet_emotion"][:, list(TWEET_EMOTION_INDEXES)].argmax(dim=1).numpy()
    sentiment = found["sentiment"].argmax(dim=1).numpy()
    hot = many_hot([example.target for example in parts["emotions"]], HEADS["emotions"])
    several = several_label_f1(hot.bool().numpy(), found["emotions"].sigmoid().numpy() > 0.3)
    figures = {
        "sentiment": recalls(truth["sentiment"], sentiment, len(SENTIMENTS)),
        "tweet_emotion": f1_scores(truth["tweet_emotion"], four, len(TWEET_EMOTIONS)),
        "emotions": several,
    }
    for task in ("irony", "offence"):
        figures[task] = f1_scores(truth[task], (found[task][:, 0] > 0).long().numpy(), 2)
    return {task: round(float(np.mean(values)), 4) for task, values in figures.items()}


HEAD_OF = {
    "sentiment": "sentiment",
    "tweet_emotion": "emotions",
    "emotions": "emotions",
    "irony": "irony",
    "offence": "offence",
}


@torch.inference_mode()
def _collect(logits_of: Logits, examples: Sequence[Example], head: str) -> Tensor:
    ordered = sorted(range(len(examples)), key=lambda index: len(examples[index].token_ids))
    parts = [
        logits_of([examples[index] for index in ordered[start : start + 64]])[head].float().cpu()
        for start in range(0, len(ordered), 64)
    ]
    restored = torch.empty_like(stacked := torch.cat(parts))
    restored[ordered] = stacked
    return restored
