"""Mould: colonies with a pale furry rim and a dark heart, growing on any picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from pipelines.demo.generate.pictures.canvas import (
    Colour,
    Point,
    Rng,
    clouds,
    disc,
    mask_of,
    ramp,
    step,
    tint,
)

HEARTS: tuple[list[Colour], ...] = (
    [(26, 34, 20), (52, 68, 36), (96, 112, 66), (168, 174, 138), (222, 222, 204)],
    [(16, 16, 14), (44, 40, 32), (84, 78, 62), (146, 140, 120), (206, 200, 184)],
    [(34, 46, 52), (58, 82, 84), (104, 128, 118), (170, 182, 168), (226, 228, 216)],
    [(46, 28, 14), (82, 56, 28), (124, 98, 56), (170, 150, 108), (214, 204, 176)],
)


def grow_colony(image: Image.Image, rng: Rng, centre: Point, radius: float) -> None:
    """One colony on `image`, with a stain around it and fur over it."""
    box = _box(image, centre, radius * 1.7)
    patch = image.crop(box)
    at = (centre[0] - box[0], centre[1] - box[1])
    rough = clouds(patch.size, rng, 5, 5)
    distance = disc(patch.size, at, (radius, radius * rng.uniform(0.75, 1.1)))
    distance = distance + (rough - 0.5) * 0.9
    tint(patch, (58, 48, 24), mask_of(0.55 * (1 - step(distance, 1.15, 0.6))))
    fur = rng.random(distance.shape) * 0.22
    heart = HEARTS[int(rng.integers(len(HEARTS)))]
    colony = ramp(np.clip(distance * 0.95 + fur - 0.1, 0, 1), heart)
    colony = colony.filter(ImageFilter.GaussianBlur(0.8))
    patch.paste(colony, (0, 0), mask_of(1 - step(distance + fur * 0.5, 0.98, 0.14)))
    image.paste(patch, box[:2])


def grow(image: Image.Image, rng: Rng, colonies: int, largest: float) -> None:
    """Many colonies over all of `image`, a few large and the rest small."""
    for _ in range(colonies):
        radius = largest * float(rng.uniform(0.25, 1.0)) ** 1.6
        centre = (float(rng.uniform(0, image.width)), float(rng.uniform(0, image.height)))
        grow_colony(image, rng, centre, max(6.0, radius))


def stain(image: Image.Image, rng: Rng, strength: float = 0.5) -> None:
    """Damp brown blotches with dark edges."""
    field = clouds(image.size, rng, 3, 5)
    edge = np.exp(-(((field - 0.6) / 0.035) ** 2))
    tint(image, (92, 74, 36), mask_of(strength * step(field, 0.6, 0.1)))
    tint(image, (48, 36, 16), mask_of(strength * edge))


def _box(image: Image.Image, centre: Point, reach: float) -> tuple[int, int, int, int]:
    left, top = max(0, int(centre[0] - reach)), max(0, int(centre[1] - reach))
    right = min(image.width, int(centre[0] + reach) + 1)
    bottom = min(image.height, int(centre[1] + reach) + 1)
    return left, top, max(left + 2, right), max(top + 2, bottom)
