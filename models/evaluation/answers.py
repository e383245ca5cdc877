"""What a checkpoint says about rows of posts, as arrays that can be kept in a file."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.labels import SENTIMENTS
from models.scorer import Scores
from models.training.answers import (
    binary_probabilities,
    emotion_probabilities,
    sentiment_probabilities,
)

Floats = NDArray[np.float64]
_NEGATIVE, _POSITIVE = SENTIMENTS.index("negative"), SENTIMENTS.index("positive")


@dataclass(frozen=True)
class Answers:
    """Calibrated probabilities and what else a reading holds.

    Shapes: sentiment (rows, 3), emotions (rows, 28), the others (rows,); mismatch is NaN where
    text or image is missing.
    """

    sentiment: Floats
    emotions: Floats
    irony: Floats
    offence: Floats
    alpha_text: Floats
    mismatch: Floats
    abstained: Floats

    @classmethod
    def of(cls, scores: Sequence[Scores]) -> "Answers":
        """The scorer's answers as arrays."""
        unknown = float("nan")
        return cls(
            sentiment_probabilities(scores),
            emotion_probabilities(scores),
            binary_probabilities(scores, "irony"),
            binary_probabilities(scores, "offence"),
            np.array([one.alpha_text for one in scores]),
            np.array([unknown if one.mismatch is None else one.mismatch for one in scores]),
            np.array([one.abstained for one in scores], dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.irony)

    @property
    def valence(self) -> Floats:
        """P(positive) - P(negative), (rows,)."""
        return np.asarray(self.sentiment[:, _POSITIVE] - self.sentiment[:, _NEGATIVE])

    @property
    def confidence(self) -> Floats:
        """The largest sentiment probability, (rows,)."""
        return np.asarray(self.sentiment.max(axis=1))

    @property
    def classes(self) -> NDArray[np.int64]:
        """The likeliest sentiment, (rows,)."""
        return np.asarray(self.sentiment.argmax(axis=1))

    def with_rows(self, rows: NDArray[np.int64], others: "Answers") -> "Answers":
        """The same with some rows answered otherwise; `others` has as many rows as `rows`."""
        changed = {}
        for name, values in self.arrays().items():
            changed[name] = values.copy()
            changed[name][rows] = getattr(others, name)
        return replace(self, **changed)

    def arrays(self) -> dict[str, Floats]:
        """Every array by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def joined(parts: Sequence[Answers]) -> Answers:
    """All rows one after the other."""
    named = [part.arrays() for part in parts]
    return Answers(**{name: np.concatenate([one[name] for one in named]) for name in named[0]})


def save_answers(answers: Answers, key: str, file: Path) -> None:
    """Writes answers with the key of what they answer; the file is the old or the new one."""
    partial = file.with_suffix(".partial.npz")
    np.savez_compressed(partial, key=np.array(key), **answers.arrays())  # type: ignore[arg-type]
    partial.replace(file)


def load_answers(file: Path, key: str) -> Answers | None:
    """What `save_answers` wrote under this key; None where there is nothing of the kind."""
    if not file.is_file():
        return None
    with np.load(file) as held:
        if "key" not in held or str(held["key"]) != key:
            return None
        return Answers(**{field.name: held[field.name] for field in fields(Answers)})
