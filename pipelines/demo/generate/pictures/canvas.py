"""What all drawings share: gradients, noise, shadows, faces in perspective, light and grain."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter
from scipy.ndimage import map_coordinates

Rng: TypeAlias = np.random.Generator
Size: TypeAlias = tuple[int, int]
Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]
Quad: TypeAlias = tuple[Point, Point, Point, Point]
Field: TypeAlias = NDArray[np.float64]

OVERSAMPLING = 2  # drawings are made twice as large and scaled down: smooth edges


def grid(size: Size) -> tuple[Field, Field]:
    """Coordinates x and y of every pixel in [0, 1], as two fields of (height, width)."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(float)
    return x / max(1, size[0] - 1), y / max(1, size[1] - 1)


def ramp(field: Field, colours: list[Colour]) -> Image.Image:
    """An image whose colour runs through `colours` as `field` runs from 0 to 1."""
    stops = np.linspace(0, 1, len(colours))
    bands = [np.interp(field, stops, [colour[i] for colour in colours]) for i in range(3)]
    return Image.fromarray(np.stack(bands, axis=-1).round().astype(np.uint8))


def gradient(size: Size, colours: list[Colour], tilt: float = 0.0) -> Image.Image:
    """A gradient from top to bottom, leaning to the right by `tilt`."""
    x, y = grid(size)
    field = y + tilt * x
    return ramp((field - field.min()) / np.ptp(field), colours)


def clouds(size: Size, rng: Rng, cells: int = 3, octaves: int = 5, stretch: float = 1.0) -> Field:
    """Fractal noise in [0, 1]: octaves of smooth random values, each half as strong."""
    total = np.zeros((size[1], size[0]))
    for octave in range(octaves):
        n = cells * 2**octave
        shape = (min(size[1], max(2, round(n * stretch))), min(size[0], max(2, n)))
        coarse = Image.fromarray(rng.random(shape).astype(np.float32))
        fine = coarse.resize(size, Image.Resampling.BICUBIC)
        total += np.asarray(fine, dtype=float) / 2**octave
    low, high = np.percentile(total, [1, 99])
    return np.clip((total - low) / max(1e-9, high - low), 0, 1)


def mask_of(field: Field) -> Image.Image:
    """A field in [0, 1] as a mask."""
    return Image.fromarray((np.clip(field, 0, 1) * 255).round().astype(np.uint8))


