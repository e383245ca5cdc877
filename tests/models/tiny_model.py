"""A tiny random model, made on the spot."""

import random
from pathlib import Path

import torch
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from models.checkpoint import Calibration, Checkpoint, save_checkpoint
from models.image_encoder import ImageEncoder
from models.images import render
from models.labels import HEADS
from models.mood_model import MoodModel, MoodModelConfig
from models.scorer import ScoreInput
from models.text_encoder import TextEncoder
from models.text_tokenizer import TextTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "phone", "the", "is", "not", "very"]


def a_tokenizer(max_tokens: int = 32) -> TextTokenizer:
    """Whole words of `WORDS` between [CLS] and [SEP]."""
    ids = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return TextTokenizer(tokenizer, max_tokens)


def a_checkpoint(seed: int = 0, fusion_score: str = "bilinear", width: int = 32) -> Checkpoint:
    """Random weights, one layer; from a width of 64 on its matrices are stored in 8 bits."""
    torch.manual_seed(seed)
    text_encoder = TextEncoder.from_config(
        {
            "model_type": "bert",
            "vocab_size": len(WORDS),
            "hidden_size": width,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 2 * width,
        }
    )
    image_encoder = ImageEncoder.from_name("test_efficientnet", pretrained=False)
    config = MoodModelConfig(width, image_encoder.width, width, 2, 0.0, fusion_score)
    calibration = Calibration(dict.fromkeys(HEADS, 1.5), abstain_below=0.4)
    mood = MoodModel(config)
    for parameter in mood.fusion.parameters():  # trained away from its start at zero
        torch.nn.init.normal_(parameter)
    return Checkpoint("tiny-1", text_encoder, image_encoder, mood, a_tokenizer(), calibration)


def a_saved_checkpoint(folder: Path, seed: int = 0, width: int = 32) -> Path:
    """The folder of a tiny checkpoint."""
    save_checkpoint(a_checkpoint(seed, width=width), folder)
    return folder


def a_rendition(red: int = 200, size: tuple[int, int] = (300, 240)) -> bytes:
    """A rendition of an image with a gradient, so that places differ."""
    image = Image.linear_gradient("L").resize(size)
    channels = (Image.new("L", size, red), image, image.transpose(Image.Transpose.ROTATE_180))
    return render(Image.merge("RGB", channels))


def many_posts() -> list[ScoreInput]:
    """Texts of every length; some with one image, with three, with an image alone, and nothing."""
    rng = random.Random(0)
    images = [a_rendition(red) for red in (0, 120, 240)]
    texts = [" ".join(rng.choices(WORDS[4:], k=rng.randrange(1, 40))) for _ in range(40)]
    posts = [
        ScoreInput(text, (images[i % 3],) if i % 4 == 0 else ()) for i, text in enumerate(texts)
    ]
    return [*posts, ScoreInput("", (images[0],)), ScoreInput(""), ScoreInput("good", tuple(images))]
