"""Letters in pictures: the page's own free typeface in any weight, fitted and outlined."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import dashboards.live
from pipelines.demo.generate.pictures.canvas import Colour

_INTER = Path(dashboards.live.__file__).parent / "static/vendor/inter/inter-latin-opsz-normal.woff2"


@cache
def font(size: int, weight: int = 500) -> ImageFont.FreeTypeFont:
    """Inter (SIL Open Font License) of that pixel size and weight (100 to 900)."""
    face = ImageFont.truetype(str(_INTER), size)
    face.set_variation_by_axes([14 if size < 32 else 32, weight])
    return face


def write(
    image: Image.Image,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: Colour = (30, 30, 30),
    *,
    weight: int = 500,
    anchor: str = "la",
    outline: int = 0,
) -> None:
    """Write one or more lines at `at`; with `outline`, in white-on-black meme fashion."""
    ImageDraw.Draw(image).multiline_text(
        at,
        text,
        fill=colour,
        font=font(size, weight),
        anchor=anchor if "\n" not in text else f"{anchor[0]}a",
        align="center" if anchor[0] == "m" else "left",
        stroke_width=outline,
        stroke_fill=(0, 0, 0),
        spacing=round(size * 0.25),
    )


def wrap(text: str, size: int, width: float, weight: int = 500) -> str:
    """`text` broken into lines no wider than `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size, weight).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def caption(image: Image.Image, top: str, bottom: str = "", size: int = 62) -> None:
    """Meme letters: heavy white capitals with a black outline, above and below."""
    width, height = image.size
    for text, at_top in ((top, True), (bottom, False)):
        lines = wrap(text.upper(), size, width * 0.92, 900)
        tall = lines.count("\n") * size * 1.25 + size
        y = height * 0.035 if at_top else height * 0.955 - tall
        write(
            image,
            (width / 2, y),
            lines,
            size,
            (255, 255, 255),
            weight=900,
            anchor="ma",
            outline=max(3, size // 12),
        )
