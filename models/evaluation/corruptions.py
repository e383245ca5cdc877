"""Small harms that posts meet on their way: typing, case, missing signs, poor images."""

import io
import random
import re
from collections.abc import Callable
from typing import Final

import emoji
from PIL import Image

_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_HASHTAG: Final = re.compile(r"[#\uff03]\w+")
_UNTOUCHED: Final = re.compile(r"(?:@|#|\uff03|https?:|www\.)")
TYPO_SHARE: Final = 0.05  # of the letters
SMALL_SIDE: Final = 56  # pixels, a quarter of what the model sees
JPEG_QUALITY: Final = 30
OCCLUDED_SHARE: Final = 0.25  # of the area
_GREY: Final = (128, 128, 128)


def add_typos(text: str, seed: int, share: float = TYPO_SHARE) -> str:
    """Replaces letters by a neighbour on a QWERTY keyboard, each with the chance `share`.

    Mentions, hashtags and addresses stay. The same text and seed give the same typos.

    >>> add_typos("where is my parcel? @nova", seed=0, share=0.1)
    'whdre is my parcep? @nova'
    """
    rng = random.Random(f"{seed}-{text}")
    parts = re.split(r"(\s+)", text)
    return "".join(
        part if _UNTOUCHED.match(part) else "".join(_mistype(sign, share, rng) for sign in part)
        for part in parts
    )


def _mistype(sign: str, share: float, rng: random.Random) -> str:
    near = neighbours(sign.lower())
    if not near or rng.random() >= share:
        return sign
    typed = rng.choice(near)
    return typed.upper() if sign.isupper() else typed


def neighbours(letter: str) -> str:
    """The letters around one on a QWERTY keyboard, in a fixed order; empty for anything else.

    >>> neighbours("g")
    'tyfhvb'
    """
    for row, keys in enumerate(_KEYS):
        column = keys.find(letter) if letter else -1
        if column >= 0:
            above = _KEYS[row - 1][column : column + 2] if row else ""
            beside = keys[max(0, column - 1) : column] + keys[column + 1 : column + 2]
            below = _KEYS[row + 1][max(0, column - 1) : column + 1] if row < 2 else ""
            return above + beside + below
    return ""


def remove_emoji(text: str) -> str:
    """The text without emoji."""
    return emoji.replace_emoji(text, replace="")


def remove_hashtags(text: str) -> str:
    """The text without hashtags, their words included."""
    return _HASHTAG.sub("", text)


def scale_down(image: Image.Image) -> Image.Image:
    """The image with a short side of 56 pixels, as a poor thumbnail has it."""
    factor = SMALL_SIDE / min(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.BILINEAR)


def recompress(image: Image.Image) -> Image.Image:
    """The image after JPEG of quality 30."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=JPEG_QUALITY)
    return Image.open(io.BytesIO(buffer.getvalue()))


def occlude(image: Image.Image) -> Image.Image:
    """The image with a grey box over a quarter of its area, in the middle."""
    covered = image.convert("RGB").copy()
    side = OCCLUDED_SHARE**0.5
    width, height = round(image.width * side), round(image.height * side)
    place = ((image.width - width) // 2, (image.height - height) // 2)
    covered.paste(_GREY, (*place, place[0] + width, place[1] + height))
    return covered


TEXT_CHANGES: Final[dict[str, Callable[[str, int], str]]] = {
    "typos": add_typos,
    "upper_case": lambda text, seed: text.upper(),
    "lower_case": lambda text, seed: text.lower(),
    "no_emoji": lambda text, seed: remove_emoji(text),
    "no_hashtags": lambda text, seed: remove_hashtags(text),
}
IMAGE_CHANGES: Final[dict[str, Callable[[Image.Image], Image.Image]]] = {
    "rescaled": scale_down,
    "jpeg_30": recompress,
    "occluded": occlude,
}
