"""Cups, bowls and glasses, and what is in them."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipelines.demo.generate.pictures.canvas import (
    Colour,
    Field,
    Point,
    Rng,
    cast_shadow,
    clouds,
    disc,
    lighten,
    mask_of,
    ramp,
    step,
    tint,
)
from pipelines.demo.generate.pictures.mould import grow_colony

CHINA: Final[tuple[Colour, ...]] = (
    (250, 248, 244),
    (120, 178, 190),
    (236, 140, 120),
    (244, 204, 110),
    (130, 160, 120),
)
_COFFEE: Final[list[Colour]] = [(196, 140, 86), (164, 106, 58), (112, 66, 34)]
_FOUL: Final[list[Colour]] = [(128, 122, 70), (88, 84, 40), (46, 44, 20)]


def draw_dish(image: Image.Image, centre: Point, radius: float, colour: Colour) -> None:
    """A round dish from above: rim, inner wall and its shadow on the table."""
    inside = mask_of(1 - step(disc(image.size, centre, (radius, radius)), 1, 0.012))
    cast_shadow(image, inside, (round(radius * 0.09), round(radius * 0.12)), radius * 0.1, 0.55)
    tint(image, colour, inside)
    rim = disc(image.size, centre, (radius, radius))
    lighten(image, mask_of(np.exp(-(((rim - 0.965) / 0.02) ** 2))), 0.6)
    darker = (colour[0] // 2, colour[1] // 2, colour[2] // 2)
    tint(image, darker, mask_of(0.6 * step(rim, 0.9, 0.04) * (1 - step(rim, 0.93, 0.03))))


def pour(image: Image.Image, rng: Rng, centre: Point, radius: float, colours: list[Colour]) -> None:
    """A liquid in a dish, darker to its edge."""
    inside = disc(image.size, centre, (radius, radius))
    texture = clouds(image.size, rng, 6, 4) * 0.12
    liquid = ramp(np.clip(inside**3 * 0.8 + texture, 0, 1), colours)
    image.paste(liquid, (0, 0), mask_of(1 - step(inside, 1, 0.015)))


def draw_latte(image: Image.Image, rng: Rng, centre: Point, radius: float) -> None:
    """Coffee with hearts of foam poured into each other."""
    pour(image, rng, centre, radius, _COFFEE)
    turn = rng.uniform(-0.7, 0.7)
    for size, is_foam in ((0.78, True), (0.62, False), (0.5, True), (0.35, False), (0.24, True)):
        heart = _heart(image, centre, radius * size, turn)
        colour = (250, 236, 212) if is_foam else (186, 128, 76)
        tint(image, colour, mask_of(heart).filter(ImageFilter.GaussianBlur(1.6)))
    gloss = disc(
        image.size, (centre[0] - radius * 0.4, centre[1] - radius * 0.5), (radius * 0.4,) * 2
    )
    lighten(image, mask_of(np.exp(-(gloss**2) * 2)), 0.22)


def _heart(image: Image.Image, centre: Point, radius: float, turn: float) -> Field:
    y, x = np.mgrid[0 : image.height, 0 : image.width].astype(float)
    x, y = (x - centre[0]) / radius, (y - centre[1]) / radius
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    value = (x**2 + y**2 - 0.55) ** 3 + x**2 * y**3
    return np.asarray((value < 0).astype(float))


def draw_foul_liquid(image: Image.Image, rng: Rng, centre: Point, radius: float) -> None:
    """Coffee that curdled: murky, with clots and mould afloat."""
    pour(image, rng, centre, radius, _FOUL)
    clots = step(clouds(image.size, rng, 9, 4), 0.62, 0.06)
    inside = 1 - step(disc(image.size, centre, (radius * 0.97,) * 2), 1, 0.03)
    tint(image, (168, 160, 112), mask_of(clots * inside * 0.85))
    edges = np.exp(-(((clouds(image.size, rng, 9, 4) - 0.6) / 0.03) ** 2))
    tint(image, (30, 30, 12), mask_of(edges * inside * 0.7))
    _infest(image, rng, centre, radius, int(rng.integers(4, 8)))


def _infest(image: Image.Image, rng: Rng, centre: Point, radius: float, colonies: int) -> None:
    for _ in range(colonies):
        angle, reach = rng.uniform(0, 6.28), radius * 0.72 * np.sqrt(rng.random())
        at = (centre[0] + reach * float(np.cos(angle)), centre[1] + reach * float(np.sin(angle)))
        grow_colony(image, rng, at, radius * rng.uniform(0.12, 0.3))


def draw_porridge(image: Image.Image, rng: Rng, centre: Point, radius: float) -> None:
    """Porridge with berries, banana and a thread of honey."""
    pour(image, rng, centre, radius, [(250, 238, 212), (240, 222, 188), (214, 190, 150)])
    lumps = clouds(image.size, rng, 26, 3)
    inside = 1 - step(disc(image.size, centre, (radius,) * 2), 0.97, 0.03)
    tint(image, (204, 176, 132), mask_of(step(lumps, 0.62, 0.2) * inside * 0.5))
    fruits = ((74, 74, 142), (208, 40, 52), (248, 226, 150), (166, 30, 70))
    start = rng.uniform(0, 6.28)
    for number in range(int(rng.integers(9, 16))):
        angle, reach = start + number * 0.42, radius * rng.uniform(0.25, 0.75)
        at = (centre[0] + reach * float(np.cos(angle)), centre[1] + reach * float(np.sin(angle)))
        draw_berry(image, at, radius * rng.uniform(0.11, 0.17), fruits[number * 7 % 4])


def draw_foul_porridge(image: Image.Image, rng: Rng, centre: Point, radius: float) -> None:
    """Porridge gone grey, with mould and dark puddles."""
    pour(image, rng, centre, radius, [(150, 142, 108), (122, 114, 80), (70, 64, 40)])
    puddles = step(clouds(image.size, rng, 7, 4), 0.6, 0.1)
    inside = 1 - step(disc(image.size, centre, (radius,) * 2), 0.97, 0.03)
    tint(image, (52, 58, 26), mask_of(puddles * inside * 0.8))
    _infest(image, rng, centre, radius, int(rng.integers(6, 11)))


def draw_berry(image: Image.Image, centre: Point, radius: float, colour: Colour) -> None:
    """A small round fruit with a highlight and a shadow."""
    left, top = int(centre[0] - radius * 2), int(centre[1] - radius * 2)
    patch = image.crop((left, top, left + int(radius * 4), top + int(radius * 4)))
    _shade_ball(patch, (centre[0] - left, centre[1] - top), radius, colour)
    image.paste(patch, (left, top))


def _shade_ball(image: Image.Image, centre: Point, radius: float, colour: Colour) -> None:
    distance = disc(image.size, centre, (radius, radius))
    mask = mask_of(1 - step(distance, 1, 0.08))
    cast_shadow(image, mask, (round(radius * 0.2), round(radius * 0.25)), radius * 0.25, 0.5)
    tint(image, colour, mask)
    dark = (colour[0] // 3, colour[1] // 3, colour[2] // 3)
    lit = disc(image.size, (centre[0] - radius * 0.35, centre[1] - radius * 0.4), (radius,) * 2)
    tint(image, dark, mask_of(np.clip(lit - 0.55, 0, 1) * (distance < 1) * 0.8))
    lighten(image, mask_of(np.exp(-((lit / 0.28) ** 2)) * (distance < 1)), 0.7)


def draw_glass(image: Image.Image, foot: Point, height: float, liquid: Colour) -> None:
    """A tumbler from the side, filled to four fifths."""
    x, y = foot
    wide, narrow = height * 0.31, height * 0.23
    outline = [(x - wide, y - height), (x + wide, y - height), (x + narrow, y), (x - narrow, y)]
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    cast_shadow(image, mask, (12, 8), 10, 0.4)
    tint(image, (255, 255, 255), mask.point(lambda v: v // 4))
    fill = Image.new("L", image.size, 0)
    top, level = y - height * 0.78, wide * 0.93
    shape = [
        (x - level, top),
        (x + level, top),
        (x + narrow * 0.9, y - 8),
        (x - narrow * 0.9, y - 8),
    ]
    ImageDraw.Draw(fill).polygon(shape, fill=255)
    ImageDraw.Draw(fill).ellipse((x - level, top - 12, x + level, top + 12), fill=255)
    tint(image, liquid, fill)
    light = disc(image.size, (x - wide * 0.55, y - height * 0.5), (wide * 0.16, height * 0.42))
    lighten(image, mask_of(np.exp(-(light**2))), 0.55)
    shade = disc(image.size, (x + wide * 0.8, y - height * 0.5), (wide * 0.4, height * 0.6))
    tint(image, (60, 44, 24), mask_of(np.exp(-(shade**2)) * 0.35 * (np.asarray(fill) > 0)))
    paler = (min(255, liquid[0] + 22), min(255, liquid[1] + 20), min(255, liquid[2] + 16))
    ImageDraw.Draw(image).ellipse((x - level, top - 12, x + level, top + 12), fill=paler)
    rim = (x - wide, y - height - 12, x + wide, y - height + 12)
    ImageDraw.Draw(image).ellipse(rim, outline=(238, 240, 242), width=3)
