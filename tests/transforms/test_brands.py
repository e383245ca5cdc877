import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.brands import Brand, BrandMatcher

NOVA = Brand(
    "Nova", ("Nova Phone",), ("@NovaMobile",), ("#NovaLove",), ("bossa nova", "nova scotia")
)
APPLE = Brand(
    "Apple", ("アップル", "苹果", "애플", "яблоко", "$AAPL"), ("apple",), (), ("apple pie",)
)
MATCHER = BrandMatcher((NOVA, APPLE, Brand("Coca-Cola"), Brand("C++"), Brand("Über"), Brand("दूध")))


@pytest.mark.parametrize(
    ("text", "brands"),
    [
        ("NOVA is great", ("Nova",)),
        ("my nova's battery, nova!", ("Nova",)),
        ("innovation supernova novas nova_x", ()),
        ("thanks @novamobile", ("Nova",)),
        ("thanks @novamobile_fans me@novamobile", ()),
        ("#NOVALOVE forever, ＃novaphone", ("Nova",)),
        ("Nova\u00a0  Phone", ("Nova",)),
        ("Ｎｏｖａ", ("Nova",)),
        ("a bossa nova in Nova Scotia", ()),
        ("bossa nova on my Nova", ("Nova",)),
        ("an apple pie with Nova", ("Nova",)),
        ("@apple and nova", ("Apple", "Nova")),
        ("$AAPL up", ("Apple",)),
        ("AAPL up", ()),
        ("アップルの新しいスマホ", ("Apple",)),
        ("パイナップル アップルパイ", ()),
        ("我喜欢苹果手机", ("Apple",)),
        ("애플은 좋아요", ("Apple",)),
        ("풋애플", ()),
        ("ЯБЛОКО вкусное, яблоков", ("Apple",)),
        ("I drink #CocaCola", ("Coca-Cola",)),
        ("coca-cola!", ("Coca-Cola",)),
        ("C++ rocks, C+", ("C++",)),
        ("ÜBER alles", ("Über",)),
        ("दूध अच्छा", ("दूध",)),
        ("दूधिया", ()),
        ("", ()),
    ],
)
def test_brands_are_matched_by_the_words_of_each_script(text: str, brands: tuple[str, ...]) -> None:
    assert MATCHER.match(text) == brands


def test_an_exclusion_vetoes_its_own_brand_only() -> None:
    matcher = BrandMatcher((Brand("Apple", exclusions=("apple pie",)), Brand("Pie")))

    assert matcher.match("apple pie") == ("Pie",)


def test_two_brands_may_share_a_name() -> None:
    matcher = BrandMatcher((Brand("Delta Air", ("Delta",)), Brand("Delta Taps", ("Delta",))))

    assert matcher.match("I love delta") == ("Delta Air", "Delta Taps")


def test_no_brands_match_nothing() -> None:
    assert BrandMatcher(()).match("anything") == ()
    assert BrandMatcher((Brand(" "),)).match("anything") == ()


@given(st.text())
def test_matching_never_raises(text: str) -> None:
    MATCHER.match(text)


def test_thousands_of_brands_cost_no_more_than_one() -> None:
    matcher = BrandMatcher(tuple(Brand(f"brand {n}", (f"alias{n}",)) for n in range(5_000)))
    start = time.process_time()

    for n in range(500):
        assert matcher.match(f"I bought brand {n} and alias{n + 1} today, what a day") != ()
    assert time.process_time() - start < 2


def test_an_excluded_text_without_end_is_matched_in_time() -> None:
    assert MATCHER.match("apple pie " * 20_000) == ()
    assert MATCHER.match("apple pie " * 20_000 + "apple") == ("Apple",)
