"""From what a channel said to a clean post: the pure heart of the clean stage."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import regex

from models.text_preparation import MODEL_CHARACTERS, prepare_text
from schemas.records import Delivery, Post, SourcePost
from transforms.brands import Brand, BrandMatcher
from transforms.language import detect_language
from transforms.near_duplicates import cluster_id
from transforms.privacy import check_key, mask_personal_data, pseudonym
from transforms.refusals import Refused
from transforms.text_cleaning import (
    clean_text,
    hashtags_of,
    mask_mentions,
    shrink_elongations,
    without_urls,
)

STAGE: Final = "clean"
UNKNOWN_COUNTRY: Final = "unknown"
MAX_REACH: Final = 10**10  # more people than there are
MAX_ADDRESS_CHARACTERS: Final = 2_048  # no browser and no channel has longer ones
_COUNTRY: Final = regex.compile(r"[A-Z]{2}")
_WEB: Final = regex.compile(r"https?://", regex.IGNORECASE)
_REPOST: Final = regex.compile(r"RT @\w")


class Cleaner:
    """Cleans posts for a set of brands; built once per worker, then a pure function of each post.

    `author_key` is the secret behind the authors' pseudonyms.
    """

    def __init__(self, brands: tuple[Brand, ...], author_key: bytes) -> None:
        check_key(author_key)
        self.brands = brands
        self.author_key = author_key

    @cached_property
    def matcher(self) -> BrandMatcher:
        """The automaton over all brands."""
        return BrandMatcher(self.brands)

    def clean(self, delivery: Delivery, source: SourcePost) -> Post:
        """The clean post.

        Raises:
            Refused: `empty`, nothing is left of the text and there is no image.
        """
        readable = clean_text(source.text)
        if not readable and not source.images:
            raise Refused("empty", "no text after cleaning, and no image", STAGE)
        lang = detect_language(readable, source.lang)
        country = country_code(source.country)
        named = mask_personal_data(readable, country, lang)
        text = shrink_elongations(mask_mentions(named, self.matcher.handles))
        return Post(
            channel=source.channel,
            post_id=source.post_id,
            created_at=source.created_at,
            author=pseudonym(source.channel, source.author_id, self.author_key),
            text=text,
            model_text=prepare_text(text[:MODEL_CHARACTERS]),
            hashtags=hashtags_of(text),
            lang=lang,
            country=country,
            reach=min(max(source.reach, 0), MAX_REACH),
            is_repost=source.is_repost or bool(_REPOST.match(readable)),
            permalink=web_address(source.permalink),
            brands=self.matcher.match(without_urls(named)),
            cluster_id=cluster_id(text),
            images=source.images,
            position=delivery.position,
        )


def web_address(link: str | None) -> str | None:
    """`link` where it leads to the web, None otherwise: people click it on the live page.

    None too where it is longer than anybody would click: readings must fit into messages.

    >>> web_address("https://a.example/1"), web_address("javascript:alert(1)")
    ('https://a.example/1', None)
    """
    return link if link and len(link) <= MAX_ADDRESS_CHARACTERS and _WEB.match(link) else None


def country_code(country: str | None) -> str:
    """ISO 3166 alpha-2 in capitals, "unknown" for anything else.

    >>> country_code("de"), country_code("Atlantis"), country_code(None)
    ('DE', 'unknown', 'unknown')
    """
    code = (country or "").strip().upper()
    return code if _COUNTRY.fullmatch(code) else UNKNOWN_COUNTRY
