"""Copies of posts as those make them who want not to be found out: reworded, retouched."""

import io
import random
from collections.abc import Sequence

from PIL import Image, ImageEnhance

from models.images import render


def own_words(text: str) -> list[int]:
    """Places of the words of a prepared text that are no link and no mention."""
    words = enumerate(text.split())
    return [place for place, word in words if word not in ("http", "@user")]


def reworded(text: str, others: Sequence[str], generator: random.Random) -> str:
    """The text with one word replaced by a word of another text.

    >>> reworded("buy it now", ["sun"], random.Random(0))
    'buy sun now'
    """
    words, other = text.split(), generator.choice(others).split()
    place = generator.choice(own_words(text))
    words[place] = other[generator.choice(own_words(" ".join(other)))]
    return " ".join(words)


def retouched(picture: bytes, *, crop: float, light: float, quality: int) -> bytes:
    """The picture without a margin of `crop` a side, at another brightness, as a JPEG again."""
    with Image.open(io.BytesIO(picture)) as image:
        x, y = round(crop * image.width), round(crop * image.height)
        inner = image.convert("RGB").crop((x, y, image.width - x, image.height - y))
    buffer = io.BytesIO()
    ImageEnhance.Brightness(inner).enhance(light).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as saved:
        return render(saved)
