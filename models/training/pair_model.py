"""What the stages on pairs train: the mood model, the image encoder's top, the matching head."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.mood_model import MoodModel, MoodOutput
from models.training.adversary import ModalityClassifier
from models.training.image_top import ImageTop
from models.training.losses import contrastive_loss
from models.training.pairs import Batch

_CLIP_LOG_SCALE = 2.66  # CLIP's start, a temperature of 0.07
_LARGEST_LOG_SCALE = 4.6  # CLIP's bound, 100


class PairModel(nn.Module):
    """A mood model with its text path frozen, on batches of pairs.

    Text-only readings are thus the same before and after training. The temperature of the joint
    space, the image-text matching head and the adversary are needed in training alone.
    """

    def __init__(self, mood: MoodModel, top: ImageTop) -> None:
        super().__init__()
        freeze_text_path(mood)
        self.mood, self.top = mood, top
        self.log_scale = nn.Parameter(torch.tensor(_CLIP_LOG_SCALE))
        self.matching = nn.Linear(mood.config.joint_width, 1)
        self.adversary = ModalityClassifier(mood.config.joint_width)

    def fresh_copy(self) -> "PairModel":
        """Another model with the same weights."""
        return copy.deepcopy(self)

    def read(
        self, batch: Batch, patches: tuple[Tensor, Tensor], hidden: Tensor | None = None
    ) -> MoodOutput:
        """The reading of pairs; the text of rows in `hidden` (batch,) is taken away."""
        mask = batch.token_mask if hidden is None else batch.token_mask & ~hidden[:, None]
        output: MoodOutput = self.mood(batch.tokens, mask, *patches)
        return output

    def read_text(self, batch: Batch) -> MoodOutput:
        """The reading of the texts alone."""
        output: MoodOutput = self.mood(batch.tokens, batch.token_mask)
        return output

    def patches(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Patch features and their mask: (batch, patches, image width), (batch, patches)."""
        patches: Tensor = self.top(batch.images)
        return patches, torch.ones(patches.shape[:2], dtype=torch.bool, device=patches.device)

    def joint(self, batch: Batch, patches: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Places of texts and images in the joint space, unit length, (batch, width) each."""
        text = self.mood.text.joint(batch.tokens, batch.token_mask)
        return text, self.mood.image.joint(*patches)

    def contrastive(self, batch: Batch, patches: tuple[Tensor, Tensor]) -> Tensor:
        """InfoNCE over the batch; posts that share an image are each other's positives."""
        same = batch.image_ids[:, None] == batch.image_ids[None, :]
        scale = self.log_scale.clamp(max=_LARGEST_LOG_SCALE)
        return contrastive_loss(*self.joint(batch, patches), scale, same)

    def matching_loss(self, batch: Batch, patches: tuple[Tensor, Tensor]) -> Tensor:
        """Whether text and image belong together, against the hardest others of the batch.

        Each text gets another image and each image another text, drawn with a probability that
        grows with their similarity (Li et al. 2021, ALBEF, section 3.2); never a pair that shows
        the same image.
        """
        regions, mask = patches
        text, image = (vectors.detach() for vectors in self.joint(batch, patches))
        same = batch.image_ids[:, None] == batch.image_ids[None, :]
        hardness = (self.log_scale.detach().exp() * text @ image.T).masked_fill(same, -torch.inf)
        usable = (~same).any(dim=1)
        if not usable.any():
            return self.log_scale * 0.0
        likely = hardness[usable].softmax(dim=1)
        other_image = torch.multinomial(likely, 1).squeeze(1)
        other_text = torch.multinomial(hardness.T[usable].softmax(dim=1), 1).squeeze(1)
        rows = torch.arange(len(usable), device=usable.device)
        texts = torch.cat([rows, rows[usable], other_text])
        images = torch.cat([rows, other_image, rows[usable]])
        fused = self.mood.fused(
            batch.tokens[texts], batch.token_mask[texts], regions[images], mask[images]
        )
        logits = self.matching(fused).squeeze(1).float()
        belong = (torch.arange(len(texts), device=rows.device) < len(rows)).float()
        return functional.binary_cross_entropy_with_logits(logits, belong)


def freeze_text_path(mood: MoodModel) -> list[nn.Parameter]:
    """Freezes what a text-only post goes through; returns what is left to train."""
    mood.requires_grad_(False)
    free: list[nn.Module] = [mood.image, mood.text.match, mood.fusion]
    if mood.config.cross_attention:
        free += [mood.text_from_image, mood.image_from_text]
    if mood.config.pair_path:
        free += [mood.pair_text, mood.pair_sentiment]
    for part in free:
        part.requires_grad_(True)
    return [parameter for parameter in mood.parameters() if parameter.requires_grad]
