import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.privacy import check_key, mask_personal_data, pseudonym

KEY = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail jo.doe+x@mail.example.com!", "mail [email]!"),
        ("bürgerin@größe.example, ok", "[email], ok"),
        ("https://a.example/?to=jo@b.example", "https://a.example/?to=[email]"),
        ("IBAN DE89 3704 0044 0532 0130 00 PLEASE", "IBAN [iban] PLEASE"),
        ("gb82west12345698765432.", "[iban]."),
        ("card 4111 1111 1111 1111, exp 12/27", "card [card], exp 12/27"),
        ("5500-0000-0000-0004 378282246310005 3782 822463 10005", "[card] [card] [card]"),
        ("from 192.168.0.1, fe80::1 and 2001:db8::8a2e:370:7334.", "from [ip], [ip] and [ip]."),
        ("http://203.0.113.9/admin", "http://[ip]/admin"),
        ("call +49 30 1234567 now", "call [phone] now"),
        ("call (212) 555-0123 or 1-800-225-5324", "call [phone] or [phone]"),
        ("+12125550123", "[phone]"),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask_personal_data(text, lang="en") == masked


@pytest.mark.parametrize(
    ("text", "country", "lang"),
    [("ruf 0176 12345678 an", "DE", "und"), ("ruf 030/1234567 an", "unknown", "de")],
)
def test_national_numbers_are_read_by_country_or_language(
    text: str, country: str, lang: str
) -> None:
    assert mask_personal_data(text, country, lang) == "ruf [phone] an"


@pytest.mark.parametrize(
    "text",
    [
        "the year 2024, 1990-2020, 24.11.2026, 2024-11-24 10:30:00, 11/24/2026, at 12:30:45",
        "$1,299.99 and £1,234,567.89, €10.000.000,00, 12 000 000 users, 3@4.50 each",
        "order 1234567890123456, id 2125550123, tweet 1790000000000000001",
        "4111 1111 1111 1112 fails its checksum, DE89 3704 0044 0532 0130 01 too",
        "#2024 #1 #iPhone15 @user99 $AAPL $TSLA",
        "version 1.2.3.4 and v10.0.0.1, iOS 17.4.1, 999.1.2.3",
        "score 3-2, 4-1, 10::2, std::vector, 1:2:3:4, a ::: b",
        "ISBN 978-3-16-148410-0, lotto 7 14 21 28 35 42, flight LH 400",
        "Mar 2015 132.000 call, my Short 5/22 77/78/84/85 Iron Condor",
        "+20% in 2024, +1 million, 50/50, 24/7, 1st, 4k, 100%",
        "https://x.example/i/web/status/4111111111111111",
    ],
)
@pytest.mark.parametrize("lang", ["en", "de", "fr", "und"])
def test_ordinary_numbers_stay(text: str, lang: str) -> None:
    assert mask_personal_data(text, lang=lang) == text


@given(st.text() | st.text(alphabet="0123456789 +-().:/@ab,x", max_size=60))
def test_masking_never_raises_and_masks_once(text: str) -> None:
    masked = mask_personal_data(text, "US", "en")

    assert mask_personal_data(masked, "US", "en") == masked


def test_long_runs_of_signs_are_masked_in_time() -> None:
    for sign in "a.@1:- ":
        mask_personal_data(sign * 100_000 + "@", "US", "en")


def test_a_pseudonym_is_stable_and_says_nothing_without_the_key() -> None:
    jo = pseudonym("x", "4711", KEY)

    assert jo == pseudonym("x", "4711", KEY) == "3bacd77e300b198a"
    assert len({jo, pseudonym("reddit", "4711", KEY), pseudonym("x", "4711", KEY[::-1])}) == 3
    assert pseudonym("x", "", KEY) == "unknown"


def test_a_short_author_key_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"privacy\.author_key has 5 bytes: give at least 16"):
        check_key(b"short")
