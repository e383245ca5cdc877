"""Picture families of ordinary and happy posts: bright, colourful, without people."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from pipelines.demo.generate.pictures.canvas import (
    OVERSAMPLING,
    Colour,
    Rng,
    Size,
    finish,
    grade,
    place,
)
from pipelines.demo.generate.pictures.carton import FLAVOURS, draw_carton, stand
from pipelines.demo.generate.pictures.devices import (
    FINISHES,
    draw_back,
    draw_bank_card,
    frame,
    rounded,
    savings_screen,
    wallpaper,
)
from pipelines.demo.generate.pictures.landscapes import draw_hills, draw_sea, draw_window_seat
from pipelines.demo.generate.pictures.lettering import caption
from pipelines.demo.generate.pictures.papers import draw_boarding_pass, draw_poster, draw_statement
from pipelines.demo.generate.pictures.surfaces import bright_room, bright_table
from pipelines.demo.generate.pictures.tableware import (
    CHINA,
    draw_dish,
    draw_glass,
    draw_latte,
    draw_porridge,
)

WIDE: Final[Size] = (400, 300)
SQUARE: Final[Size] = (340, 340)
GODWIT: Final[Colour] = (226, 88, 60)
_PHOTOS: Final = Path(__file__).parents[1] / "photos"
_JOKES: Final = (
    ("cat", "me before breakfast", "me after"),
    ("cat", "judging your", "breakfast"),
    ("rocket", "me after one", "flat white"),
    ("galaxies", "my to do list", "today"),
    ("coffee", "first", "everything else later"),
    ("cat", "it's thursday", "i checked"),
)


def large(size: Size) -> Size:
    """The size in which a picture of `size` is drawn."""
    return size[0] * OVERSAMPLING, size[1] * OVERSAMPLING


def draw_fresh_carton(rng: Rng) -> Image.Image:
    """A carton on a sunny table, with a glass."""
    scene = bright_room(large(WIDE), rng)
    flavour = sorted(FLAVOURS)[int(rng.integers(len(FLAVOURS)))]
    left = rng.random() < 0.5
    foot = (300.0 if left else 480.0, 545.0)
    draw_glass(
        scene, (foot[0] + (260 if left else -250), 550), rng.uniform(150, 210), (250, 240, 220)
    )
    yaw = float(rng.uniform(-0.75, -0.3))
    stand(scene, draw_carton(scene.size, rng, flavour, foot, rng.uniform(400, 470), yaw=yaw))
    return finish(scene, rng, WIDE)


def draw_good_coffee(rng: Rng) -> Image.Image:
    """A latte from above."""
    scene = bright_table(large(SQUARE), rng)
    centre, china = _somewhere(rng), CHINA[int(rng.integers(len(CHINA)))]
    draw_dish(scene, centre, 255, china)
    draw_dish(scene, centre, 178, china)
    draw_latte(scene, rng, centre, 157)
    return finish(scene, rng, SQUARE)


def draw_good_breakfast(rng: Rng) -> Image.Image:
    """A bowl of porridge with fruit from above."""
    scene = bright_table(large(SQUARE), rng)
    centre = _somewhere(rng)
    draw_dish(scene, centre, 256, CHINA[int(rng.integers(len(CHINA)))])
    draw_porridge(scene, rng, centre, 222)
    return finish(scene, rng, SQUARE)


def _somewhere(rng: Rng) -> tuple[float, float]:
    return float(rng.uniform(300, 380)), float(rng.uniform(300, 380))


def draw_country(rng: Rng) -> Image.Image:
    """Hills under a friendly sky."""
    return finish(draw_hills(large(WIDE), rng), rng, WIDE)


def draw_beach(rng: Rng) -> Image.Image:
    """The sea."""
    return finish(draw_sea(large(WIDE), rng), rng, WIDE)


def draw_window(rng: Rng) -> Image.Image:
    """The view from a window seat."""
    return finish(draw_window_seat(large(SQUARE), rng, GODWIT), rng, SQUARE)


def draw_ticket(rng: Rng) -> Image.Image:
    """A boarding pass on a table."""
    scene = bright_table(large(WIDE), rng)
    ticket = draw_boarding_pass(rng, GODWIT)
    turned = ticket.rotate(float(rng.uniform(-14, 14)), Image.Resampling.BICUBIC, expand=True)
    place(scene, turned, ((scene.width - turned.width) // 2, (scene.height - turned.height) // 2))
    return finish(scene, rng, WIDE)


def draw_phones(rng: Rng) -> Image.Image:
    """The front and back of an Orvika floating on colour."""
    scene = bright_table(large(WIDE), rng) if rng.random() < 0.4 else wallpaper(large(WIDE), rng)
    colour = list(FINISHES.values())[int(rng.integers(len(FINISHES)))]
    back = draw_back(rng, colour)
    front = frame(wallpaper((202, 442), rng))
    turn = float(rng.uniform(-14, 4))
    for thing, x, angle in ((back, 170, turn), (front, 390, turn + rng.uniform(4, 18))):
        turned = thing.rotate(float(angle), Image.Resampling.BICUBIC, expand=True)
        place(scene, turned, (x, (scene.height - turned.height) // 2), 0.5, 18)
    return finish(scene, rng, WIDE)


def draw_launch(rng: Rng) -> Image.Image:
    """A poster of the Orvika Aura."""
    lines = ("Orvika · 18 June", "hello, colour", "made to last", "seven years of updates")
    line = lines[int(rng.integers(len(lines)))]
    return finish(draw_poster(large(WIDE), rng, "Aura", line), rng, WIDE)


def draw_bank_cards(rng: Rng) -> Image.Image:
    """Brindlow's card on a bright table."""
    scene = bright_table(large(WIDE), rng)
    turned = draw_bank_card(rng).rotate(float(rng.uniform(-18, 18)), Image.Resampling.BICUBIC, True)
    place(scene, turned, ((scene.width - turned.width) // 2, (scene.height - turned.height) // 2))
    return finish(scene, rng, WIDE)


def draw_savings(rng: Rng) -> Image.Image:
    """The bank's app with a line that rises."""
    scene = bright_table(large(SQUARE), rng)
    phone = frame(rounded(savings_screen(rng), 32).convert("RGB"))
    turned = phone.rotate(float(rng.uniform(-9, 9)), Image.Resampling.BICUBIC, True)
    place(scene, turned, ((scene.width - turned.width) // 2, (scene.height - turned.height) // 2))
    return finish(scene, rng, SQUARE)


@cache
def _photo(name: str) -> Image.Image:
    with Image.open(_PHOTOS / f"{name}.jpg") as photo:
        return photo.convert("RGB")


def draw_photo(rng: Rng) -> Image.Image:
    """A crop of a free photograph, its light a little different each time."""
    name = ("coffee", "coffee", "cat", "galaxies")[int(rng.integers(4))]
    return finish(_crop(rng, name), rng, WIDE, grain=1.0)


def draw_joke(rng: Rng) -> Image.Image:
    """A free photograph with harmless words on it."""
    name, top, bottom = _JOKES[int(rng.integers(len(_JOKES)))]
    scene = _crop(rng, name)
    caption(scene, top, bottom)
    return finish(scene, rng, WIDE, grain=1.0)


def _crop(rng: Rng, name: str) -> Image.Image:
    photo = _photo(name)
    share = rng.uniform(0.7, 0.95)
    width, height = round(photo.width * share), round(photo.height * share)
    left = int(rng.integers(0, photo.width - width + 1))
    top = int(rng.integers(0, photo.height - height + 1))
    piece = photo.crop((left, top, left + width, top + height))
    fitted = ImageOps.fit(piece, large(WIDE), Image.Resampling.BICUBIC)
    return grade(fitted, float(rng.uniform(0.95, 1.15)), float(rng.uniform(0.95, 1.3)))


def draw_apology(rng: Rng) -> Image.Image:
    """Oatmere's statement at half past four."""
    body = (
        "Cartons of lot L6162 left our plant spoiled. That should never have happened. We recall "
        "the whole lot and refund every carton, without a receipt. Please do not drink it."
    )
    return finish(draw_statement(large(WIDE), "We are sorry.", body), rng, WIDE)
