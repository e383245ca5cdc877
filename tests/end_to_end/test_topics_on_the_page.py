"""Topics on the live page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from tests.dashboards.run_folder import append, build_run_folder
from tests.dashboards.topics import a_calm_topic, a_topic
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import DESK, LOOKS, WIDTHS, Look, Visit, visit

NAMES = "() => [...document.querySelectorAll('.topic b')].map((name) => name.textContent)"
NAMED = f"([first]) => ({NAMES})()[0] === first"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_run_folder(tmp_path / "run")


@pytest.fixture
def seen(browser: Browser, folder: Path) -> Iterator[Visit]:
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        visited.page.wait_for_selector(".topic")
        yield visited


def test_topics_of_the_newest_hour_come_first_with_their_mood(seen: Visit) -> None:
    first, _, past = seen.page.locator(".topic").all()
    facts = first.locator(".topic-facts").text_content() or ""

    assert seen.page.evaluate(NAMES) == ["smoke, cabin, al482", "seats", "lounge"]
    assert seen.page.locator("#topics-hour").text_content() == "23 Nov, 15:00–16:00 UTC"
    assert "260 posts" in facts and "Very negative −0.62" in facts and "since 14:00" in facts
    assert first.locator(".topic-new").is_visible()
    assert not past.locator(".topic-new").is_visible()
    assert "last at 14:00" in (past.locator(".topic-facts").text_content() or "")
    assert "25 % of 400 posts" in (seen.page.locator("#topics-other").text_content() or "")


def test_posts_come_when_a_topic_is_opened_and_stay_text(seen: Visit) -> None:
    topic = seen.page.locator(".topic").first
    assert topic.locator(".post").count() == 0
    topic.locator("summary").focus()
    seen.page.keyboard.press("Enter")
    topic.locator(".post").first.wait_for()

    assert topic.locator(".post").count() == 2
    assert "<script>" in (topic.locator(".post-text").nth(1).text_content() or "")
    assert seen.page.title() == "Moodwire demo"
    assert seen.complaints == []


def test_another_brand_has_its_own_topics_or_none(seen: Visit) -> None:
    seen.page.locator(".brand", has_text="Nordbrew").click()
    seen.wait_for(NAMED, "coffee")
    seen.page.locator(".brand", has_text="Velora").click()
    seen.wait_for("() => document.querySelector('#topics-panel').hidden")


def test_new_hours_and_undone_topics_reach_the_open_page(seen: Visit, folder: Path) -> None:
    topic = seen.page.locator(".topic").first
    topic.locator("summary").click()
    topic.locator(".post").first.wait_for()
    append(folder / "topics.jsonl", a_calm_topic("Aerolume", "refund", 16, posts=500))
    seen.wait_for(NAMED, "refund")

    assert seen.page.locator(".topic details[open]").count() == 1  # what was open stays so
    append(folder / "topics.jsonl", a_topic(15, posts=0, exemplars=()))
    append(folder / "topics.jsonl", a_topic(14, posts=0, exemplars=()))
    seen.wait_for("() => document.querySelectorAll('.topic details[open]').length === 0")


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_everybody_can_use_it_at_any_width(browser: Browser, folder: Path, look: Look) -> None:
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, server.url, look) as visited,
    ):
        visited.page.locator(".topic summary").first.click()
        visited.page.locator(".topic .post").first.wait_for()
        scroll_width, inner_width = visited.page.evaluate(WIDTHS)

        assert scroll_width <= inner_width
        assert grave_findings(visited.page) == []
