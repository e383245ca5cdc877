"""Copies are copies, and what was planted is told from what was there."""

import io
import random

import numpy as np
from PIL import Image

from models.evaluation.copied import own_words, retouched, reworded
from models.evaluation.planted import a_round, kinds_of
from models.images import render, to_pixels
from models.retrieval.campaigns import Campaign
from models.scorer import Embedding
from tests.models.retrieval.places import an_entry

TEXTS = [f"word{n} in a text of its own http" for n in range(100)]


def a_picture(seed: int) -> bytes:
    """Soft colours, so that what differs between copies is what was done to them."""
    coarse = np.random.default_rng(seed).integers(0, 200, (6, 6, 3), dtype=np.uint8)
    return render(Image.fromarray(coarse).resize((300, 240), Image.Resampling.BICUBIC))


def a_campaign(*post_ids: str) -> Campaign:
    return Campaign(tuple(map(an_entry, post_ids)), authors=1, text_links=1, image_links=0)


def test_rewording_replaces_one_word_and_never_a_link_or_mention() -> None:
    text = "@user buy it now http"
    copies = [reworded(text, ["sun @user http"], random.Random(seed)) for seed in range(30)]

    assert own_words(text) == [1, 2, 3]
    assert set(copies) == {
        "@user sun it now http",
        "@user buy sun now http",
        "@user buy it sun http",
    }


def test_a_retouched_picture_is_brighter_and_shows_the_same() -> None:
    picture = a_picture(0)
    copy = to_pixels(retouched(picture, crop=0.04, light=1.2, quality=60)).astype(float)
    original, other = to_pixels(picture).astype(float), to_pixels(a_picture(1)).astype(float)

    assert copy.mean() > 1.1 * original.mean()
    assert np.corrcoef(copy.ravel(), original.ravel())[0, 1] > 0.9
    assert np.corrcoef(copy.ravel(), other.ravel())[0, 1] < 0.5
    with Image.open(io.BytesIO(picture)) as image:
        assert min(image.size) == 224


def test_a_round_plants_ten_campaigns_of_each_kind_by_two_authors() -> None:
    stream = [(an_entry(str(n), n * 3600.0), Embedding(None, None)) for n in range(2)]
    pictures = [a_picture(seed) for seed in range(10)]
    made = list(a_round((TEXTS, pictures), stream, random.Random(0)))

    by_campaign: dict[str, list[str]] = {}
    for entry, item in made:
        by_campaign.setdefault(entry.post_id.rpartition("/")[0], []).append(entry.author)
        assert bool(item.images) == entry.post_id.startswith("image/")
    assert len(by_campaign) == 20
    assert all(len(posts) == 8 and len(set(posts)) == 2 for posts in by_campaign.values())
    assert len({item.images for _, item in made if item.images}) == 80
    assert len({item.text for _, item in made if item.images}) == 80


def test_campaigns_are_counted_by_where_their_posts_come_from() -> None:
    told = kinds_of([
        a_campaign("text/0/1", "text/0/2"),
        a_campaign("image/3/1", "image/3/2"),
        a_campaign("text/1/1", "text/2/1"),
        a_campaign("text/1/1", "1234"),
        a_campaign("1234", "1235"),
    ])  # fmt: skip

    assert told == {"text": 1, "image": 1, "mixed": 2, "others": 1}
