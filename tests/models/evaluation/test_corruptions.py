import numpy as np
from PIL import Image

from models.evaluation.corruptions import (
    TEXT_CHANGES,
    add_typos,
    neighbours,
    occlude,
    recompress,
    remove_emoji,
    remove_hashtags,
    scale_down,
)

LONG = "the quick brown fox jumps over the lazy dog " * 40


def test_typos_are_neighbouring_keys_in_the_wanted_share() -> None:
    typed = add_typos(LONG, seed=0)

    letters = [(a, b) for a, b in zip(LONG, typed, strict=True) if a.isalpha()]
    wrong = [(a, b) for a, b in letters if a != b]
    assert all(b in neighbours(a) for a, b in wrong)
    assert 0.03 < len(wrong) / len(letters) < 0.07


def test_typos_follow_the_seed_and_spare_what_is_no_word() -> None:
    assert add_typos(LONG, 1) == add_typos(LONG, 1) != add_typos(LONG, 2)
    assert add_typos("@anna #GoodDay https://t.co/abc", 0, share=1.0) == (
        "@anna #GoodDay https://t.co/abc"
    )


def test_neighbours_are_mutual() -> None:
    letters = "qwertyuiopasdfghjklzxcvbnm"

    assert all(a in neighbours(b) for a in letters for b in neighbours(a))
    assert neighbours("ß") == neighbours(" ") == ""


def test_signs_are_removed() -> None:
    assert remove_emoji("so happy 😀👍🏽!") == "so happy !"
    assert remove_hashtags("so happy #Sunny ＃晴れ day") == "so happy   day"
    assert TEXT_CHANGES["upper_case"]("Good", 0) == "GOOD"


def test_images_are_harmed_as_said() -> None:
    image = Image.radial_gradient("L").convert("RGB").resize((200, 100))

    covered = np.asarray(occlude(image)) == 128
    assert 0.24 < covered.all(axis=2).mean() < 0.27
    assert scale_down(image).size == (112, 56)
    harmed = np.asarray(recompress(image)).astype(int)
    assert 0 < np.abs(harmed - np.asarray(image)).mean() < 5
