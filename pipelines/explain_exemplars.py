"""Explains posts of the live page on request; the model is loaded at the first one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dashboards.live.explanations import ExplanationPage
from models.model_pointer import named_folder
from models.scorer import ScoreInput
from models.text_preparation import prepare_text
from pipelines.explain_page import POLICY, build_page, title_of
from schemas.records import Exemplar

if TYPE_CHECKING:
    from models.explanation.explainer import Explainer


class ExemplarExplainer:
    """A post that stands for a window, with the rendition of its image, to a page of why.

    An exemplar names one image: a post with several was read by all of them, and is explained by
    its text and the first. One thread at a time.
    """

    def __init__(self, checkpoint: str | None = None) -> None:
        self._checkpoint = checkpoint

    def __call__(self, post: Exemplar, rendition: bytes | None) -> ExplanationPage:
        """The page about the post."""
        images = () if rendition is None else (rendition,)
        told = self._explainer.explain(ScoreInput(prepare_text(post.text), images))
        return ExplanationPage(build_page(title_of(post.post_id), told, images), POLICY)

    @cached_property
    def _explainer(self) -> Explainer:
        from models.checkpoint import DEFAULT_CHECKPOINT
        from models.explanation.explainer import Explainer  # torch: seconds that a page can spare

        return Explainer.load(named_folder(self._checkpoint or DEFAULT_CHECKPOINT))
