import io

import numpy as np
import pytest
from PIL import Image

from models.images import decode_small, render, to_pixels
from tests.models.tiny_model import a_rendition


def opened(rendition: bytes) -> Image.Image:
    return Image.open(io.BytesIO(rendition))


def test_rendition_is_a_small_rgb_jpeg_with_short_side_224() -> None:
    image = opened(render(Image.new("RGB", (1200, 800), "red")))

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (336, 224))


def test_long_images_are_cut_to_three_to_one() -> None:
    assert opened(render(Image.new("RGB", (4000, 100)))).size == (672, 224)
    assert opened(render(Image.new("RGB", (50, 1000)))).size == (224, 672)


def test_transparency_lies_on_white() -> None:
    pixels = to_pixels(render(Image.new("RGBA", (300, 300), (0, 0, 0, 0))))

    assert pixels.min() >= 250


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
def test_every_mode_of_image_is_rendered(mode: str) -> None:
    assert opened(render(Image.new(mode, (240, 230)))).mode == "RGB"


def test_sixteen_bits_of_grey_show_the_same_picture_as_eight() -> None:
    grey = Image.linear_gradient("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    buffer = io.BytesIO()
    deep.save(buffer, "PNG")

    assert Image.open(buffer).mode == "I;16"
    assert render(Image.open(buffer)) == render(grey)


def test_orientation_of_the_camera_is_applied_and_metadata_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    buffer = io.BytesIO()
    Image.new("RGB", (600, 300)).save(buffer, "JPEG", exif=exif)

    image = opened(render(Image.open(buffer)))

    assert image.size == (224, 448)
    assert not image.getexif()


def test_pixels_are_what_the_encoder_reads() -> None:
    pixels = to_pixels(a_rendition())

    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.dtype(np.uint8)


def test_same_picture_same_bytes() -> None:
    assert a_rendition() == a_rendition()


@pytest.mark.parametrize("broken", [b"", b"not an image", a_rendition()[:300]])
def test_broken_rendition_is_named_as_such(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not a rendition"):
        to_pixels(broken)


def test_animation_is_rendered_by_its_first_frame() -> None:
    frames = [Image.new("RGB", (240, 240), colour) for colour in ("white", "black")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])

    assert to_pixels(render(Image.open(buffer))).min() > 250


def a_photo(size: tuple[int, int]) -> bytes:
    """A JPEG with detail of every size."""
    noise = np.random.default_rng(0).integers(0, 255, (size[1] // 40, size[0] // 40, 3))
    image = Image.fromarray(noise.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def test_a_large_jpeg_is_decoded_small_and_renders_nearly_the_same() -> None:
    whole, small = opened(a_photo((2000, 1600))), opened(a_photo((2000, 1600)))

    decode_small(small)

    assert min(small.size) == 800
    apart = to_pixels(render(whole)).astype(int) - to_pixels(render(small))
    assert np.abs(apart).mean() < 2


def test_what_is_no_large_jpeg_is_decoded_whole() -> None:
    for image in (opened(a_photo((600, 480))), Image.new("RGBA", (2000, 2000))):
        size = image.size
        decode_small(image)

        assert image.size == size
