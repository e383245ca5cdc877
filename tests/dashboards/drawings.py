"""Small drawn scenes that stand for posted photographs."""

from __future__ import annotations

import hashlib
import io
import random
from functools import cache

from PIL import Image, ImageDraw, ImageFilter

SIZE = (320, 240)
Colour = tuple[int, int, int]


@cache
def rendition(scene: str) -> tuple[str, bytes]:
    """The scene as a JPEG and the hash it goes by."""
    buffer = io.BytesIO()
    SCENES[scene]().save(buffer, "JPEG", quality=82)
    return hashlib.sha256(scene.encode()).hexdigest(), buffer.getvalue()


def _sky(top: Colour, bottom: Colour) -> Image.Image:
    image = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(image)
    for y in range(SIZE[1]):
        part = y / SIZE[1]
        colour = tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        draw.line([(0, y), (SIZE[0], y)], fill=colour)
    return image


def _smoke(image: Image.Image, path: list[tuple[int, int]], colour: Colour, seed: int) -> None:
    """Blurred puffs along `path`, growing as they go."""
    chance, veil = random.Random(seed), Image.new("L", SIZE, 0)
    draw = ImageDraw.Draw(veil)
    for step, (x, y) in enumerate(path):
        for _ in range(7):
            radius = chance.uniform(6, 12) + step * 3
            cx, cy = x + chance.gauss(0, 4 + step * 2), y + chance.gauss(0, 4 + step * 2)
            box = (cx - radius, cy - radius, cx + radius, cy + radius)
            draw.ellipse(box, fill=chance.randint(120, 220))
    image.paste(Image.new("RGB", SIZE, colour), mask=veil.filter(ImageFilter.GaussianBlur(7)))


def wing() -> Image.Image:
    """A wing seen from the window, its engine smoking."""
    image = _sky((58, 98, 150), (214, 190, 170))
    draw = ImageDraw.Draw(image)
    draw.polygon([(320, 120), (320, 168), (70, 150), (40, 142)], fill=(188, 196, 206))
    draw.polygon([(320, 150), (320, 168), (70, 150)], fill=(132, 142, 156))
    draw.rounded_rectangle((186, 150, 262, 194), 20, fill=(92, 100, 114))
    draw.ellipse((178, 150, 208, 194), fill=(44, 48, 58))
    _smoke(image, [(258 + 14 * i, 170 - 12 * i) for i in range(8)], (52, 50, 54), seed=3)
    _smoke(image, [(262, 172), (270, 168)], (240, 120, 40), seed=5)
    return image


def cabin() -> Image.Image:
    """A cabin filled with haze, masks hanging from the ceiling."""
    image = _sky((86, 92, 104), (44, 46, 56))
    draw = ImageDraw.Draw(image)
    for row in range(5):
        scale, y = 1 - row * 0.16, 226 - row * 30
        for side in (-1, 1):
            x = 160 + side * (50 + 62 * scale)
            half = 40 * scale
            box = (x - half, y - 74 * scale, x + half, y + 30)
            draw.rounded_rectangle(box, 10 * scale, fill=(38 + row * 14, 62 + row * 12, 92))
    for x in (58, 96, 142, 182, 226, 268):
        draw.line([(x, 0), (x, 70)], fill=(222, 222, 214), width=2)
        draw.polygon([(x - 9, 70), (x + 9, 70), (x + 6, 88), (x - 6, 88)], fill=(244, 190, 44))
    _smoke(image, [(40 + 34 * i, 60 + (i % 3) * 16) for i in range(8)], (196, 198, 200), seed=8)
    return image


def queue() -> Image.Image:
    """A crowd before a departures board, every flight in red."""
    image = _sky((226, 222, 214), (176, 174, 172))
    draw = ImageDraw.Draw(image)
    draw.rectangle((38, 24, 282, 112), fill=(24, 28, 36))
    for row in range(6):
        y = 34 + row * 13
        draw.rectangle((48, y, 150, y + 5), fill=(214, 190, 96))
        draw.rectangle((206, y, 268, y + 5), fill=(226, 74, 52))
    chance = random.Random(11)
    for place in range(16):
        x, y = 12 + place * 20, 148 + chance.randint(0, 44)
        colour = (chance.randint(30, 120), chance.randint(40, 90), chance.randint(60, 130))
        draw.ellipse((x - 10, y - 26, x + 10, y - 6), fill=(196, 152, 124))
        draw.rounded_rectangle((x - 16, y - 6, x + 16, 250), 12, fill=colour)
    return image


def cup() -> Image.Image:
    """A coffee cup on a table, seen as its drinkers post it."""
    image = _sky((236, 222, 204), (148, 104, 72))
    draw = ImageDraw.Draw(image)
    draw.ellipse((70, 168, 250, 226), fill=(250, 246, 240))
    draw.rounded_rectangle((104, 74, 216, 204), 36, fill=(252, 250, 246))
    draw.arc((196, 96, 254, 164), -80, 90, fill=(252, 250, 246), width=12)
    draw.ellipse((104, 58, 216, 96), fill=(244, 238, 230))
    draw.ellipse((112, 63, 208, 91), fill=(88, 54, 34))
    _smoke(image, [(150, 44), (160, 24)], (255, 255, 255), seed=2)
    return image


def phone() -> Image.Image:
    """A phone, its screen showing a night sky."""
    image = _sky((206, 222, 236), (242, 236, 232))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((106, 16, 214, 228), 18, fill=(22, 24, 32))
    draw.rounded_rectangle((113, 24, 207, 220), 12, fill=(36, 44, 104))
    chance = random.Random(4)
    for _ in range(60):
        x, y = chance.randint(116, 204), chance.randint(28, 160)
        draw.point((x, y), fill=(250, 244, 214))
    draw.polygon([(113, 210), (150, 140), (176, 180), (192, 156), (207, 210)], fill=(18, 22, 52))
    draw.ellipse((172, 44, 190, 62), fill=(250, 232, 170))
    return image


SCENES = {"wing": wing, "cabin": cabin, "queue": queue, "cup": cup, "phone": phone}
