"""Scores that are computed once: kept in the output folder, reused while nothing changed."""

from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.drift import REFERENCE_FILE
from models.evaluation.answers import Answers, joined, load_answers, save_answers
from models.scorer import ScoreInput, Scorer

Progress = Callable[[str, int, int], None]  # what, rows done, rows in all
_ROWS_KEPT = 256
_NOT_THE_MODEL = {".md", ".png"}


class Scoring:
    """Answers of one checkpoint through the scorer that serves, each computed once.

    Each few hundred answers are a file in the folder, with a key made from the checkpoint's files,
    the engine that runs it and every text and image asked about. A killed evaluation goes on after
    the last file; other posts or another checkpoint are scored anew. `reused` counts rows that were
    not scored.
    """

    def __init__(self, checkpoint: Path, folder: Path, progress: Progress) -> None:
        self.checkpoint, self._folder, self._progress = checkpoint, folder, progress
        self.reused = 0
        folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def scorer(self) -> Scorer:
        """The scorer of the checkpoint as it would serve."""
        return Scorer.load(self.checkpoint)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the checkpoint's files."""
        return fingerprint(self.checkpoint)

    def answers(self, name: str, inputs: Sequence[ScoreInput]) -> Answers:
        """The answers to `inputs`, kept as `name` in parts of some hundred rows.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        parts = []
        for start in range(0, len(inputs), _ROWS_KEPT):
            self._progress(name, start, len(inputs))
            parts.append(self._part(f"{name}-{start}", inputs[start : start + _ROWS_KEPT]))
        self._progress(name, len(inputs), len(inputs))
        return joined(parts)

    def changed(
        self, name: str, texts: Sequence[str], rows: NDArray[np.int64], answers: Answers
    ) -> Answers:
        """The same answers, but for some rows that now have other texts; `texts` has all rows."""
        if not len(rows):
            return answers
        asked = [ScoreInput(texts[row]) for row in rows.tolist()]
        return answers.with_rows(rows, self.answers(name, asked))

    def _part(self, name: str, inputs: Sequence[ScoreInput]) -> Answers:
        file, key = self._folder / f"{name}.npz", self._key(inputs)
        kept = load_answers(file, key)
        if kept is not None:
            self.reused += len(kept)
            return kept
        answers = Answers.of(self.scorer.score(inputs))
        save_answers(answers, key, file)
        return answers

    def _key(self, inputs: Sequence[ScoreInput]) -> str:
        maker = f"{self.fingerprint} {self.scorer.engine}"
        digest = blake2b(maker.encode(), digest_size=16)
        for item in inputs:
            for part in (item.text.encode(), *item.images):
                digest.update(len(part).to_bytes(8, "big") + part)
            digest.update(b"/")
        return digest.hexdigest()


def fingerprint(checkpoint: Path) -> str:
    """A hash of the files that make a checkpoint, by name and content, whatever else lies there."""
    digest = blake2b(digest_size=16)
    for file in sorted(checkpoint.rglob("*")):
        beside = file.suffix in _NOT_THE_MODEL or file.name == REFERENCE_FILE
        if file.is_file() and not beside:
            digest.update(str(file.relative_to(checkpoint)).encode() + b"\0")
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
