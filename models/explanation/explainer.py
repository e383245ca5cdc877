"""Explains a post: how much each modality, word and region of the picture had to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from models.checkpoint import Checkpoint, load_checkpoint
from models.explanation.annotator import Annotator
from models.explanation.gradients import Attribution, complete_attribution
from models.explanation.readout import Pass, explanation_of
from models.explanation.recording import recorded_attention
from models.explanation.records import Explanation, Shown
from models.explanation.words import Span
from models.images import to_pixels
from models.labels import SENTIMENTS
from models.mood_model import MoodOutput
from models.scorer import ScoreInput


class Explainer:
    """Explains posts with one checkpoint, one at a time; about a second each, so on request only.

    The numbers are those of the torch model in 32 bits. A reading by another engine may differ from
    them in the second decimal; weights and words do not depend on that.
    """

    def __init__(self, checkpoint: Checkpoint, annotator: Annotator | None = None) -> None:
        for part in (checkpoint.text_encoder, checkpoint.image_encoder, checkpoint.mood):
            part.eval()
        self._checkpoint, self._annotator = checkpoint, annotator
        self._embed = cast(Any, checkpoint.text_encoder.backbone).get_input_embeddings()

    @classmethod
    def load(cls, folder: str | Path) -> Explainer:
        """From a checkpoint's folder.

        Raises:
            CheckpointError: it cannot be used.
        """
        return cls(load_checkpoint(folder), Annotator.load(Path(folder)))

    def explain(self, item: ScoreInput, with_contributions: bool = True) -> Explanation:
        """Explains one post; without contributions it is a single forward pass.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        with torch.no_grad():
            spans = self._checkpoint.tokenizer.spans(item.text)
            point = self._embed(torch.tensor(self._checkpoint.tokenizer([item.text])[0]))
            each = self._patches(item.images)
            patches = None if each is None else each.mean(dim=0, keepdim=True)
            with recorded_attention(self._checkpoint.mood) as weights:
                output = self._forward(point[None], patches, bool(item.text))
        chosen = int(output.logits["sentiment"][0].argmax())
        found = None
        if item.text and with_contributions:
            found = self._attribute(point, spans, patches, chosen)
        shown = Pass(item, spans, output, weights, found, self._shows(each))
        return explanation_of(shown, self._checkpoint)

    def _patches(self, images: tuple[bytes, ...]) -> Tensor | None:
        """Patch features of each picture, which the scorer averages: (pictures, patches, width)."""
        if not images:
            return None
        pixels = torch.from_numpy(np.stack([to_pixels(image) for image in images]))
        features: Tensor = self._checkpoint.image_encoder(pixels)
        return features

    def _shows(self, each: Tensor | None) -> tuple[tuple[Shown, ...], ...]:
        if self._annotator is None or each is None:
            return ()
        return tuple(self._annotator(patches) for patches in each)

    def _forward(self, embedded: Tensor, patches: Tensor | None, has_text: bool) -> MoodOutput:
        """From word vectors (rows, tokens, width) on, every row with the same picture."""
        seen = torch.ones(embedded.shape[:2], dtype=torch.bool)
        backbone = cast(Any, self._checkpoint.text_encoder.backbone)
        tokens = backbone(inputs_embeds=embedded, attention_mask=seen.long()).last_hidden_state
        has_picture = patches is not None
        mask = seen & (has_text or not has_picture)
        if patches is None:
            return cast(MoodOutput, self._checkpoint.mood(tokens, mask))
        pictures = patches.expand(len(tokens), -1, -1)
        all_patches = torch.ones(pictures.shape[:2], dtype=torch.bool)
        return cast(MoodOutput, self._checkpoint.mood(tokens, mask, pictures, all_patches))

    def _attribute(
        self, point: Tensor, spans: list[Span], patches: Tensor | None, chosen: int
    ) -> Attribution:
        """Integrated gradients of the log-odds of one sentiment; blank words are the baseline.

        A blank is the vector of the padding token, zero where there is none; what stands around
        the words ([CLS], [SEP]) stays, and so does the picture.
        """
        temperature = self._checkpoint.calibration.temperatures["sentiment"]
        others = [index for index in range(len(SENTIMENTS)) if index != chosen]

        def log_odds(embedded: Tensor) -> Tensor:
            logits = self._forward(embedded, patches, True).logits["sentiment"] / temperature
            return logits[:, chosen] - logits[:, others].logsumexp(dim=1)

        is_word = torch.tensor([end > start for start, end in spans])
        blank = torch.where(is_word[:, None], self._blank(), point)
        return complete_attribution(log_odds, point, blank)

    def _blank(self) -> Tensor:
        padding = cast(Any, self._checkpoint.text_encoder.backbone.config).pad_token_id
        if padding is None:
            return torch.zeros(self._embed.embedding_dim)
        return cast(Tensor, self._embed.weight[padding].detach())
