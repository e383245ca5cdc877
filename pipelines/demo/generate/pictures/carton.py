"""The Oatmere carton: its printed face, and the gable-topped box in three dimensions."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipelines.demo.generate.pictures.canvas import (
    Colour,
    Point,
    Quad,
    Rng,
    Size,
    cast_shadow,
    gradient,
    grid,
    lighten,
    mask_of,
    project,
    tint,
)
from pipelines.demo.generate.pictures.lettering import write
from pipelines.demo.generate.pictures.mould import grow, stain

FLAVOURS: Final[dict[str, Colour]] = {
    "barista": (38, 92, 120),
    "original": (226, 150, 44),
    "vanilla": (232, 190, 70),
    "chocolate": (116, 70, 44),
    "organic": (78, 138, 82),
    "light": (108, 170, 200),
}
_FACE: Final = (300, 500)
_CREAM: Final = (250, 243, 226)


class Decay(NamedTuple):
    """How bad a carton is: mould colonies on each face, and how far it is bloated."""

    colonies: int = 0
    bulge: float = 0.0


FRESH: Final = Decay()


def draw_face(flavour: str) -> Image.Image:
    """The printed front: colour band, wordmark, oat stalk and a splash at the foot."""
    colour = FLAVOURS[flavour]
    face = gradient(_FACE, [_CREAM, (244, 234, 212)])
    draw = ImageDraw.Draw(face)
    draw.rectangle((0, 0, 300, 74), fill=colour)
    write(face, (150, 24), flavour, 30, (255, 252, 244), weight=600, anchor="ma")
    _draw_stalk(draw, (150, 330), colour)
    write(face, (150, 104), "Oatmere", 66, colour, weight=850, anchor="ma")
    write(face, (150, 180), "oat drink", 28, (120, 104, 80), weight=500, anchor="ma")
    draw.polygon([(0, 430), *_wave(300, 430, 22), (300, 500), (0, 500)], fill=colour)
    write(face, (150, 462), "1 litre", 22, _CREAM, weight=600, anchor="ma")
    return face


def _wave(width: int, level: int, height: int) -> list[Point]:
    return [(x, level - height * np.sin(x / width * 6.3)) for x in range(0, width + 1, 6)]


def _draw_stalk(draw: ImageDraw.ImageDraw, foot: Point, colour: Colour) -> None:
    """An ear of oats: a stem and pairs of leaning grains."""
    gold = (214, 164, 62)
    draw.line((foot[0], foot[1] + 76, foot[0], foot[1] - 90), fill=gold, width=5)
    for row in range(6):
        y = foot[1] - 80 + row * 26
        for side in (-1, 1):
            grain = [(foot[0], y), (foot[0] + side * 16, y - 24), (foot[0] + side * 34, y - 30)]
            grain += [(foot[0] + side * 28, y - 8)]
            draw.polygon(grain, fill=gold if row % 2 else (232, 190, 96), outline=colour)


def draw_side(flavour: str) -> Image.Image:
    """The printed side: small type and a bar code."""
    face = gradient(_FACE, [(240, 230, 210), (226, 214, 190)])
    draw = ImageDraw.Draw(face)
    draw.rectangle((0, 0, 300, 74), fill=FLAVOURS[flavour])
    for line in range(11):
        draw.rectangle(
            (40, 120 + line * 20, 230 + (line * 37) % 40, 127 + line * 20), (150, 138, 116)
        )
    for bar in range(30):
        draw.rectangle((70 + bar * 5, 380, 70 + bar * 5 + (bar * 7) % 4, 450), (40, 36, 30))
    return face


def corners(centre: Point, height: float, yaw: float, pitch: float = 0.16) -> dict[str, Point]:
    """Where the carton's corners are seen: f/s/b for front, side and back edge, t/b for height."""
    points = {
        **{"lt": (-0.5, 1.45, 0.38), "rt": (0.5, 1.45, 0.38), "bt": (0.5, 1.45, -0.38)},
        **{"lb": (-0.5, 0.0, 0.38), "rb": (0.5, 0.0, 0.38), "bb": (0.5, 0.0, -0.38)},
        **{"ridge_l": (-0.5, 1.78, 0.0), "ridge_r": (0.5, 1.78, 0.0)},
        **{"fin_l": (-0.5, 1.9, 0.0), "fin_r": (0.5, 1.9, 0.0)},
    }
    scale = height / 1.9
    return {name: _seen(point, centre, scale, yaw, pitch) for name, point in points.items()}


