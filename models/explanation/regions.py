"""From image patches to a heat map over the picture."""

import io
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Stops of the colours from little to much: night blue, violet, red, amber, pale yellow. Their
# lightness rises throughout, so the map reads the same in grey and to the colour-blind.
_STOPS: Final = np.array(
    [(18, 18, 60), (88, 32, 120), (190, 52, 80), (246, 150, 50), (252, 246, 180)], dtype=np.float64
)
_PICTURE_SHARE: Final = 0.45  # of a pixel that is the picture's own

Floats = NDArray[np.float64]


def to_grid(values: Floats) -> Floats | None:
    """Patch values as (rows, columns), north up; None where patches form no square.

    Square inputs give square grids: 49 are 7 x 7. What a transformer puts before its patches (a
    class token, registers) is left out: 197 are 14 x 14 and one.
    """
    side = math.isqrt(len(values))
    if side == 0 or len(values) - side * side > 5:
        return None
    return values[len(values) - side * side :].reshape(side, side)


def draw_heat_map(rendition: bytes, grid: Floats) -> bytes:
    """A picture with the grid laid over it as colours, as PNG.

    The encoder sees the whole picture squeezed into a square, so the grid stretches over all of it.
    Colours run from the smallest value to the largest; a flat grid is all in the lowest colour.
    """
    with Image.open(io.BytesIO(rendition)) as opened:
        picture = opened.convert("RGB")
    low, high = grid.min(), grid.max()
    levels = (grid - low) / (high - low) if high > low else np.zeros_like(grid)
    smooth = Image.fromarray(levels.astype(np.float32)).resize(
        picture.size, Image.Resampling.BICUBIC
    )
    colours = _colours(np.clip(np.asarray(smooth, dtype=np.float64), 0, 1))
    grey = np.asarray(picture.convert("L"), dtype=np.float64)[..., None]
    mixed = _PICTURE_SHARE * grey + (1 - _PICTURE_SHARE) * colours
    stream = io.BytesIO()
    Image.fromarray(mixed.round().astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _colours(levels: Floats) -> Floats:
    """(rows, columns) in [0, 1] -> (rows, columns, 3) in [0, 255]."""
    places = np.linspace(0, 1, len(_STOPS))
    channels = [np.interp(levels, places, _STOPS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1)
