"""Phones, bank cards and what their screens show."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

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
from pipelines.demo.generate.pictures.lettering import wrap, write

VIVID: Final[tuple[list[Colour], ...]] = (
    [(255, 94, 98), (255, 153, 102), (255, 222, 160)],
    [(58, 28, 113), (215, 109, 119), (255, 175, 123)],
    [(0, 131, 176), (0, 180, 219), (190, 240, 240)],
    [(17, 153, 142), (56, 239, 125), (226, 250, 190)],
    [(123, 67, 151), (220, 36, 120), (255, 170, 190)],
    [(252, 203, 60), (252, 140, 80), (240, 90, 110)],
)
FINISHES: Final[dict[str, Colour]] = {
    "coral": (246, 116, 100),
    "mint": (136, 214, 180),
    "midnight": (44, 62, 112),
    "sand": (224, 200, 166),
    "lilac": (190, 164, 226),
    "glacier": (206, 226, 236),
}


def rounded(image: Image.Image, radius: int) -> Image.Image:
    """`image` with round corners, on RGBA."""
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, image.width - 1, image.height - 1), radius, 255)
    cut = image.convert("RGBA")
    cut.putalpha(mask)
    return cut


def wallpaper(size: Size, rng: Rng) -> Image.Image:
    """Flowing colour, as phones show it in shops."""
    x, y = grid(size)
    flow = clouds(size, rng, 1, 3)
    waves = 0.5 + 0.5 * np.sin(flow * 7 + y * 3 + x * 2)
    return ramp(waves * 0.7 + flow * 0.3, VIVID[int(rng.integers(len(VIVID)))])


def frame(screen: Image.Image) -> Image.Image:
    """A phone around `screen`: black glass edge, metal rim, camera hole."""
    w, h = screen.size
    body = gradient((w + 28, h + 28), [(96, 98, 106), (40, 42, 48)], 0.5)
    ImageDraw.Draw(body).rounded_rectangle((4, 4, w + 23, h + 23), 40, fill=(8, 8, 10))
    front = rounded(screen, 32)
    body.paste(front.convert("RGB"), (14, 14), front.getchannel("A"))
    ImageDraw.Draw(body).ellipse((w // 2 + 6, 24, w // 2 + 22, 40), fill=(8, 8, 10))
    return rounded(body, 44)


def draw_back(rng: Rng, colour: Colour, size: Size = (230, 470)) -> Image.Image:
    """The back of an Orvika: lacquer, two lenses, wordmark."""
    paler = (min(255, colour[0] + 40), min(255, colour[1] + 40), min(255, colour[2] + 40))
    body = gradient(size, [paler, colour, colour], 0.8)
    x, y = grid(size)
    lighten(body, mask_of(np.exp(-(((x + y * 0.5 - 0.55) / 0.09) ** 2))), 0.4)
    for row in range(2):
        _draw_lens(body, (64, 70 + row * 92), 36)
    ImageDraw.Draw(body).ellipse((128, 60, 148, 80), fill=(255, 250, 226))
    write(
        body, (size[0] / 2, size[1] * 0.8), "Orvika", 34, (250, 250, 252), weight=700, anchor="ma"
    )
    return rounded(body, 44)


def _draw_lens(image: Image.Image, centre: tuple[int, int], radius: int) -> None:
    for share, colour in ((1.0, (150, 152, 160)), (0.9, (14, 14, 18)), (0.55, (34, 38, 66))):
        r = radius * share
        box = (centre[0] - r, centre[1] - r, centre[0] + r, centre[1] + r)
        ImageDraw.Draw(image).ellipse(box, fill=colour)
    glint = disc(
        image.size, (centre[0] - radius * 0.3, centre[1] - radius * 0.3), (radius * 0.22,) * 2
    )
    lighten(image, mask_of(np.exp(-(glint**2))), 0.8)


def draw_bank_card(rng: Rng, size: Size = (480, 300)) -> Image.Image:
    """A Brindlow card: flowing colour, chip, a number that is none."""
    card = wallpaper(size, rng)
    tint(card, (30, 40, 90), 0.18)
    ImageDraw.Draw(card).rounded_rectangle((40, 110, 112, 164), 10, fill=(232, 202, 128))
    for line in (126, 146):
        ImageDraw.Draw(card).line((40, line, 112, line), fill=(150, 120, 60), width=2)
    write(card, (40, 34), "Brindlow", 42, (255, 255, 255), weight=800)
    write(card, (40, 204), "•••• •••• •••• 0000", 30, (255, 255, 255), weight=500)
    write(card, (40, 252), "A. CUSTOMER", 20, (246, 246, 250), weight=500)
    return rounded(card, 30)


def savings_screen(rng: Rng, size: Size = (250, 480)) -> Image.Image:
    """The bank's app on a good day: a balance and a line that rises."""
    screen = gradient(size, [(250, 250, 255), (232, 240, 255)])
    write(screen, (20, 56), "Brindlow", 24, (52, 70, 160), weight=800)
    write(screen, (20, 110), "Savings", 19, (110, 116, 140))
    amount = f"{int(rng.integers(2, 19))},{int(rng.integers(100, 999))}.{int(rng.integers(10, 99))}"
    write(screen, (20, 134), f"€ {amount}", 31, (24, 28, 50), weight=800)
    steps = np.cumsum(rng.random(24) * 1.6 - 0.35)
    points = _line(steps, (20, 200, size[0] - 20, 330))
    draw = ImageDraw.Draw(screen)
    draw.polygon([*points, (size[0] - 20, 340), (20, 340)], fill=(206, 236, 214))
    draw.line(points, fill=(30, 160, 90), width=5, joint="curve")
    for row in range(3):
        draw.rounded_rectangle(
            (20, 360 + row * 36, size[0] - 20, 388 + row * 36), 9, (255, 255, 255)
        )
        draw.ellipse((28, 366 + row * 36, 44, 382 + row * 36), VIVID[row][1])
        draw.rectangle((54, 370 + row * 36, 130, 376 + row * 36), (190, 196, 214))
    return screen