def _seen(
    point: tuple[float, float, float], centre: Point, scale: float, yaw: float, pitch: float
) -> Point:
    """A point as a camera six units away sees it."""
    x = point[0] * np.cos(yaw) + point[2] * np.sin(yaw)
    z = -point[0] * np.sin(yaw) + point[2] * np.cos(yaw)
    y = point[1] * np.cos(pitch) - z * np.sin(pitch)
    depth = 6.0 - z * np.cos(pitch) - point[1] * np.sin(pitch)
    near = scale * 6.0 / depth
    return (float(centre[0] + x * near), float(centre[1] - y * near))


def draw_carton(
    size: Size,
    rng: Rng,
    flavour: str,
    foot: Point,
    height: float,
    *,
    yaw: float = -0.55,
    decay: Decay = FRESH,
) -> Image.Image:
    """A carton standing with its foot at `foot`, on transparent RGBA of `size`."""
    at = corners(foot, height, yaw)
    front, side = draw_face(flavour), draw_side(flavour)
    roof = gradient(_FACE, [FLAVOURS[flavour], FLAVOURS[flavour]])
    for face, share in ((front, 1.0), (side, 0.8), (roof, 0.4)):
        _spoil(face, rng, decay, share)
    _shade(front, 1.0, 0.9)
    _shade(side, 0.74, 0.58)
    carton = Image.new("RGBA", size)
    faces: list[tuple[Image.Image, Quad, float]] = [
        (side, (at["rt"], at["bt"], at["bb"], at["rb"]), decay.bulge),
        (roof, (at["ridge_l"], at["ridge_r"], at["rt"], at["lt"]), 0.0),
        (roof, (at["fin_l"], at["fin_r"], at["ridge_r"], at["ridge_l"]), 0.0),
        (front, (at["lt"], at["rt"], at["rb"], at["lb"]), decay.bulge),
    ]
    ImageDraw.Draw(carton).polygon([at["ridge_r"], at["bt"], at["rt"]], (150, 142, 126))
    for texture, quad, bulge in faces:
        carton.alpha_composite(project(texture, quad, size, bulge))
    return carton


def _spoil(face: Image.Image, rng: Rng, decay: Decay, share: float) -> None:
    if decay.colonies:
        tint(face, (122, 112, 72), 0.28)
        stain(face, rng, 0.55)
        grow(face, rng, round(decay.colonies * share), 74)


def _shade(face: Image.Image, left: float, right: float) -> None:
    """Light falls from the left; the upper half catches a little gloss."""
    x, y = grid(face.size)
    tint(face, (16, 12, 26), mask_of(1 - (left + (right - left) * x)))
    lighten(face, mask_of(np.exp(-(((x - 0.25) / 0.18) ** 2)) * (1 - y) * 0.5 * left), 0.35)


def stand(scene: Image.Image, carton: Image.Image, opacity: float = 0.5) -> None:
    """Put a carton into a scene with the shadow it throws to the right and on the table."""
    mask = carton.getchannel("A")
    low = mask.transform(
        mask.size, Image.Transform.AFFINE, (1, 0.9, -mask.height * 0.74, 0, 2.6, -mask.height * 1.3)
    )
    cast_shadow(scene, low, (8, 6), 18, opacity * 0.7)
    cast_shadow(scene, mask, (10, 8), 9, opacity)
    scene.paste(carton.convert("RGB"), (0, 0), mask.filter(ImageFilter.GaussianBlur(0.6)))
