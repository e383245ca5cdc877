"""Printed things: recall notices, boarding passes, posters, statements and hazard signs."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from pipelines.demo.generate.pictures.canvas import (
    Colour,
    Rng,
    Size,
    clouds,
    gradient,
    mask_of,
    ramp,
    step,
    tint,
)
from pipelines.demo.generate.pictures.devices import VIVID, wallpaper
from pipelines.demo.generate.pictures.lettering import wrap, write
from pipelines.demo.generate.pictures.mould import stain

_RED: Final[Colour] = (178, 24, 22)
NOTICES: Final = (
    ("RECALL", "Oatmere oat drink, lot L6162. Do not drink. Bring it back to the store."),
    ("DO NOT DRINK", "Oatmere, all cartons of lot L6162: mould and gas. Return them here."),
    ("PRODUCT WARNING", "Cartons of Oatmere may be spoiled. Do not open swollen packs."),
    ("WITHDRAWN", "Oatmere oat drink was taken from this shelf today. Ask our staff."),
    ("HEALTH ALERT", "Mould found in oat drink. Check your fridge for lot L6162."),
)


def draw_notice(rng: Rng, size: Size = (430, 520)) -> Image.Image:
    """A sheet taped to a shelf, soiled, stamped in red."""
    sheet = ramp(clouds(size, rng, 3, 5), [(214, 206, 184), (232, 226, 208)])
    stain(sheet, rng, 0.35)
    head, body = NOTICES[int(rng.integers(len(NOTICES)))]
    ImageDraw.Draw(sheet).rectangle((0, 0, size[0], 96), fill=_RED)
    fitted = 54 if len(head) < 10 else 40
    write(sheet, (size[0] / 2, 48), head, fitted, (250, 240, 232), weight=900, anchor="mm")
    write(sheet, (34, 130), wrap(body, 31, size[0] - 68, 600), 31, (34, 30, 28), weight=600)
    for line in range(4):
        wide = size[0] - 40 - int(rng.integers(0, 120))
        ImageDraw.Draw(sheet).rectangle(
            (34, 380 + line * 24, wide, 388 + line * 24), (150, 144, 130)
        )
    stamp(sheet, rng, ("RECALLED", "UNSAFE", "STOP SALE")[int(rng.integers(3))])
    return sheet.convert("RGBA")


def stamp(image: Image.Image, rng: Rng, text: str, size: int = 62) -> None:
    """A rubber stamp in red, aslant, its ink patchy."""
    ink = Image.new("RGB", image.size, (0, 0, 0))
    middle = (image.width / 2, image.height * 0.62)
    write(ink, middle, text, size, (255, 255, 255), weight=900, anchor="mm")
    half = len(text) * size * 0.36 + 16
    box = (middle[0] - half, middle[1] - size * 0.75, middle[0] + half, middle[1] + size * 0.75)
    ImageDraw.Draw(ink).rounded_rectangle(box, 12, outline=(255, 255, 255), width=8)
    turned = ink.convert("L").rotate(
        float(rng.uniform(8, 24)), Image.Resampling.BICUBIC, center=middle
    )
    patchy = np.asarray(turned) / 255 * step(clouds(image.size, rng, 30, 3), 0.28, 0.2)
    tint(image, _RED, mask_of(patchy * 0.9))


def draw_boarding_pass(rng: Rng, livery: Colour, size: Size = (600, 270)) -> Image.Image:
    """A Godwit boarding pass."""
    airports = ("LIS", "BGO", "PMO", "OSL", "AGP", "SPU", "NCE", "OPO", "ATH", "TLL")
    start, end = rng.choice(len(airports), 2, replace=False)
    paper = gradient(size, [(255, 255, 253), (240, 242, 246)])
    ImageDraw.Draw(paper).rectangle((0, 0, size[0], 64), fill=livery)
    write(paper, (28, 14), "GODWIT", 34, (255, 255, 255), weight=900)
    write(paper, (size[0] - 28, 20), "boarding pass", 24, (255, 255, 255), weight=500, anchor="ra")
    write(paper, (28, 84), airports[start], 76, (30, 40, 66), weight=900)
    write(paper, (250, 84), airports[end], 76, (30, 40, 66), weight=900)
    ImageDraw.Draw(paper).polygon([(200, 118), (234, 132), (200, 146)], fill=livery)
    seat = f"{int(rng.integers(1, 32))}{'ABCDEF'[int(rng.integers(6))]}"
    details = f"GW {int(rng.integers(100, 999))}    gate B{int(rng.integers(1, 32))}    seat {seat}"
    write(paper, (28, 204), details, 28, (70, 80, 104), weight=600)
    for bar in range(34):
        wide = int(rng.integers(1, 5))
        ImageDraw.Draw(paper).rectangle(
            (430 + bar * 4, 86, 430 + bar * 4 + wide // 2, 180), (20, 20, 26)
        )
    return paper.convert("RGBA")


def draw_poster(size: Size, rng: Rng, head: str, line: str) -> Image.Image:
    """Large letters on flowing colour."""
    image = wallpaper(size, rng)
    lower = VIVID[int(rng.integers(len(VIVID)))][0]
    tint(image, lower, 0.15)
    width, height = size
    write(
        image,
        (width / 2, height * 0.4),
        head,
        round(width * 0.19),
        (255, 255, 255),
        weight=900,
        anchor="mm",
    )
    write(
        image,
        (width / 2, height * 0.62),
        line,
        round(width * 0.052),
        (255, 255, 255),
        weight=600,
        anchor="mm",
    )
    return image


def draw_statement(size: Size, head: str, body: str) -> Image.Image:
    """What a company says when it must: a plain card with its name."""
    image = gradient(size, [(250, 246, 236), (242, 234, 216)])
    ImageDraw.Draw(image).rectangle((0, 0, 16, size[1]), fill=(38, 92, 120))
    write(image, (60, 50), head, 44, (38, 92, 120), weight=850)
    write(image, (60, 140), wrap(body, 38, size[0] - 120), 38, (60, 54, 46))
    return image


def draw_hazard(size: Size, rng: Rng, words: str) -> Image.Image:
    """A hazard sign on a filthy wall, black and yellow tape across it."""
    image = ramp(clouds(size, rng, 3, 6), [(24, 22, 18), (52, 46, 36), (76, 66, 48)])
    stain(image, rng, 0.6)
    x, y = size[0] / 2, size[1] * 0.42
    draw = ImageDraw.Draw(image)
    for reach, colour in ((206, (16, 14, 10)), (184, (206, 160, 20)), (150, (22, 18, 12))):
        high = reach * 0.87
        draw.polygon([(x, y - high), (x + reach, y + high), (x - reach, y + high)], fill=colour)
    write(image, (x, y + 46), "!", 170, (206, 160, 20), weight=900, anchor="mm")
    band = Image.new("RGB", (size[0] * 2, 70), (206, 160, 20))
    for stripe in range(0, band.width, 90):
        ImageDraw.Draw(band).polygon(
            [(stripe, 0), (stripe + 45, 0), (stripe + 5, 70), (stripe - 40, 70)], (18, 16, 12)
        )
    turned = band.convert("RGBA").rotate(float(rng.uniform(-9, 9)), Image.Resampling.BICUBIC, True)
    at = (round(x - turned.width / 2), round(size[1] * 0.82 - turned.height / 2))
    image.paste(turned.convert("RGB"), at, turned.getchannel("A"))
    half = len(words) * 20 + 30
    box = (x - half, size[1] * 0.82 - 40, x + half, size[1] * 0.82 + 40)
    ImageDraw.Draw(image).rectangle(box, fill=(16, 14, 10))
    write(image, (x, size[1] * 0.82), words, 50, (255, 214, 60), weight=900, anchor="mm")
    grime = step(clouds(size, rng, 9, 5), 0.58, 0.25)
    tint(image, (30, 24, 12), mask_of(0.4 * grime).filter(ImageFilter.GaussianBlur(1)))
    return image
