import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.text_cleaning import (
    clean_text,
    hashtags_of,
    mask_mentions,
    shrink_elongations,
)

FAMILY = "👨\u200d👩\u200d👧"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("Fish &amp; chips", "Fish & chips"),
        ("a &amp;amp;amp; b &lt;3 &#39;c&#39;", "a & b <3 'c'"),
        ("e\u0301te\u0301", "été"),
        ("No\u200bva ph\u00adone\ufeff", "Nova phone"),
        ("bell\x07 and\r\nnew\tlines\u2028here\u0085", "bell and new lines here"),
        ("two\\n\\nLines", "two Lines"),
        ("C:\\new stays", "C:\\new stays"),
        (f"hi {FAMILY} {ENGLAND} ❤️‍🔥 👍🏽", f"hi {FAMILY} {ENGLAND} ❤️‍🔥 👍🏽"),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
        ("half \ud83d pair", "half pair"),
        ("see HTTPS://Shop.Example/a?b=2&utm_source=x&a=1#top.", "see https://shop.example/a?a=1&b=2."),
        ("(https://a.example/x)", "(https://a.example/x)"),
        ("http://[broken", "http://[broken"),
        ("  \u200b\u2800 ", ""),
    ],
)  # fmt: skip
def test_text_reads_as_a_person_would_read_it(typed: str, clean: str) -> None:
    assert clean_text(typed) == clean


@given(st.text() | st.text(alphabet="&amp;#38x26; lt\u200b\u200dé\\n🔥@#:/.w"))
def test_cleaning_never_raises_and_clean_text_stays_as_it_is(text: str) -> None:
    clean = clean_text(text)

    assert clean_text(clean) == clean
    assert clean == " ".join(clean.split()) == unicodedata.normalize("NFC", clean)


@given(
    st.from_regex(r"https?://[\w.\-]{1,9}(?:[/?&=#%:+\[\]@][\w.&=%;é]{0,5}){0,5}", fullmatch=True)
)
def test_addresses_are_normal_after_one_cleaning(url: str) -> None:
    clean = clean_text(f"look {url} there")

    assert clean_text(clean) == clean


def test_escapes_without_end_are_cleaned_in_time() -> None:
    assert clean_text("&" + "amp;" * 60_000 + "lt;") == "<"
    assert clean_text("&#38;" + "#38;" * 60_000) == "&"


@pytest.mark.parametrize(
    ("text", "hashtags"),
    [
        ("#Nova and #nova, #MorningCoffee!", ("nova", "morningcoffee")),
        ("＃アップル #Größe #Strasse", ("アップル", "grösse", "strasse")),
        ("#हिन्दी #سلام", ("हिन्दी", "سلام")),
        ("#1 #2024 a#b &#39; https://a.example/#top", ()),
        ("#4chan #nova2 #_x", ("4chan", "nova2", "_x")),
    ],
)
def test_hashtags_are_found_in_any_script(text: str, hashtags: tuple[str, ...]) -> None:
    assert hashtags_of(text) == hashtags


def test_everybody_but_watched_handles_becomes_user() -> None:
    text = "RT @jo: thanks @Nova and @jo.doe, see https://x.example/@jo u/some_one @a@b.example"

    assert mask_mentions(text, frozenset({"nova"})) == (
        "RT @user: thanks @Nova and @user, see https://x.example/@jo u/user @user"
    )


def test_elongations_shrink_to_three_but_numbers_and_addresses_stay() -> None:
    text = "sooooo coool!!!!! 10000000 😂😂😂😂😂 https://a.example/aaaaaa"

    assert shrink_elongations(text) == "sooo coool!!! 10000000 😂😂😂 https://a.example/aaaaaa"
