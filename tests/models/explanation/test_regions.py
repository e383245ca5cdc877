import io

import numpy as np
import pytest
from PIL import Image

from models.explanation.regions import draw_heat_map, to_grid
from tests.models.tiny_model import a_rendition


@pytest.mark.parametrize(("patches", "side"), [(49, 7), (197, 14), (50, 7), (1, 1), (261, 16)])
def test_patches_form_a_square_behind_what_is_no_patch(patches: int, side: int) -> None:
    grid = to_grid(np.arange(patches, dtype=np.float64))

    assert grid is not None
    assert grid.shape == (side, side)
    assert grid[-1, -1] == patches - 1


def test_patches_that_form_no_square_have_no_grid() -> None:
    assert to_grid(np.ones(48)) is None
    assert to_grid(np.ones(0)) is None


def lightness(heat_map: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    with Image.open(io.BytesIO(heat_map)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("L"), dtype=np.float64)


def test_heat_map_is_lightest_where_the_weight_is() -> None:
    rendition = a_rendition(size=(448, 224))
    grid = np.full((7, 7), 0.01)
    grid[0, 6] = 0.4  # north-east

    shown = lightness(draw_heat_map(rendition, grid))

    assert shown.shape == (224, 448)  # stretched over all of the picture
    corners = [shown[:32, :64], shown[:32, -64:], shown[-32:, :64], shown[-32:, -64:]]
    assert int(np.argmax([corner.mean() for corner in corners])) == 1
    assert shown[:16, -32:].mean() > shown[96:128, 192:256].mean() + 40


def test_flat_weights_show_nothing_but_the_picture() -> None:
    rendition = a_rendition()
    flat, other = (draw_heat_map(rendition, np.full((3, 3), value)) for value in (0.1, 0.9))

    assert flat == other
