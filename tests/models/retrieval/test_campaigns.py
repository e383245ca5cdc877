"""Campaigns that were made are found, and nothing else is."""

import numpy as np
import pytest

from models.retrieval.campaigns import Campaign, CampaignRule, find_campaigns
from models.retrieval.index import SlidingIndex, Vector
from tests.models.retrieval.places import WIDTH, an_entry, near, vectors

HOUR = 3600.0


class Feed:
    """An index that is filled post by post."""

    def __init__(self, seed: int) -> None:
        self.index = SlidingIndex(WIDTH)
        self.rng = np.random.default_rng(seed)
        self._count = 0

    def post(
        self, text: Vector | None, image: Vector | None, author: str, at: float, name: str
    ) -> None:
        """One post; `name` says which group it is of."""
        self._count += 1
        entry = an_entry(f"{name}-{self._count}", at, author=author)
        self.index.add(entry, text, image)

    def noise(self, count: int = 300) -> None:
        """Everyday posts: everyone says something else."""
        seed = int(self.rng.integers(1 << 30))
        for number, (text, image) in enumerate(
            zip(vectors(count, seed), vectors(count, seed + 1), strict=True)
        ):
            at = float(self.rng.uniform(0, 100 * HOUR))
            self.post(text, image if number % 2 else None, f"person {number}", at, "noise")

    def group(self, name: str, kind: str, posts: int, authors: int, hours: float = 10) -> None:
        """Posts with nearly the same text or image, spread evenly over `hours`."""
        [shared] = vectors(1, int(self.rng.integers(1 << 30)))
        for number in range(posts):
            alike = near(shared, 0.1, int(self.rng.integers(1 << 30)))
            [other] = vectors(1, int(self.rng.integers(1 << 30)))
            text, image = (alike, None) if kind == "text" else (other, alike)
            at = 20 * HOUR + number * hours * HOUR / posts
            self.post(text, image, f"{name} {number % authors}", at, name)


def names(campaign: Campaign) -> set[str]:
    return {entry.post_id.split("-")[0] for entry in campaign.posts}


@pytest.mark.parametrize("seed", range(5))
def test_made_campaigns_are_found_and_nothing_else(seed: int) -> None:
    feed = Feed(seed)
    feed.noise()
    feed.group("slogan", "text", posts=12, authors=3)
    feed.group("picture", "image", posts=8, authors=2)
    feed.group("viral", "text", posts=20, authors=20)  # many people say it: no campaign
    feed.group("few", "text", posts=4, authors=1)  # too few posts
    feed.group("slow", "text", posts=5, authors=1, hours=500)  # days apart

    slogan, picture = find_campaigns(feed.index)

    assert (names(slogan), len(slogan.posts), slogan.authors) == ({"slogan"}, 12, 3)
    assert (names(picture), len(picture.posts), picture.authors) == ({"picture"}, 8, 2)
    assert (slogan.image_links, picture.text_links) == (0, 0)
    assert slogan.text_links == 12 * 11 / 2


def test_text_and_image_links_join_one_campaign() -> None:
    feed = Feed(0)
    text, image, other = vectors(3)
    for number in range(3):
        feed.post(text, None, "one", number * HOUR, "text")
        feed.post(other if number else text, image, "two", number * HOUR, "image")

    [campaign] = find_campaigns(feed.index)

    assert names(campaign) == {"text", "image"}
    assert campaign.authors == 2


def test_small_edits_stay_together_through_what_is_between_them() -> None:
    feed = Feed(0)
    [start, away] = vectors(2)
    steps = [start + 0.2 * number * away for number in range(6)]
    for number, step in enumerate(steps):
        text = np.asarray(step / np.linalg.norm(step), dtype=np.float32)
        feed.post(text, None, "one", number * HOUR, "edit")

    [campaign] = find_campaigns(feed.index)

    assert len(campaign.posts) == 6
    assert campaign.text_links < 15


def test_the_rule_can_be_another() -> None:
    feed = Feed(0)
    feed.group("viral", "text", posts=20, authors=20)

    assert find_campaigns(feed.index) == []
    assert len(find_campaigns(feed.index, CampaignRule(most_authors_share=1.0))) == 1
    assert find_campaigns(SlidingIndex(WIDTH)) == []


def test_thousands_of_copies_are_one_campaign() -> None:
    feed = Feed(0)
    [text] = vectors(1)
    for number in range(3000):
        feed.post(text, None, f"bot {number % 9}", float(number), "copy")

    [campaign] = find_campaigns(feed.index)

    assert (len(campaign.posts), campaign.text_links) == (3000, 3000 * 2999 // 2)
