"""What posts and readings usually look like: the reference that drift is measured against."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from models.evaluation.answers import Answers, Floats
from models.labels import EMOTIONS

REFERENCE_FILE: Final = "reference.json"
_BINS: Final = 10
_LARGEST_TEXT: Final = 100_000.0
# Where each statistic can lie at all; the outer edges stand there, so that nothing falls outside.
_RANGES: Final = {
    "text_characters": (0.0, _LARGEST_TEXT),
    "valence": (-1.0, 1.0),
    "confidence": (0.0, 1.0),
    "mismatch": (0.0, 1.0),
    "alpha_text": (0.0, 1.0),
}


class Histogram(msgspec.Struct, frozen=True):
    """Counts between edges: one more edge than counts."""

    edges: list[float]
    counts: list[int]


class Reference(msgspec.Struct, frozen=True):
    """Population statistics of readings.

    Attributes:
        model: version of the checkpoint.
        rows: how many readings.
        numeric: histograms of text_characters, valence, confidence, and of mismatch and alpha_text
            over the readings of posts with text and image.
        shares: has_image, abstained, and emotion_<name>, the mean probability of each emotion.
        version: of this format.
    """

    model: str
    rows: int
    numeric: dict[str, Histogram]
    shares: dict[str, float]
    version: int = 1


def build_reference(model: str, texts: Sequence[str], answers: Answers) -> Reference:
    """Statistics of posts (their texts before preparation) and of what the model said of them."""
    both = np.isfinite(answers.mismatch)
    values = {
        "text_characters": np.array([float(len(text)) for text in texts]),
        "valence": answers.valence,
        "confidence": answers.confidence,
        "mismatch": answers.mismatch[both],
        "alpha_text": answers.alpha_text[both],
    }
    emotions = dict(zip(EMOTIONS, answers.emotions.mean(axis=0).tolist(), strict=True))
    return Reference(
        model=model,
        rows=len(answers),
        numeric={name: histogram(found, *_RANGES[name]) for name, found in values.items()},
        shares={
            "has_image": float((answers.alpha_text < 1).mean()),
            "abstained": float(answers.abstained.mean()),
            **{f"emotion_{name}": share for name, share in emotions.items()},
        },
    )


def histogram(values: Floats, lowest: float, highest: float) -> Histogram:
    """Ten bins with about as many values each, the outer ones reaching to the ends of the range.

    Equal masses make the population stability index as sensitive in the tails as in the middle.
    Without values there is one empty bin.
    """
    steps = np.linspace(0, 1, _BINS + 1)[1:-1]
    inner = np.unique(np.round(np.quantile(values, steps), 4)) if len(values) else values
    between = [edge for edge in inner if lowest < edge < highest]
    edges = [lowest, *map(float, between), highest]
    counts, _ = np.histogram(np.clip(values, lowest, highest), edges)
    return Histogram(edges, [int(count) for count in counts])


def write_reference(reference: Reference, folder: Path) -> Path:
    """Writes `reference.json`, shares rounded to six decimals."""
    plain = json.loads(msgspec.json.encode(reference), parse_float=lambda x: round(float(x), 6))
    file = folder / REFERENCE_FILE
    file.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return file
