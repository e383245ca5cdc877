from models.detection.terms import count_terms, standing_out, terms_of


def test_terms_are_distinct_words_and_hashtags_without_stop_words() -> None:
    assert terms_of("The FIRE, the fire and #NovaFire!") == ("#novafire", "fire")


def test_masks_and_addresses_leave_no_terms() -> None:
    assert terms_of("https://www.com user @x 12 345") == ()


def test_counts_are_bounded_with_ties_by_alphabet() -> None:
    posts = [(f"t{i:03d}", "all") for i in range(100)]

    assert list(count_terms(posts))[:3] == ["all", "t000", "t001"]
    assert len(count_terms(posts)) == 40


def test_what_stands_out_is_not_what_is_frequent() -> None:
    usual = {"phone": 500, "camera": 100, "battery": 20}
    seen = {"phone": 40, "battery": 30, "fire": 25, "odd": 1}

    assert set(standing_out(seen, usual)) == {"fire", "battery"}


def test_without_a_past_the_most_frequent_lead() -> None:
    assert standing_out({"fire": 9, "phone": 12, "odd": 1}, {}) == ("phone", "fire")


def test_a_new_term_stands_out_more_than_one_that_grew() -> None:
    seen = {"recall": 10, "thanks": 8, **{f"t{i}": 5 for i in range(100)}}
    usual = {"thanks": 2, **{f"t{i}": 25 for i in range(100)}}

    assert standing_out(seen, usual)[:2] == ("recall", "thanks")
