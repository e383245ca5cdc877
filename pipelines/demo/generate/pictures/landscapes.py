"""Places: hills, the sea and the sky from a window seat."""

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
    step,
    tint,
)
from pipelines.demo.generate.pictures.surfaces import pick

SKIES: Final[tuple[list[Colour], ...]] = (
    [(52, 128, 214), (128, 192, 240), (224, 240, 248)],
    [(92, 92, 170), (240, 142, 120), (255, 208, 130)],
    [(40, 150, 220), (120, 206, 236), (255, 238, 196)],
    [(250, 160, 150), (255, 200, 150), (255, 236, 196)],
    [(30, 90, 180), (90, 170, 230), (190, 226, 246)],
)
_GREENS: Final[tuple[Colour, ...]] = (
    (150, 190, 180),
    (120, 176, 110),
    (86, 152, 74),
    (54, 120, 52),
)
_BLUES: Final[tuple[Colour, ...]] = (
    (170, 180, 214),
    (120, 140, 190),
    (78, 104, 152),
    (44, 70, 110),
)


def draw_sky(size: Size, rng: Rng, colours: list[Colour]) -> Image.Image:
    """Sky with a sun and drifting clouds."""
    image = gradient(size, colours)
    sun = (size[0] * rng.uniform(0.2, 0.8), size[1] * rng.uniform(0.18, 0.42))
    away = disc(size, sun, (size[1] * 0.5,) * 2)
    lighten(image, mask_of(np.exp(-((away / 0.55) ** 2))), 0.55)
    tint(image, (255, 250, 226), mask_of(1 - step(away, 0.11, 0.02)))
    drift = step(clouds(size, rng, 3, 6, 3.0), 0.62, 0.5) * (1 - grid(size)[1])
    tint(image, (255, 252, 248), mask_of(0.85 * drift))
    return image


def draw_hills(size: Size, rng: Rng) -> Image.Image:
    """Hills or mountains, row behind row, the far ones pale."""
    sky = pick(rng, SKIES)
    image = draw_sky(size, rng, sky)
    colours = _GREENS if rng.random() < 0.65 else _BLUES
    for row, colour in enumerate(colours):
        ridge = _ridge(size[0], rng, 0.5 + row * 0.13, 0.17 - row * 0.02)
        height = np.arange(size[1])[:, None] / size[1] > ridge[None, :]
        light = clouds(size, rng, 4, 5)
        slope = ramp(light, [_mix(colour, (10, 20, 30), 0.18), _mix(colour, (255, 246, 190), 0.2)])
        image.paste(
            slope, (0, 0), mask_of(height.astype(float)).filter(ImageFilter.GaussianBlur(1))
        )
    _sow_flowers(image, rng)
    return image


def _ridge(width: int, rng: Rng, level: float, swing: float) -> np.ndarray:
    x = np.linspace(0, 1, width)
    waves = sum(
        np.sin(x * 6.28 * f * rng.uniform(0.7, 1.4) + rng.uniform(0, 6.28)) / f**1.2
        for f in (1, 2, 4, 8, 17)
    )
    return np.asarray(level + swing * np.asarray(waves) * 0.5)


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    red, green, blue = (round(p * (1 - share) + q * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


def _sow_flowers(image: Image.Image, rng: Rng) -> None:
    draw = ImageDraw.Draw(image)
    colour = ((255, 214, 60), (250, 110, 120), (255, 255, 255), (200, 120, 230))[rng.integers(4)]
    for _ in range(int(rng.integers(60, 160))):
        depth = rng.uniform(0.86, 1.0)
        x, y, r = rng.uniform(0, image.width), depth * image.height, (depth - 0.8) * 26
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def draw_sea(size: Size, rng: Rng) -> Image.Image:
    """The sea, the sun's path on it, and a beach."""
    image = draw_sky(size, rng, pick(rng, SKIES))
    edge = round(size[1] * rng.uniform(0.48, 0.58))
    water_size = (size[0], size[1] - edge)
    x, y = grid(water_size)
    waves = clouds(water_size, rng, 4, 6, 12.0)
    water = ramp(0.55 * y + 0.45 * waves, [(36, 120, 176), (40, 160, 190), (130, 214, 210)])
    path = np.exp(-(((x - 0.5) / (0.06 + 0.2 * y)) ** 2)) * step(waves, 0.5, 0.3)
    lighten(water, mask_of(path), 0.8)
    shore = step(y + 0.05 * np.sin(x * 11) + 0.04 * waves, 0.78, 0.01)
    water.paste(
        ramp(clouds(water_size, rng, 40, 2), [(232, 206, 158), (248, 228, 186)]),
        (0, 0),
        mask_of(shore),
    )
    foam = np.exp(-(((y + 0.05 * np.sin(x * 11) + 0.04 * waves - 0.77) / 0.012) ** 2))
    tint(water, (255, 255, 255), mask_of(foam))
    image.paste(water, (0, edge))
    return image


def draw_window_seat(size: Size, rng: Rng, livery: Colour) -> Image.Image:
    """Sky, a floor of cloud and the wing, through an aeroplane's window."""
    image = gradient(size, pick(rng, SKIES))
    x, y = grid(size)
    floor = clouds(size, rng, 4, 6, 4.0)
    tint(image, (255, 252, 250), mask_of(step(y + floor * 0.3, 0.8, 0.22) * (0.55 + 0.45 * floor)))
    lighten(image, mask_of(np.exp(-(((y - 0.5) / 0.08) ** 2))), 0.35)
    _draw_wing(image, livery)
    hole = (abs((x - 0.5) / 0.36) ** 3.6 + abs((y - 0.5) / 0.45) ** 3.6) ** (1 / 3.6)
    cabin = gradient(size, [(236, 236, 234), (206, 206, 208)], 0.5)
    tint(cabin, (120, 120, 128), mask_of(np.exp(-(((hole - 1.02) / 0.07) ** 2)) * 0.8))
    lighten(cabin, mask_of(np.exp(-(((hole - 1.17) / 0.04) ** 2))), 0.5)
    image.paste(cabin, (0, 0), mask_of(step(hole, 1.0, 0.02)))
    return image


def _draw_wing(image: Image.Image, livery: Colour) -> None:
    w, h = image.size
    layer = Image.new("L", image.size, 0)
    wing = [(w * 0.1, h * 0.98), (w * 0.1, h * 0.74), (w * 0.7, h * 0.5), (w * 0.74, h * 0.52)]
    ImageDraw.Draw(layer).polygon(wing, fill=255)
    metal = gradient(image.size, [(250, 250, 252), (168, 174, 184)], -0.6)
    image.paste(metal, (0, 0), layer.filter(ImageFilter.GaussianBlur(1)))
    tip = [(w * 0.69, h * 0.505), (w * 0.77, h * 0.3), (w * 0.8, h * 0.3), (w * 0.745, h * 0.525)]
    ImageDraw.Draw(image).polygon(tip, fill=livery)
    ImageDraw.Draw(image).line(
        (w * 0.1, h * 0.83, w * 0.68, h * 0.53), fill=(120, 126, 136), width=3
    )
