from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.live.app import build_app
from dashboards.live.cards import CardAnswer, Element, card_of
from dashboards.live.follower import Follower
from models.model_cards import read_cards
from tests.dashboards.test_live_app import get

EVIL = """# m-1

<script>alert(1)</script>

<img src=x onerror=alert(1)> and [a link](javascript:alert(1)), [ours](../../docs/x.md),
[theirs](https://example.org/a?b=c "title"), ![a picture](https://example.org/p.png)

<!-- figures: written
by a command -->

| a | b |
|---|:-:|
| `c` | **d** |
"""


def elements(node: str | Element) -> list[Element]:
    """An element and all in it."""
    if isinstance(node, str):
        return []
    return [node, *(inner for child in node.children for inner in elements(child))]


def text(node: str | Element) -> str:
    return node if isinstance(node, str) else "".join(map(text, node.children))


def all_elements(answer: CardAnswer) -> list[Element]:
    return [element for node in answer.card for element in elements(node)]


def test_markup_in_a_card_stays_text_and_makes_no_element() -> None:
    answer = card_of("m-1", [EVIL])
    told = "\n".join(map(text, answer.card))
    tags = {element.tag for element in all_elements(answer)}

    assert "<script>alert(1)</script>" in told
    assert "<img src=x onerror=alert(1)>" in told
    assert tags == {"h3", "p", "a", "table", "thead", "tbody", "tr", "th", "td", "code", "strong"}


def test_links_lead_into_the_web_or_nowhere_and_pictures_are_words() -> None:
    answer = card_of("m-1", [EVIL])
    links = [element for element in all_elements(answer) if element.href]

    assert [(link.tag, link.href, text(link)) for link in links] == [
        ("a", "https://example.org/a?b=c", "theirs")
    ]
    assert "a picture" in "".join(map(text, answer.card))


def test_comments_are_not_told() -> None:
    assert "figures" not in "".join(map(text, card_of("m-1", [EVIL]).card))


def test_lists_and_code_keep_their_form() -> None:
    answer = card_of("m", ["# m\n\n1. one\n2. two\n\n```python\nif a < b:\n    pass\n```\n"])

    assert answer.card[1:] == (
        Element("ol", None, (Element("li", None, ("one",)), Element("li", None, ("two",)))),
        Element("pre", None, ("if a < b:\n    pass\n",)),
    )


@pytest.mark.parametrize("other", ["# m-1.1", "# m", "no heading: m-1", "", "text\n\n## m-10"])
def test_the_card_of_another_model_is_named_and_never_shown(other: str) -> None:
    answer = card_of("m-1", [other])

    assert answer.card == ()
    assert len(answer.others) == 1


def test_the_first_card_that_fits_is_taken() -> None:
    answer = card_of("m-1", ["# m-2\n\nother", "# Card of m-1\n\nown", "# m-1\n\nshipped"])

    assert [text(node) for node in answer.card] == ["Card of m-1", "own"]


def test_the_page_tells_the_shipped_card_of_the_shipped_model(tmp_path: Path) -> None:
    app = build_app(Follower(tmp_path), cards=read_cards)
    found = get(app, "/api/card?model=moodwire-base-2026.11.1")
    missing = get(app, "/api/card?model=%3Cscript%3E")

    assert found.json()["card"][0] == ["h3", None, ["moodwire-base-2026.11.1"]]
    assert found.headers["content-type"] == "application/json"
    assert missing.json() == {"card": [], "others": ["moodwire-base-2026.11.1"]}


def test_a_page_without_cards_has_none(tmp_path: Path) -> None:
    answer = get(build_app(Follower(tmp_path)), "/api/card?model=m-1")

    assert answer.json() == {"card": [], "others": []}
