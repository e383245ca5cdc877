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
        self,
        text: Vector | None,
        image: Vector | None,
        *,
        author: str,
        at: float,
        name: str,
        words: str = "",
    ) -> None:
        """One post; `name` says which group it is of."""
        self._count += 1
        words = words or f"word{self._count} other{self._count}"
        entry = an_entry(f"{name}-{self._count}", at, author=author, text=words)
        self.index.add(entry, text, image)

    def noise(self, count: int = 300) -> None:
        """Everyday posts: everyone says something else."""
        seed = int(self.rng.integers(1 << 30))
        for number, (text, image) in enumerate(
            zip(vectors(count, seed), vectors(count, seed + 1), strict=True)
        ):
            at = float(self.rng.uniform(0, 100 * HOUR))
            self.post(
                text, image if number % 2 else None, author=f"person {number}", at=at, name="noise"
            )

    def group(self, name: str, kind: str, posts: int, authors: int, hours: float = 10) -> None:
        """Posts with nearly the same text or image, spread evenly over `hours`."""
        [shared] = vectors(1, int(self.rng.integers(1 << 30)))
        for number in range(posts):
            alike = near(shared, 0.1, int(self.rng.integers(1 << 30)))
            [other] = vectors(1, int(self.rng.integers(1 << 30)))
            text, image = (alike, None) if kind == "text" else (other, alike)
            at = 20 * HOUR + number * hours * HOUR / posts
            words = f"buy {name} now, it is great: No{number}" if kind == "text" else ""
            author = f"{name} {number % authors}"
            self.post(text, image, author=author, at=at, name=name, words=words)


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
        at = number * HOUR
        feed.post(text, None, author="one", at=at, name="text", words="a slogan")
        words = "" if number else "a slogan"
        feed.post(other if number else text, image, author="two", at=at, name="image", words=words)

    [campaign] = find_campaigns(feed.index)

    assert names(campaign) == {"text", "image"}
    assert campaign.authors == 2


def test_small_edits_stay_together_through_what_is_between_them() -> None:
    feed = Feed(0)
    [start, away] = vectors(2)
    steps = [start + 0.3 * number * away for number in range(6)]
    for number, step in enumerate(steps):
        text = np.asarray(step / np.linalg.norm(step), dtype=np.float32)
        feed.post(text, None, author="one", at=number * HOUR, name="edit", words="a slogan")

    [campaign] = find_campaigns(feed.index)

    assert len(campaign.posts) == 6
    assert campaign.text_links < 15


def test_texts_on_one_subject_in_other_words_are_no_campaign() -> None:
    feed = Feed(0)
    [subject] = vectors(1)
    for number in range(10):
        feed.post(near(subject, 0.1, number), None, author="one", at=number, name="subject")

    assert find_campaigns(feed.index) == []
    assert len(find_campaigns(feed.index, CampaignRule(text_overlap=0))) == 1


def test_links_and_mentions_are_no_shared_words() -> None:
    feed = Feed(0)
    [text] = vectors(1)
    for number in range(10):
        words = f"https://t.co/{number} @anna word{number}"
        feed.post(text, None, author="one", at=number, name="linked", words=words)

    assert find_campaigns(feed.index) == []


def test_the_rule_can_be_another() -> None:
    feed = Feed(0)
    feed.group("viral", "text", posts=20, authors=20)

    assert find_campaigns(feed.index) == []
    assert len(find_campaigns(feed.index, CampaignRule(most_authors_share=1.0))) == 1
    assert find_campaigns(SlidingIndex(WIDTH)) == []


def test_thousands_of_copies_are_one_campaign() -> None:
    feed = Feed(0)
    [text] = vectors(1)
    for number in range(1500):
        author = f"bot {number % 9}"
        feed.post(text, None, author=author, at=number, name="copy", words="a slogan")

    [campaign] = find_campaigns(feed.index)

    assert (len(campaign.posts), campaign.text_links) == (1500, 1500 * 1499 // 2)
