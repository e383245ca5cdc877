"""Search in a real browser: typed, followed by a link, and honest about what cannot be found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Browser

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from pipelines.placed_posts import PlacedPosts
from tests.dashboards.readings import build_readings
from tests.dashboards.run_folder import append, build_counters, build_run_folder, write_counters
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import (
    DESK,
    FOCUSED,
    LOOKS,
    PHONE,
    SAYS,
    WIDTHS,
    Look,
    Visit,
    visit,
)
from tests.end_to_end.screenshots import take
from tests.end_to_end.searching import ALL_FOUND, serving_search

LOST = "my bag never arrived"
FOUND = "() => document.querySelectorAll('#found-lists .post').length > 0"
PRESSED_TOO_OFTEN = """() => {
  document.querySelector('#search-box button').click();
  return document.getElementById('found-state').textContent.startsWith('Many searches at once');
}"""


def a_folder(place: Path) -> Path:
    """The invented day with its readings."""
    folder = build_run_folder(place)
    append(folder / "readings.jsonl", *build_readings())
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def url(folder: Path, browser: Browser) -> Iterator[str]:
    """A page whose posts are all placed."""
    with serving_search(folder) as served:
        with visit(browser, f"{served}#search=bag", DESK) as visited:
            visited.page.wait_for_function(ALL_FOUND, timeout=120_000)
        yield served


def search_for(visited: Visit, words: str) -> None:
    box = visited.page.get_by_label("Search posts by what they say or show")
    box.fill(words)
    box.press("Enter")
    visited.wait_for(SAYS, "found-title", words)


def texts(visited: Visit, by: int = 0) -> list[str]:
    found = visited.page.locator(".found-list").nth(by)
    return found.locator(".post-text").all_text_contents()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_words_are_typed_by_keyboard_and_posts_found(
    browser: Browser, url: str, look: Look
) -> None:
    with visit(browser, url, look) as visited:
        page = visited.page
        for _ in range(2):  # the first stop skips to the charts
            page.keyboard.press("Tab")
        assert page.evaluate(FOCUSED) == "search-words"
        page.keyboard.type(LOST)
        page.keyboard.press("Enter")
        visited.wait_for(FOUND)
        width, screen = page.evaluate(WIDTHS)

        assert page.url.endswith("#search=my%20bag%20never%20arrived")
        assert page.locator(".found-list h3").all_text_contents() == [
            "By their text",
            "By their image",
        ]
        assert any("luggage" in text or "suitcase" in text for text in texts(visited)[:3])
        assert page.locator(".found-list").nth(1).locator("img").count() == len(texts(visited, 1))
        assert page.evaluate(FOCUSED) == "found"
        assert not page.locator("#mood").is_visible()
        assert width <= screen
        assert visited.hosts == {"127.0.0.1"}
        assert visited.complaints == []


def test_a_post_found_shows_its_brand_its_time_and_how_close_it_is(
    browser: Browser, url: str
) -> None:
    with visit(browser, f"{url}#search=Aerolume lost my bag. Again.", PHONE) as visited:
        visited.wait_for(FOUND)
        first = visited.page.locator(".found-list .post").first

        assert first.locator(".post-text").text_content() == "Aerolume lost my bag. Again."
        told = " ".join(first.locator(".post-meta").all_text_contents())
        for part in ("14:24 UTC", "\u22120.83", "closeness +1.00", "Mon, 23 Nov 2026", "Aerolume"):
            assert part in told
        pictures = visited.page.locator(".found-list").nth(1).locator("img")
        pictures.first.scroll_into_view_if_needed()
        visited.wait_for("() => document.querySelector('.found-list img').naturalWidth > 0")
        assert (pictures.first.get_attribute("src") or "").startswith("/media/")


def test_a_post_found_leads_to_its_moment_and_back(browser: Browser, url: str) -> None:
    with visit(browser, f"{url}#search=Aerolume lost my bag. Again.", DESK) as visited:
        visited.wait_for(FOUND)
        visited.page.get_by_role("link", name="Aerolume at that moment").first.click()
        visited.wait_for(SAYS, "voices-window", "14:24")

        assert visited.page.locator("#mood").is_visible()
        assert "#brand=Aerolume&at=2026-11-23T14:24:00Z" in visited.page.url
        visited.page.go_back()
        visited.wait_for(FOUND)
        visited.page.get_by_role("link", name="Back to the brand").last.click()
        visited.wait_for("() => document.getElementById('found').hidden")
        assert visited.complaints == []


def test_evidence_leads_to_posts_like_it_by_a_link_that_can_be_shared(
    browser: Browser, url: str
) -> None:
    with visit(browser, f"{url}#alert=a4", DESK) as visited:
        visited.wait_for("() => document.querySelectorAll('#incident-facts .post').length === 4")
        visited.page.locator("#incident-facts .like a").first.click()
        visited.wait_for(FOUND)
        shared, seen = visited.page.url, texts(visited)
        assert shared.endswith("#like=x%2Fa4-0")
        assert visited.complaints == []
    with visit(browser, shared, PHONE) as other:
        other.wait_for(FOUND)

        assert texts(other) == seen
        assert "Smoke in the cabin" in (other.page.locator("#found-like").text_content() or "")
        assert "Smoke in the cabin" in seen[0]


def test_scripts_in_words_and_in_posts_stay_text(browser: Browser, url: str) -> None:
    evil = "<img src=x onerror=alert(1)>Is it just me?"
    with visit(browser, url, DESK) as visited:
        search_for(visited, evil)
        visited.wait_for(FOUND)

        assert any("<script>" in text for text in texts(visited))
        assert visited.page.locator("img[src='x']").count() == 0
        assert visited.page.title() == "Moodwire demo"
        assert visited.complaints == []


def test_a_question_that_cannot_be_answered_is_said_on_the_page(browser: Browser, url: str) -> None:
    with visit(browser, f"{url}#search={'a' * 201}", DESK) as visited:
        visited.wait_for(SAYS, "found-state", "more than 200 characters; give fewer words")
        visited.page.goto(f"{url}#like=x/nobody")
        visited.wait_for(SAYS, "found-state", "no such post")

        assert visited.page.locator("#found-lists .post").count() == 0


def test_too_many_searches_wait_and_then_go_on(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        search_for(visited, LOST)
        visited.wait_for(PRESSED_TOO_OFTEN)
        visited.wait_for("() => document.getElementById('found-state').textContent === ''")

        assert len(texts(visited)) == 12


def test_the_page_says_that_the_model_loads_and_what_it_can_find_so_far(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, is_seen = PlacedPosts.place_some, Event()

    def place_slowly(posts: PlacedPosts) -> bool:
        more = place(posts)
        is_seen.wait(60)
        return more

    monkeypatch.setattr(PlacedPosts, "place_some", place_slowly)
    folder = a_folder(tmp_path)
    with serving_search(folder) as url, visit(browser, url, DESK) as visited:
        search_for(visited, LOST)
        visited.wait_for(SAYS, "found-state", "The model loads")
        visited.page.wait_for_function(SAYS, arg=["found-progress", "so far"], timeout=60_000)
        is_seen.set()
        visited.page.wait_for_function(ALL_FOUND, timeout=120_000)
        assert len(texts(visited)) == 12
        assert visited.complaints == []


def test_a_post_that_was_erased_is_not_found(browser: Browser, tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    with serving_search(folder) as url, visit(browser, f"{url}#search={LOST}", DESK) as visited:
        visited.page.wait_for_function(ALL_FOUND, timeout=120_000)
        lines = (folder / "readings.jsonl").read_bytes().splitlines(keepends=True)
        erased = texts(visited)[0]
        kept = [line for line in lines if json.loads(line)["text"] != erased]
        (folder / "fresh").write_bytes(b"".join(kept))
        os.replace(folder / "fresh", folder / "readings.jsonl")
        search_for(visited, f"{LOST} yet")
        visited.page.wait_for_function(ALL_FOUND, timeout=120_000)

        assert len(kept) < len(lines)
        assert erased not in texts(visited)


def test_where_search_is_off_the_page_says_so(browser: Browser, tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path)
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, f"{server.url}#search=bag", DESK) as visited,
    ):
        visited.wait_for(SAYS, "found-state", "whoever serves it turned that off")

        assert not visited.page.locator("#search-box").is_visible()
        assert visited.complaints == []


def test_a_run_without_readings_says_so(browser: Browser, tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path)
    with serving_search(folder) as url, visit(browser, f"{url}#search=bag", DESK) as visited:
        visited.page.wait_for_function(SAYS, arg=["found-state", "no post to be"], timeout=60_000)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_nobody_is_kept_out(browser: Browser, url: str, look: Look) -> None:
    for asked in ("search=smoke in the cabin", "like=x/a4-0", "like=x/nobody"):
        with visit(browser, f"{url}#{asked}", look) as visited:
            visited.wait_for(
                "() => document.querySelector('#found-lists .post, #found-state:not(:empty)')"
            )

            assert grave_findings(visited.page) == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_screenshots(browser: Browser, url: str, folder: Path, tmp_path: Path, look: Look) -> None:
    write_counters(folder, build_counters())  # as a run that goes on does
    with visit(browser, url, look) as visited:
        search_for(visited, "smoke in the cabin")
        visited.wait_for(FOUND)
        take(visited, f"search-{look}", tmp_path)
