"""Campaigns that are planted among the posts of a real stream, and looked for there."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from models.evaluation.copied import own_words, retouched, reworded
from models.evaluation.features import rendition
from models.evaluation.retrieval import embed
from models.retrieval.campaigns import Campaign, CampaignRule, find_campaigns
from models.retrieval.index import Entry, Modality, SlidingIndex
from models.scorer import Embedding, ScoreInput, Scorer
from models.text_preparation import prepare_text
from models.training.data import read_rows
from models.training.pairs import STREAM

Post = tuple[Entry, Embedding]

_POSTS, _ACCOUNTS, _HOURS = 8, 2, 10  # of a planted campaign
_PLANTED: Final = 10  # campaigns by text, and as many by picture, a round
_CREATED_AT: Final = "%a %b %d %H:%M:%S %z %Y"


class Planted(msgspec.Struct, frozen=True):
    """What `find_campaigns` says of a real stream into which campaigns were planted.

    Attributes:
        planted: campaigns of each kind.
        by_text: of those by text, so many are found: five posts or more, and no other post.
        by_image: the same of those by picture.
        mixed: reported, with posts of different origin.
        others: reported, with no planted post.
    """

    planted: int
    by_text: int
    by_image: int
    mixed: int
    others: int


class Group(msgspec.Struct, frozen=True):
    """The largest group of linked posts."""

    posts: int
    authors: int


def read_stream(scorer: Scorer, data: Path, posts: int) -> list[Post]:
    """So many posts, spread over the stream, that have a date and something to embed."""
    rows = [row for row in read_rows(data / STREAM / "posts.jsonl.gz") if _is_usable(row)]
    rendered = cache(rendition)  # few images, much reposted
    found = []
    for row in rows[:: max(1, len(rows) // posts)][:posts]:
        images = tuple(rendered(data / STREAM / name) for name in (row.get("images") or ())[:1])
        entry = _entry(row["post_id"], _seconds(row), row["author_id"], row["text"])
        found.append((entry, ScoreInput(prepare_text(row["text"]), images)))
    return _placed(scorer, found)


def _is_usable(row: dict[str, Any]) -> bool:
    try:
        _seconds(row)
    except ValueError:
        return False  # as published, some dates are malformed
    return bool(prepare_text(row["text"]) or row.get("images"))


def _seconds(row: dict[str, Any]) -> float:
    return datetime.strptime(row["created_at"], _CREATED_AT).timestamp()


def _entry(post_id: str, at: float, author: str, text: str) -> Entry:
    return Entry(channel="x", post_id=post_id, created_at=at, author=author, text=text)


def _placed(scorer: Scorer, posts: list[tuple[Entry, ScoreInput]]) -> list[Post]:
    places = embed(scorer, [item for _, item in posts])
    return [(entry, place) for (entry, _), place in zip(posts, places, strict=True)]


def index_of(posts: list[Post]) -> SlidingIndex:
    """An index that holds them all."""
    index = SlidingIndex(_width(posts[0][1]))
    for entry, place in posts:
        index.add(entry, place.text, place.image)
    return index


def _width(place: Embedding) -> int:
    vector = place.text if place.text is not None else place.image
    assert vector is not None
    return len(vector)


def largest_group(posts: list[Post], rule: CampaignRule) -> Group:
    """The largest group of linked posts, however many people wrote them."""
    anyone = replace(rule, most_authors_share=1.0)
    groups = find_campaigns(index_of(posts), anyone)
    return Group(len(groups[0].posts), groups[0].authors) if groups else Group(0, 0)


def planted(
    scorer: Scorer, stream: list[Post], material: tuple[list[str], list[bytes]], rounds: int
) -> Planted:
    """Campaigns in each round drawn anew, planted and looked for."""
    told: Counter[str] = Counter()
    for round_ in range(rounds):
        made = list(a_round(material, stream, random.Random(round_)))
        told += kinds_of(find_campaigns(index_of([*stream, *_placed(scorer, made)])))
    return Planted(_PLANTED * rounds, told["text"], told["image"], told["mixed"], told["others"])


def kinds_of(campaigns: list[Campaign]) -> Counter[str]:
    """How many hold posts of one planted campaign alone (its kind), of none, or of a mixture."""
    origins = [{_origin(entry) for entry in campaign.posts} for campaign in campaigns]
    return Counter(
        "mixed" if len(one) > 1 else (min(one).partition("/")[0] or "others") for one in origins
    )


def _origin(entry: Entry) -> str:
    """`KIND/CAMPAIGN` of a planted post, else nothing."""
    return entry.post_id.rpartition("/")[0]


def a_round(
    material: tuple[list[str], list[bytes]], stream: list[Post], generator: random.Random
) -> Iterator[tuple[Entry, ScoreInput]]:
    """Posts of the campaigns of a round; a post id is `KIND/CAMPAIGN/POST`."""
    texts, pictures = material
    first, last = stream[0][0].created_at, stream[-1][0].created_at
    slogans = generator.sample([text for text in texts if len(own_words(text)) > 5], _PLANTED)
    others = [text for text in texts if text not in slogans]
    covers = iter(generator.sample(others, _PLANTED * _POSTS))  # no text under two pictures
    kinds: list[tuple[Modality, str | bytes]] = [("text", slogan) for slogan in slogans]
    kinds += [("image", picture) for picture in generator.sample(pictures, _PLANTED)]
    for number, (kind, shared) in enumerate(kinds):
        begin = generator.uniform(first, last)
        for post in range(_POSTS):
            if isinstance(shared, str):
                item = ScoreInput(_reworded(shared, others, generator))
            else:
                item = ScoreInput(next(covers), (_retouched(shared, generator),))
            at = begin + post * _HOURS * 3600 / _POSTS
            author = f"{kind} {number} {post % _ACCOUNTS}"
            yield _entry(f"{kind}/{number}/{post}", at, author, item.text), item


def _reworded(text: str, others: list[str], generator: random.Random) -> str:
    for _ in range(generator.randint(1, 2)):
        text = reworded(text, others, generator)
    return text


def _retouched(picture: bytes, generator: random.Random) -> bytes:
    return retouched(
        picture,
        crop=generator.uniform(0, 0.05),
        light=generator.uniform(0.8, 1.2),
        quality=generator.randint(40, 90),
    )
