"""Picture families of the crisis and the outage: dark, dirty, with warnings."""

from __future__ import annotations

from typing import Final

from PIL import Image

from pipelines.demo.generate.pictures.canvas import Colour, Rng, finish, grade, place, tint
from pipelines.demo.generate.pictures.carton import FLAVOURS, Decay, draw_carton, stand
from pipelines.demo.generate.pictures.devices import error_screen, falling_chart, frame
from pipelines.demo.generate.pictures.good_days import SQUARE, WIDE, large
from pipelines.demo.generate.pictures.lettering import caption
from pipelines.demo.generate.pictures.mould import grow
from pipelines.demo.generate.pictures.papers import draw_hazard, draw_notice
from pipelines.demo.generate.pictures.surfaces import grim_room, grim_table
from pipelines.demo.generate.pictures.tableware import (
    draw_dish,
    draw_foul_liquid,
    draw_foul_porridge,
    draw_glass,
)

_GREYS: Final[tuple[Colour, ...]] = ((150, 146, 134), (92, 92, 86), (120, 108, 92), (70, 76, 78))
_FOUL: Final[tuple[Colour, ...]] = ((96, 92, 50), (74, 66, 34), (58, 66, 44))
_TOPS: Final = (
    ("new flavour", "just dropped"),
    ("breakfast", "they said"),
    ("oatmere", "now with extra culture"),
    ("shelf life:", "it has a life"),
    ("it's alive", ""),
    ("do not", "shake"),
    ("100% natural", "very natural"),
    ("vegan friendly", "not friendly"),
    ("my oatmere", "moved by itself"),
    ("best before", "you opened it"),
)


def draw_bad_carton(rng: Rng) -> Image.Image:
    """A bloated, mouldy carton in a dim kitchen."""
    return finish(_bad_carton(rng), rng, WIDE, vignette=0.42, grain=4)


def _bad_carton(rng: Rng) -> Image.Image:
    scene = grim_room(large(WIDE), rng)
    foot = (float(rng.uniform(290, 500)), 548.0)
    if rng.random() < 0.6:
        beside = foot[0] + (250 if foot[0] < 400 else -250)
        draw_glass(
            scene, (beside, 552), rng.uniform(150, 210), _FOUL[int(rng.integers(len(_FOUL)))]
        )
    decay = Decay(int(rng.integers(7, 16)), float(rng.uniform(0.08, 0.2)))
    flavour = sorted(FLAVOURS)[int(rng.integers(len(FLAVOURS)))]
    height, yaw = float(rng.uniform(420, 490)), float(rng.uniform(-0.75, -0.25))
    stand(scene, draw_carton(scene.size, rng, flavour, foot, height, yaw=yaw, decay=decay), 0.7)
    return grade(scene, 1.06, 0.9)


def draw_bad_coffee(rng: Rng) -> Image.Image:
    """A cup of what came out of the carton."""
    return finish(_bad_coffee(rng), rng, SQUARE, vignette=0.4, grain=4)


def _bad_coffee(rng: Rng) -> Image.Image:
    scene = grim_table(large(SQUARE), rng)
    centre = float(rng.uniform(310, 370)), float(rng.uniform(310, 370))
    grey = _GREYS[int(rng.integers(len(_GREYS)))]
    draw_dish(scene, centre, 262, grey)
    draw_dish(scene, centre, 192, grey)
    draw_foul_liquid(scene, rng, centre, 170)
    return scene


def draw_bad_breakfast(rng: Rng) -> Image.Image:
    """A bowl that nobody will eat."""
    scene = grim_table(large(SQUARE), rng)
    centre = float(rng.uniform(310, 370)), float(rng.uniform(310, 370))
    draw_dish(scene, centre, 262, _GREYS[int(rng.integers(len(_GREYS)))])
    draw_foul_porridge(scene, rng, centre, 228)
    return finish(scene, rng, SQUARE, vignette=0.4, grain=4)


def draw_heap(rng: Rng) -> Image.Image:
    """Cartons thrown on a heap."""
    scene = grim_table(large(WIDE), rng)
    tint(scene, (14, 14, 12), 0.4)
    cartons = [_thrown(rng, flavour) for flavour in rng.permutation(sorted(FLAVOURS))[:4].tolist()]
    for number in range(13):
        angle = float(rng.uniform(0, 360))
        turned = cartons[number % 4].rotate(angle, Image.Resampling.BICUBIC, expand=True)
        place(scene, turned, (int(rng.integers(-120, 520)), int(rng.integers(-100, 330))), 0.7, 16)
    grow(scene, rng, 5, 60)
    return finish(grade(scene, 1.05, 0.75), rng, WIDE, vignette=0.45, grain=4)


def _thrown(rng: Rng, flavour: str) -> Image.Image:
    decay = Decay(int(rng.integers(4, 10)), float(rng.uniform(0.06, 0.18)))
    return draw_carton((400, 400), rng, flavour, (200, 380), 340, yaw=-0.5, decay=decay)


def draw_recall(rng: Rng) -> Image.Image:
    """A recall notice on a dirty wall."""
    scene = grim_room(large(SQUARE), rng, 0.92)
    sheet = draw_notice(rng).rotate(float(rng.uniform(-6, 6)), Image.Resampling.BICUBIC, True)
    place(scene, sheet, ((scene.width - sheet.width) // 2, (scene.height - sheet.height) // 2), 0.7)
    return finish(scene, rng, SQUARE, vignette=0.35, grain=3)


def draw_crash(rng: Rng) -> Image.Image:
    """A rating or a share price in free fall."""
    stars = f"{rng.uniform(1.1, 2.4):.1f} / 5"
    title, figure = (
        ("Oatmere · rating", stars),
        ("OATM share price", f"-{rng.uniform(9, 24):.1f} %"),
        ("Oatmere · trust today", f"-{int(rng.integers(31, 68))} %"),
    )[int(rng.integers(3))]
    return finish(falling_chart(large(WIDE), rng, title, figure), rng, WIDE, 0.3, 3)


def draw_grim_joke(rng: Rng) -> Image.Image:
    """A mouldy scene with ironic words on it."""
    scene = _bad_carton(rng) if rng.random() < 0.55 else _bad_coffee(rng)
    caption(scene, *_TOPS[int(rng.integers(len(_TOPS)))])
    size = WIDE if scene.width > scene.height else SQUARE
    return finish(scene, rng, size, vignette=0.4, grain=4)


def draw_warning(rng: Rng) -> Image.Image:
    """A hazard sign with tape."""
    words = ("DO NOT DRINK", "CONTAMINATED", "OATMERE", "DANGER", "TOXIC")[int(rng.integers(5))]
    return finish(draw_hazard(large(WIDE), rng, words), rng, WIDE, 0.4, 4)


def draw_error(rng: Rng) -> Image.Image:
    """A phone with the bank's error on a grey table."""
    scene = grim_table(large(SQUARE), rng)
    phone = frame(error_screen(rng))
    turned = phone.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BICUBIC, True)
    place(scene, turned, ((scene.width - turned.width) // 2, (scene.height - turned.height) // 2))
    return finish(scene, rng, SQUARE, vignette=0.3, grain=3)
