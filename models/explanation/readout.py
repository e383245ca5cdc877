"""From what one pass through the model showed to an explanation."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from torch import Tensor

from models.checkpoint import Checkpoint
from models.explanation.gradients import Attribution
from models.explanation.recording import Weights
from models.explanation.records import Completeness, Explanation, Grid, Shown, Word
from models.explanation.regions import to_grid
from models.explanation.words import Floats, Span, sum_by_word, word_spans, words_of_tokens
from models.labels import SENTIMENTS
from models.mood_model import MoodOutput
from models.scorer import ScoreInput

_DECIMALS: Final = 6


@dataclass(frozen=True)
class Pass:
    """One post's way through the model.

    Attributes:
        item: the post.
        spans: where each token stands in its text.
        output: what the model said; one row.
        weights: its attention, by module.
        found: what each token adds to the answer, if asked for.
        shows: what each picture shows.
    """

    item: ScoreInput
    spans: list[Span]
    output: MoodOutput
    weights: Weights
    found: Attribution | None
    shows: tuple[tuple[Shown, ...], ...]

    @cached_property
    def words(self) -> list[Span]:
        """Where the words stand."""
        return word_spans(self.item.text)

    @cached_property
    def owners(self) -> list[int | None]:
        """Which word each token belongs to."""
        return words_of_tokens(self.words, self.spans)

    @cached_property
    def pooled_text(self) -> Floats:
        """Share of each token in the pooling of the text, (tokens,); 0 without text."""
        if not self.item.text:
            return np.zeros(len(self.spans))
        of_pairs = self.item.images and "pair_text.pooling" in self.weights
        return _row(self.weights["pair_text.pooling" if of_pairs else "text.pooling"])

    @cached_property
    def pooled_image(self) -> Floats | None:
        """Share of each patch in the pooling of the picture, (patches,)."""
        return _row(self.weights["image.pooling"]) if self.item.images else None

    @cached_property
    def text_looks(self) -> Floats | None:
        """Where each token looks, mean of the heads: (tokens, patches)."""
        return self._across("text_from_image")

    @cached_property
    def image_looks(self) -> Floats | None:
        """What each patch listens to, mean of the heads: (patches, tokens)."""
        return self._across("image_from_text")

    def _across(self, name: str) -> Floats | None:
        if not (self.item.text and self.item.images and name in self.weights):
            return None
        return np.asarray(_row(self.weights[name]).mean(axis=0))

    def by_word(self, values: Floats) -> Floats:
        """Sums over each word's tokens: (tokens, ...) -> (words, ...)."""
        return sum_by_word(values, self.owners, len(self.words))


def explanation_of(shown: Pass, checkpoint: Checkpoint) -> Explanation:
    """What the pass says to a person."""
    temperature = checkpoint.calibration.temperatures["sentiment"]
    probabilities = (shown.output.logits["sentiment"][0] / temperature).softmax(dim=0)
    cosine, looks, found = _cosine(shown), shown.text_looks, shown.found
    in_words = shown.by_word(shown.pooled_text).sum()
    return Explanation(
        model=checkpoint.version,
        text=shown.item.text,
        sentiment=SENTIMENTS[int(probabilities.argmax())],
        probability=_rounded(probabilities.max()),
        alpha_text=_rounded(shown.output.alphas[0, 0]),
        alpha_image=_rounded(shown.output.alphas[0, 1]),
        cosine=cosine,
        mismatch=None if cosine is None else _rounded(min(max((1 - cosine) / 2, 0.0), 1.0)),
        words=_words(shown),
        special=_rounded(shown.pooled_text.sum() - in_words),
        regions=_grid(shown.pooled_image),
        regions_seen_by_text=None if looks is None else _grid(shown.pooled_text @ looks),
        completeness=None if found is None else _completeness(found),
        shows=shown.shows,
    )


def _cosine(shown: Pass) -> float | None:
    image = shown.output.image_joint
    if image is None or not shown.item.text:
        return None
    return _rounded((shown.output.text_joint[0] * image[0]).sum())


def _words(shown: Pass) -> tuple[Word, ...]:
    attention = shown.by_word(shown.pooled_text)
    moved = np.zeros(len(shown.spans))
    if shown.found is not None:
        moved = np.asarray(shown.found.tokens.double().numpy())
    contributions = shown.by_word(moved)
    from_image = regions = None
    if shown.pooled_image is not None and shown.image_looks is not None:
        from_image = shown.by_word(shown.pooled_image @ shown.image_looks)
    if shown.text_looks is not None:
        regions = shown.by_word(shown.pooled_text[:, None] * shown.text_looks)
    return tuple(
        Word(
            start=start,
            end=end,
            attention=_rounded(attention[number]),
            from_image=None if from_image is None else _rounded(from_image[number]),
            contribution=_rounded(contributions[number]),
            regions=None if regions is None else _grid(regions[number]),
        )
        for number, (start, end) in enumerate(shown.words)
    )


def _completeness(found: Attribution) -> Completeness:
    difference = _rounded(found.answer - found.baseline)
    return Completeness(difference, _rounded(found.gap), found.steps)


def _row(values: Tensor) -> Floats:
    return np.asarray(values[0].double().numpy())


def _grid(values: Floats | None) -> Grid | None:
    grid = None if values is None else to_grid(values)
    return None if grid is None else tuple(tuple(row) for row in grid.round(_DECIMALS).tolist())


def _rounded(value: Tensor | float) -> float:
    return round(float(value), _DECIMALS)
