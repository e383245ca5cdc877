"""Rooms and table tops: bright ones for good days, dark and dirty ones for bad."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipelines.demo.generate.pictures.canvas import (
    Colour,
    Rng,
    Size,
    clouds,
    disc,
    gradient,
    grid,
    lighten,
    mask_of,
    ramp,
    tint,
)

WALLS: Final[tuple[list[Colour], ...]] = (
    [(255, 226, 178), (255, 244, 222)],
    [(178, 226, 240), (232, 248, 250)],
    [(255, 205, 196), (255, 238, 228)],
    [(200, 232, 196), (240, 250, 228)],
    [(224, 212, 246), (246, 240, 254)],
    [(255, 222, 120), (255, 240, 190)],
)
_WOODS: Final[tuple[list[Colour], ...]] = (
    [(196, 146, 94), (222, 178, 124), (238, 204, 156)],
    [(214, 188, 152), (236, 214, 182), (248, 232, 206)],
    [(156, 104, 66), (186, 132, 88), (208, 160, 114)],
)


def pick(rng: Rng, options: tuple[list[Colour], ...]) -> list[Colour]:
    """One of `options`."""
    return options[int(rng.integers(len(options)))]


def wood(size: Size, rng: Rng, dark: bool = False) -> Image.Image:
    """Planks with grain."""
    x, _ = grid(size)
    warp = clouds(size, rng, 2, 3)
    rings = 0.5 + 0.5 * np.sin((x * 9 + warp * 2.2) * 14)
    fine = clouds(size, rng, 90, 2, 0.04)
    colours = [(26, 20, 16), (48, 38, 30), (68, 54, 42)] if dark else pick(rng, _WOODS)
    image = ramp(0.35 * rings + 0.4 * fine + 0.25 * warp, colours)
    seams = np.abs((x * 3.2 + 0.3) % 1 - 0.5) > 0.494
    tint(image, (40, 26, 16), mask_of(seams.astype(float) * 0.5))
    return image


def marble(size: Size, rng: Rng) -> Image.Image:
    """White stone with soft veins."""
    veins = np.exp(-(((clouds(size, rng, 3, 6) - 0.5) / 0.03) ** 2))
    image = gradient(size, [(252, 250, 246), (236, 234, 232)], 0.6)
    tint(image, (168, 164, 170), mask_of(0.4 * veins))
    return image


def bright_room(size: Size, rng: Rng, horizon: float = 0.7) -> Image.Image:
    """A sunny wall out of focus above a table of light wood."""
    image = gradient(size, pick(rng, WALLS), 0.4)
    _scatter_lights(image, rng)
    edge = round(size[1] * horizon)
    table = wood((size[0], size[1] - edge), rng)
    image.paste(table, (0, edge))
    lighten(image, mask_of(np.exp(-(((grid(size)[1] - horizon) / 0.05) ** 2))), 0.25)
    _sunbeams(image, rng)
    return image


def grim_room(size: Size, rng: Rng, horizon: float = 0.7) -> Image.Image:
    """A dirty wall at night above a dark table, lit by one bare lamp."""
    image = ramp(clouds(size, rng, 3, 6), [(30, 30, 26), (52, 50, 42), (78, 74, 58)])
    tint(image, (26, 30, 14), mask_of(0.6 * clouds(size, rng, 2, 4, 2.0)))
    edge = round(size[1] * horizon)
    image.paste(wood((size[0], size[1] - edge), rng, dark=True), (0, edge))
    lamp = disc(size, (size[0] * rng.uniform(0.3, 0.6), size[1] * 0.4), (size[0] * 0.55,) * 2)
    lighten(image, mask_of(np.exp(-(lamp**2) * 1.4)), 0.3)
    return image


def grim_table(size: Size, rng: Rng) -> Image.Image:
    """A dark, stained table from above."""
    image = wood(size, rng, dark=True)
    tint(image, (34, 34, 18), mask_of(0.5 * clouds(size, rng, 3, 5)))
    lamp = disc(size, (size[0] * 0.45, size[1] * 0.4), (size[0] * 0.6,) * 2)
    lighten(image, mask_of(np.exp(-(lamp**2))), 0.22)
    return image


def bright_table(size: Size, rng: Rng) -> Image.Image:
    """A light table from above, wood, stone or cloth."""
    kind = int(rng.integers(3))
    image = wood(size, rng) if kind == 0 else marble(size, rng)
    if kind == 2:
        image = gradient(size, pick(rng, WALLS), 0.7)
    _sunbeams(image, rng)
    return image


def _scatter_lights(image: Image.Image, rng: Rng) -> None:
    """Discs of light out of focus."""
    glow = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(glow)
    for _ in range(int(rng.integers(8, 16))):
        x, y, r = (
            rng.uniform(0, image.width),
            rng.uniform(0, image.height * 0.65),
            rng.uniform(16, 52),
        )
        draw.ellipse((x - r, y - r, x + r, y + r), fill=int(rng.integers(60, 170)))
    lighten(image, glow.filter(ImageFilter.GaussianBlur(5)), 0.6)


def _sunbeams(image: Image.Image, rng: Rng) -> None:
    """The bars of a window's light, falling aslant."""
    x, y = grid(image.size)
    along = (x + rng.uniform(0.4, 0.8) * y) * rng.uniform(2.5, 4)
    bars = (np.sin(along * np.pi) > 0.2).astype(float)
    soft = mask_of(bars).filter(ImageFilter.GaussianBlur(14))
    lighten(image, soft, 0.2)
