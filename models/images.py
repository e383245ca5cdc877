"""The canonical rendition of an image: what travels with a post and what the model sees."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

SHORT_SIDE: Final = 224
MAX_ASPECT: Final = 3.0
QUALITY: Final = 88
MODEL_SIZE: Final = 224


def render(image: Image.Image) -> bytes:
    """Makes the canonical small JPEG of an image, also used as its thumbnail.

    RGB, the camera's orientation applied, transparency on white, no metadata, the short side 224
    pixels; an image longer than three times its width is cut to its middle, so that no rendition
    is large. The first frame stands for an animation. Same pixels in, same bytes out.
    """
    upright = ImageOps.exif_transpose(image)
    cropped = _bound_aspect(_on_white(upright))
    scale = SHORT_SIDE / min(cropped.size)
    size = (
        max(SHORT_SIDE, round(cropped.width * scale)),
        max(SHORT_SIDE, round(cropped.height * scale)),
    )
    scaled = cropped if cropped.size == size else cropped.resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    scaled.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def decode_small(image: Image.Image) -> None:
    """Lets the decoder of a JPEG leave out detail that no rendition shows.

    It halves the picture up to three times while its short side stays at least twice that of a
    rendition: an eighth of the work for a photo of 12 megapixels. Other formats stay as they are.
    Call it before the first pixel is read.
    """
    image.draft(None, (2 * SHORT_SIDE, 2 * SHORT_SIDE))


def to_pixels(rendition: bytes) -> NDArray[np.uint8]:
    """Decodes a rendition to what the image encoder reads, uint8 (224, 224, 3).

    The whole picture is squeezed into the square: for mood the edges matter more than the shape.

    Raises:
        ValueError: the bytes are not a readable image.
    """
    try:
        with Image.open(io.BytesIO(rendition)) as image:
            whole = image if image.mode == "RGB" else image.convert("RGB")
            square = whole.resize((MODEL_SIZE, MODEL_SIZE), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a rendition that models.images.render made: {error}") from error
    return np.asarray(square, dtype=np.uint8)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would cut each value off at 255, all but white
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _bound_aspect(image: Image.Image) -> Image.Image:
    longest = round(MAX_ASPECT * min(image.size))
    left, top = max(0, image.width - longest) // 2, max(0, image.height - longest) // 2
    return image.crop(
        (left, top, left + min(image.width, longest), top + min(image.height, longest))
    )