def error_screen(rng: Rng, size: Size = (250, 480)) -> Image.Image:
    """The bank's app on a bad morning."""
    screen = gradient(size, [(58, 60, 66), (34, 35, 40)])
    write(screen, (20, 56), "Brindlow", 24, (170, 172, 184), weight=800)
    ImageDraw.Draw(screen).polygon([(125, 130), (185, 232), (65, 232)], fill=(206, 66, 54))
    write(screen, (125, 160), "!", 62, (255, 244, 240), weight=900, anchor="ma")
    lines = ("Something went wrong", "Service unavailable", "Payment failed", "Card declined")
    head = wrap(lines[int(rng.integers(len(lines)))], 27, size[0] - 40, 700)
    write(screen, (125, 256), head, 27, (240, 232, 232), weight=700, anchor="ma")
    write(
        screen,
        (125, 346),
        f"Error 503 · {int(rng.integers(1000, 9999))}",
        17,
        (160, 160, 170),
        weight=500,
        anchor="ma",
    )
    ImageDraw.Draw(screen).rounded_rectangle(
        (50, 396, 200, 438), 20, outline=(120, 122, 130), width=2
    )
    write(screen, (125, 405), "Try again", 19, (150, 152, 160), weight=600, anchor="ma")
    return screen


def _line(values: np.ndarray, box: tuple[int, int, int, int]) -> list[tuple[float, float]]:
    """`values` as points that fill `box`."""
    low, span = float(values.min()), float(np.ptp(values)) or 1.0
    xs = np.linspace(box[0], box[2], len(values))
    ys = [box[3] - (float(v) - low) / span * (box[3] - box[1]) for v in values]
    return [(float(x), y) for x, y in zip(xs, ys, strict=True)]


def falling_chart(size: Size, rng: Rng, title: str, figure: str) -> Image.Image:
    """A dark trading screen whose red line falls."""
    screen = gradient(size, [(22, 20, 24), (10, 9, 12)])
    draw = ImageDraw.Draw(screen)
    for row in range(6):
        y = size[1] * (0.3 + row * 0.12)
        draw.line((0, y, size[0], y), fill=(44, 42, 48), width=2)
    calm = 100 + np.cumsum(rng.normal(0, 0.7, 26))
    fall = calm[-1] - np.cumsum(np.abs(rng.normal(3.4, 2.6, 18)))
    points = _line(
        np.concatenate([calm, fall]), (30, round(size[1] * 0.3), size[0] - 40, round(size[1] * 0.9))
    )
    draw.polygon([*points, (points[-1][0], size[1]), (30, size[1])], fill=(46, 12, 14))
    draw.line(points, fill=(232, 48, 44), width=7, joint="curve")
    x, y = points[-1]
    draw.ellipse((x - 11, y - 11, x + 11, y + 11), fill=(255, 90, 80))
    write(screen, (34, 30), title, 40, (214, 210, 212), weight=700)
    write(screen, (34, 84), figure, 66, (236, 58, 52), weight=900)
    return screen
