from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Post
from tests.builders import a_delivery, a_source_post, at
from transforms.brands import Brand
from transforms.cleaner import Cleaner, country_code
from transforms.contract import check_contract
from transforms.refusals import Refused

KEY = b"0123456789abcdef"
CLEANER = Cleaner((Brand("Nova", handles=("novamobile",), exclusions=("bossa nova",)),), KEY)


def clean(**changes: Any) -> Post:
    """The clean form of a post with these fields."""
    return CLEANER.clean(a_delivery(), a_source_post(**changes))


def test_a_post_is_cleaned_whole() -> None:
    text = "RT @jo: The #NovaPhone is soooooo good &amp; cheap!! jo@b.example @novamobile"

    assert clean(text=text, country="de", reach=-5, permalink="javascript:alert(1)") == Post(
        channel="x",
        post_id="1",
        created_at=at(0),
        author="3bacd77e300b198a",
        text="RT @user: The #NovaPhone is sooo good & cheap!! [email] @novamobile",
        model_text="RT @user: The nova phone is sooo good & cheap!! [email] @user",
        hashtags=("novaphone",),
        lang="en",
        country="DE",
        reach=0,
        is_repost=True,
        permalink=None,
        brands=("Nova",),
        cluster_id=clean(text="the #novaphone is sooo good & cheap! [email]").cluster_id,
        position=a_delivery().position,
    )


@pytest.mark.parametrize(
    ("text", "brands"),
    [
        ("my Nova", ("Nova",)),
        ("a bossa nova", ()),
        ("write to nova@nova.example", ()),
        ("see https://a.example/nova", ()),
        ("No\u200bva", ("Nova",)),
        ("thanks @NovaMobile", ("Nova",)),
    ],
)
def test_brands_are_read_from_what_people_say(text: str, brands: tuple[str, ...]) -> None:
    assert clean(text=text).brands == brands


def test_a_post_without_words_needs_an_image() -> None:
    assert clean(text="\u200b", images=("a.png",)).text == ""
    with pytest.raises(Refused) as refused:
        clean(text="&nbsp;\u200b ")
    assert (refused.value.stage, refused.value.cause) == ("clean", "empty")


def test_posts_pass_where_no_brand_is_watched() -> None:
    post = Cleaner((), KEY).clean(a_delivery(), a_source_post())

    assert post.brands == () and post.text == "The new phone is out"


def test_the_channels_language_is_a_hint() -> None:
    assert clean(text="die Lieferung kam schon wieder zu spät", lang="en").lang == "de"
    assert clean(text="😀", lang="fr-CA").lang == "fr"
    assert clean(text="😀", lang=None).lang == "und"


@pytest.mark.parametrize("country", ["Germany", "D", "12", "", None, "d\u00e9"])
def test_countries_are_codes_or_unknown(country: str | None) -> None:
    assert country_code(country) == "unknown"


@given(st.text(), st.text(), st.none() | st.text(), st.integers())
def test_any_text_becomes_a_post_of_the_contract_or_is_empty(
    text: str, author: str, tag: str | None, reach: int
) -> None:
    try:
        post = clean(text=text, author_id=author, lang=tag, country=tag, reach=reach)
    except Refused as refused:
        cause = refused.cause
        post = clean(images=("a.png",), text=text)
        assert cause == "empty" and post.text == ""
    assert check_contract(post) is post


def test_a_text_without_end_is_cleaned_in_time_and_kept_whole() -> None:
    flames = "🔥\u200d" * 20_000 + "🔥"

    post = clean(text=f"{flames} ok")
    assert post.text == f"{flames} ok" and len(post.model_text) < 40_000
