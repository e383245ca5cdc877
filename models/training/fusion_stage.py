"""Stage (b): the image path and the fusion on labelled pairs, with the text path frozen."""

import random
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.image_encoder import ImageEncoder
from models.labels import SENTIMENTS
from models.mood_model import MoodModel, MoodOutput
from models.training.figures import accuracy, weighted_f1
from models.training.losses import contrastive_loss
from models.training.pairs import MVSA, Pairs, read_pairs
from models.training.progress import Progress, save_atomically
from models.training.settings import FusionStageSettings, TrainingSettings
from models.training.text_stage import TextModel, build_schedule

_KEPT_HEADS = ("emotions", "irony", "offence")
_CLIP_LOG_SCALE = 2.66  # CLIP's start, a temperature of 0.07


def train_fusion(
    model: TextModel,
    image_encoder: ImageEncoder,
    settings: TrainingSettings,
    data: Path,
    out: Path,
) -> None:
    """Trains in place what only posts with an image touch, so text-only readings stay as they are.

    Takes the finished state from `out/fusion_stage.pt` where that exists.
    """
    file = out / "fusion_stage.pt"
    if file.is_file():
        model.mood.load_state_dict(torch.load(file, weights_only=True))
        return
    torch.manual_seed(settings.seed)
    text = (model.tokenizer, model.encoder)
    train, validation = (
        read_pairs(data / MVSA, part, text, image_encoder, out / f"patches_{part}.pt")
        for part in ("train", "validation")
    )
    fit_fusion(model.mood, settings.fusion, train, validation, settings.seed)
    save_atomically(model.mood.state_dict(), file)


def fit_fusion(
    mood: MoodModel, settings: FusionStageSettings, train: Pairs, validation: Pairs, seed: int
) -> None:
    """Fits the image path and the fusion to pairs with cached features.

    What stays is a moving average of the weights: a few thousand noisy labels make the weights of
    any single step a matter of luck.
    """
    log_scale = nn.Parameter(torch.tensor(_CLIP_LOG_SCALE))
    trained = [*freeze_text_path(mood), log_scale]
    optimizer = AdamW(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-len(train) // settings.batch_size)
    schedule = build_schedule(optimizer, steps, warmup_share=0.1)
    average = AveragedModel(mood, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))
    progress, order, step = Progress("fusion", steps), random.Random(seed), 0
    for epoch in range(settings.epochs):
        mood.train()
        for rows in _shuffled(len(train), settings.batch_size, order):
            loss = fusion_loss(mood, train.batch(rows), settings, log_scale)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(mood)
            step += 1
            progress.report(step, loss=loss.item())
        averaged = cast(MoodModel, average.module)
        print(f"fusion epoch {epoch}", validate_fusion(averaged, validation), flush=True)
    mood.load_state_dict(average.module.state_dict())


def freeze_text_path(mood: MoodModel) -> list[nn.Parameter]:
    """Freezes what a text-only post goes through; returns what is left to train."""
    mood.requires_grad_(False)
    free = [mood.image, mood.text.match, mood.text_from_image, mood.image_from_text, mood.fusion]
    for part in free:
        part.requires_grad_(True)
    return [parameter for parameter in mood.parameters() if parameter.requires_grad]


def fusion_loss(
    mood: MoodModel,
    batch: tuple[Tensor, Tensor, Tensor, Tensor],
    settings: FusionStageSettings,
    log_scale: Tensor,
) -> Tensor:
    """Sentiment of the pair + contrastive term + staying near the text's other answers."""
    tokens, token_mask, patches, labels = batch
    hidden = torch.rand(len(labels)) < settings.image_only_share  # modality dropout
    patch_mask = torch.ones(patches.shape[:2], dtype=torch.bool)
    fused = mood(tokens, token_mask & ~hidden[:, None], patches, patch_mask)
    with torch.no_grad():
        alone = mood(tokens, token_mask)
    loss = functional.cross_entropy(fused.logits["sentiment"], labels)
    loss = loss + settings.contrastive_weight * _matching_loss(mood, batch, log_scale)
    return loss + settings.keep_weight * _keeping_loss(fused, alone, ~hidden)


def _matching_loss(
    mood: MoodModel, batch: tuple[Tensor, Tensor, Tensor, Tensor], log_scale: Tensor
) -> Tensor:
    tokens, token_mask, patches, _ = batch
    patch_mask = torch.ones(patches.shape[:2], dtype=torch.bool)
    text, image = mood.text.joint(tokens, token_mask), mood.image.joint(patches, patch_mask)
    return contrastive_loss(text, image, log_scale)


def _keeping_loss(fused: MoodOutput, alone: MoodOutput, rows: Tensor) -> Tensor:
    """Cross-entropy of the fused answers to the text's, for heads that no pair is labelled for."""
    losses = [
        functional.binary_cross_entropy_with_logits(
            fused.logits[head][rows], alone.logits[head][rows].sigmoid()
        )
        for head in _KEPT_HEADS
    ]
    return torch.stack(losses).sum()


@torch.inference_mode()
def validate_fusion(mood: MoodModel, pairs: Pairs) -> dict[str, float]:
    """Accuracy and weighted F1 on pairs, and how often a text's own image is the likelier one."""
    mood.eval()
    tokens, token_mask, patches, labels = pairs.batch(range(len(pairs)))
    output = mood(tokens, token_mask, patches, torch.ones(patches.shape[:2]).bool())
    predicted = output.logits["sentiment"].argmax(dim=1).numpy()
    similarity = output.text_joint @ output.image_joint.T
    figures = {
        "accuracy": accuracy(labels.numpy(), predicted),
        "weighted_f1": weighted_f1(labels.numpy(), predicted, len(SENTIMENTS)),
        "own_image_first": float((similarity.diag()[:, None] > similarity).float().mean()),
        "alpha_text": float(output.alphas[:, 0].mean()),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _shuffled(count: int, size: int, generator: random.Random) -> list[list[int]]:
    order = list(range(count))
    generator.shuffle(order)
    return [order[start : start + size] for start in range(0, count, size)]