def step(field: Field, edge: float, width: float) -> Field:
    """0 below `edge`, 1 above it, smooth over `width`."""
    t = np.clip((field - edge) / width + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def tint(image: Image.Image, colour: Colour, mask: Image.Image | float) -> None:
    """Lay `colour` over `image` where `mask` says, or everywhere as strong as a number says."""
    if not isinstance(mask, Image.Image):
        mask = Image.new("L", image.size, round(255 * mask))
    image.paste(Image.new("RGB", image.size, colour), (0, 0), mask)


def cast_shadow(
    image: Image.Image, mask: Image.Image, offset: Size, blur: float, opacity: float
) -> None:
    """Darken `image` where a thing of the outline `mask` keeps the light away."""
    moved = Image.new("L", image.size, 0)
    moved.paste(mask, offset)
    soft = moved.filter(ImageFilter.GaussianBlur(blur)).point(lambda v: round(v * opacity))
    tint(image, (18, 14, 22), soft)


def place(
    image: Image.Image, thing: Image.Image, at: Size, shadow: float = 0.45, blur: float = 14
) -> None:
    """Put an RGBA `thing` on `image` with a soft shadow below it."""
    mask = Image.new("L", image.size, 0)
    mask.paste(thing.getchannel("A"), at)
    cast_shadow(image, mask, (round(blur * 0.4), round(blur * 0.8)), blur, shadow)
    image.paste(thing.convert("RGB"), at, thing.getchannel("A"))


def disc(size: Size, centre: Point, radius: Point) -> Field:
    """Distance from an ellipse's centre in radii: below 1 inside it."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(float)
    return np.hypot((x - centre[0]) / radius[0], (y - centre[1]) / radius[1])


def project(texture: Image.Image, quad: Quad, size: Size, bulge: float = 0.0) -> Image.Image:
    """`texture` seen as the four-cornered face `quad` (clockwise from top left), on RGBA of `size`.

    With `bulge` the middle of each edge bows outwards by that share, as of a bloated carton.
    """
    left, top, right, bottom = _bounds(quad, size, bulge)
    near: Quad = tuple((x - left, y - top) for x, y in quad)  # type: ignore[assignment]
    u, v = _texture_coordinates(near, (right - left, bottom - top))
    bowed_u = 0.5 + (u - 0.5) * (1 - bulge * np.cos(np.pi * np.clip(v - 0.5, -0.5, 0.5)))
    bowed_v = 0.5 + (v - 0.5) * (1 - bulge / 3 * np.cos(np.pi * np.clip(u - 0.5, -0.5, 0.5)))
    inside = (abs(bowed_u - 0.5) <= 0.5) & (abs(bowed_v - 0.5) <= 0.5)
    pixels = np.asarray(texture.convert("RGB"), dtype=np.float32)
    at = [bowed_v[inside] * (texture.height - 1), bowed_u[inside] * (texture.width - 1)]
    out = np.zeros((bottom - top, right - left, 4), dtype=np.uint8)
    for band in range(3):
        out[inside, band] = map_coordinates(pixels[..., band], at, order=1, mode="nearest")
    out[inside, 3] = 255
    face = Image.new("RGBA", size)
    face.paste(Image.fromarray(out), (left, top))
    return face


def _bounds(quad: Quad, size: Size, bulge: float) -> tuple[int, int, int, int]:
    """The part of a canvas of `size` that a face may cover."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    wide, tall = (max(xs) - min(xs)) * bulge + 2, (max(ys) - min(ys)) * bulge + 2
    left, top = max(0, int(min(xs) - wide)), max(0, int(min(ys) - tall))
    right, bottom = min(size[0], int(max(xs) + wide)), min(size[1], int(max(ys) + tall))
    return left, top, max(left + 1, right), max(top + 1, bottom)


def _texture_coordinates(quad: Quad, size: Size) -> tuple[Field, Field]:
    """Coordinates u and v of every pixel: the homography that takes `quad` to the unit square."""
    rows, values = [], []
    for (x, y), (u, v) in zip(quad, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, float), np.array(values, float))
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(float)
    scale = g * x + h * y + 1
    return (a * x + b * y + c) / scale, (d * x + e * y + f) / scale


def grade(image: Image.Image, contrast: float = 1.0, saturation: float = 1.0) -> Image.Image:
    """Stretch or dull contrast and colour around their middle."""
    pixels = np.asarray(image, dtype=float)
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * saturation
    pixels = 118 + (pixels - 118) * contrast
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def finish(
    image: Image.Image, rng: Rng, size: Size, vignette: float = 0.12, grain: float = 2.2
) -> Image.Image:
    """The finished picture: corners darker, scaled down to `size`, with a camera's grain."""
    x, y = grid(image.size)
    corners = np.clip(np.hypot(x - 0.5, y - 0.5) * 1.35 - 0.35, 0, 1)
    tint(image, (0, 0, 0), mask_of(corners * vignette * 1.6))
    small = np.asarray(image.resize(size, Image.Resampling.LANCZOS), dtype=float)
    noisy = small + rng.normal(0, grain, (*small.shape[:2], 1))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def lighten(image: Image.Image, mask: Image.Image, strength: float = 0.5) -> None:
    """Add light to `image` where `mask` says."""
    glow = Image.merge("RGB", [mask.point(lambda v: round(v * strength))] * 3)
    image.paste(ImageChops.screen(image, glow))
