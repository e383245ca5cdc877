"""Which pictures there are: families of drawings, how many of each, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from pipelines.demo.generate.pictures import bad_days, good_days
from pipelines.demo.generate.pictures.canvas import Rng

Draw = Callable[[Rng], Image.Image]


class Family(NamedTuple):
    """One kind of picture: how it is drawn, how many there are, in which format."""

    draw: Draw
    number: int
    suffix: str = "jpg"


FAMILIES: Final[dict[str, Family]] = {
    "carton": Family(good_days.draw_fresh_carton, 30),
    "latte": Family(good_days.draw_good_coffee, 24),
    "breakfast": Family(good_days.draw_good_breakfast, 24),
    "hills": Family(good_days.draw_country, 18),
    "sea": Family(good_days.draw_beach, 14),
    "window": Family(good_days.draw_window, 20),
    "ticket": Family(good_days.draw_ticket, 12),
    "phones": Family(good_days.draw_phones, 30, "webp"),
    "launch": Family(good_days.draw_launch, 14),
    "card": Family(good_days.draw_bank_cards, 14),
    "savings": Family(good_days.draw_savings, 12),
    "photo": Family(good_days.draw_photo, 14),
    "joke": Family(good_days.draw_joke, 10),
    "apology": Family(good_days.draw_apology, 1),
    "mouldy-carton": Family(bad_days.draw_bad_carton, 40),
    "foul-coffee": Family(bad_days.draw_bad_coffee, 26),
    "foul-breakfast": Family(bad_days.draw_bad_breakfast, 22),
    "heap": Family(bad_days.draw_heap, 10),
    "recall": Family(bad_days.draw_recall, 16),
    "crash": Family(bad_days.draw_crash, 12, "png"),
    "grim-joke": Family(bad_days.draw_grim_joke, 30),
    "warning": Family(bad_days.draw_warning, 10),
    "error": Family(bad_days.draw_error, 14),
}


def name_pictures(share: float = 1.0) -> dict[str, list[str]]:
    """Paths of all pictures by family, below the folder of the posts; at least one of each."""
    return {
        name: [f"images/{name}-{n:02d}.{family.suffix}" for n in range(_number(family, share))]
        for name, family in FAMILIES.items()
    }


def _number(family: Family, share: float) -> int:
    return max(1, round(family.number * share))


def draw_pictures(folder: Path, seed: int, share: float = 1.0) -> Iterator[Path]:
    """Draw every picture below `folder`; each depends on the seed, its family and its number."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for row, (name, paths) in enumerate(name_pictures(share).items()):
        for number, path in enumerate(paths):
            rng = np.random.Generator(np.random.PCG64([seed, row, number]))
            _save(FAMILIES[name].draw(rng), folder / path)
            yield folder / path


def _save(image: Image.Image, path: Path) -> None:
    if path.suffix == ".png":
        image.quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)
    else:
        image.save(path, quality=82)
