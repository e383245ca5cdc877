"""The command bar in a real browser: typed, by arrow keys, by touch, and understood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.run_folder import (
    a_trend,
    append,
    build_counters,
    build_run_folder,
    write_counters,
)
from tests.dashboards.story import BRANDS, Moment
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import DESK, FOCUSED, LOOKS, PHONE, SAYS, WIDTHS, Look, Visit, visit
from tests.end_to_end.phrases import COLLOQUIAL, HELD_OUT, LEARNT
from tests.end_to_end.screenshots import take
from tests.end_to_end.searching import serving_search

QUIET = Moment(posts=9, valence=0.1, image_share=0.1)
OPTIONS = "#commands [role=option]"
EVIL = "<img src=x onerror=document.title='owned'>"
# The first suggestion for each of many texts, typed one after the other.
FIRST = """(texts) => texts.map((text) => {
  const box = document.getElementById('command');
  box.value = text;
  box.dispatchEvent(new Event('input'));
  return document.querySelector('#commands [role=option]')?.dataset.key;
})"""
KEYS = "options => options.map((option) => option.dataset.key)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented day with two brands more, whose names have an accent and a space."""
    folder = build_run_folder(tmp_path_factory.mktemp("run"))
    for brand in ("Café Orléans", "Blue Harbor"):
        append(folder / "trends.jsonl", a_trend(brand, at(16.5), QUIET, timing="on_time"))
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving_search(folder) as served:
        yield served


@pytest.fixture
def seen(browser: Browser, url: str) -> Iterator[Visit]:
    """The page with the bar open."""
    with visit(browser, url, DESK) as visited:
        visited.wait_for("() => document.querySelectorAll('.brand').length === 6")
        visited.page.keyboard.press("Control+k")
        yield visited


def suggested(visited: Visit, text: str) -> list[str]:
    visited.page.locator("#command").fill(text)
    keys: list[str] = visited.page.locator(OPTIONS).evaluate_all(KEYS)
    return keys


def go(visited: Visit, text: str) -> None:
    visited.page.locator("#command").fill(text)
    visited.page.keyboard.press("Enter")


@pytest.mark.parametrize(("phrases", "share"), [(LEARNT, 1.0), (HELD_OUT, 0.95), (COLLOQUIAL, 0.9)])
def test_the_first_suggestion_is_what_was_meant(
    seen: Visit, phrases: tuple[tuple[str, str], ...], share: float
) -> None:
    first = seen.page.evaluate(FIRST, [phrase for phrase, _ in phrases])
    missed = [
        (phrase, wanted, got)
        for (phrase, wanted), got in zip(phrases, first, strict=True)
        if got != wanted
    ]

    assert len(missed) <= (1 - share) * len(phrases), missed
    assert seen.complaints == []


def test_a_letter_left_out_or_two_exchanged_still_name_the_brand(seen: Visit) -> None:
    slips = [
        (brand, brand[:n] + swapped + brand[n + 2 :])
        for brand in BRANDS
        for n in range(len(brand) - 1)
        for swapped in (brand[n], brand[n + 1] + brand[n])
    ]
    first = seen.page.evaluate(FIRST, [slip for _, slip in slips])

    assert first == [f"#brand={brand}" for brand, _ in slips]


def test_keys_open_the_bar_and_enter_takes_the_first(seen: Visit) -> None:
    assert seen.page.evaluate(FOCUSED) == "command"
    go(seen, "nordbru")
    seen.wait_for(SAYS, "brand-name", "Nordbrew")

    assert seen.page.url.endswith("#brand=Nordbrew")
    assert not seen.page.locator("#command-bar").is_visible()
    assert seen.page.locator("#announcer").text_content() == "Nordbrew"


def test_escape_closes_the_bar_and_gives_the_focus_back(seen: Visit) -> None:
    page = seen.page
    page.keyboard.press("Escape")
    page.locator("#theme").focus()
    page.keyboard.press("Meta+k")
    assert page.evaluate(FOCUSED) == "command"
    page.keyboard.press("Escape")

    assert page.evaluate(FOCUSED) == "theme"
    page.locator("#open-bar").click()
    page.keyboard.press("Control+k")
    assert page.evaluate(FOCUSED) == "open-bar"


def test_arrow_keys_move_among_suggestions(seen: Visit) -> None:
    box, options = seen.page.locator("#command"), seen.page.locator(OPTIONS)
    keys = suggested(seen, "alert")
    assert box.get_attribute("aria-activedescendant") == "command-0"
    seen.page.keyboard.press("ArrowUp")
    assert box.get_attribute("aria-activedescendant") == f"command-{len(keys) - 1}"
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("ArrowDown")

    assert options.nth(1).get_attribute("aria-selected") == "true"
    assert seen.page.locator("#commands [aria-selected=true]").count() == 1
    seen.page.keyboard.press("Enter")
    seen.wait_for("([key]) => location.hash === key", keys[1])


def test_nothing_typed_lists_what_can_be_said_and_takes_nothing(seen: Visit) -> None:
    box, options = seen.page.locator("#command"), seen.page.locator(OPTIONS)

    assert 5 <= options.count() <= 8
    assert "worst alert" in (seen.page.locator("#command-help").text_content() or "")
    assert box.get_attribute("aria-activedescendant") is None
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("#command-bar").is_visible()
    seen.page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "command-0"


def test_the_reason_for_a_suggestion_is_marked(seen: Visit) -> None:
    suggested(seen, "smoke alrt")
    first, second, *_ = seen.page.locator(OPTIONS).all()

    assert first.locator("mark").all_text_contents() == ["alert", "smoke"]
    assert second.locator("mark").all_text_contents() == ["smoke"]


def test_what_is_not_found_can_be_searched_for(seen: Visit) -> None:
    assert suggested(seen, "umbrella stand") == ["#search=umbrella%20stand"]
    state = seen.page.locator("#command-state")
    assert state.text_content() == "Nothing here is called that."
    seen.page.keyboard.press("Enter")
    seen.wait_for(SAYS, "found-title", "umbrella stand")


def test_where_search_is_off_none_is_offered(browser: Browser, folder: Path) -> None:
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        visited.wait_for("() => document.querySelectorAll('.brand').length === 6")
        visited.page.keyboard.press("Control+k")
        for text in ("umbrella stand", "search umbrella stand", "like x/1797"):
            assert not [key for key in suggested(visited, text) if "search" in key or "like" in key]
        assert visited.page.locator("#command").get_attribute("aria-expanded") == "false"


def test_buttons_and_places_are_reached_from_any_view(browser: Browser, url: str) -> None:
    with visit(browser, f"{url}#quality", DESK) as visited:
        page = visited.page
        visited.wait_for("() => document.body.dataset.alone === 'quality-view'")
        visited.wait_for("() => document.querySelectorAll('#topics > li').length > 0")
        page.keyboard.press("Control+k")
        go(visited, "topics")
        visited.wait_for("() => document.activeElement.id === 'topics-panel'")
        page.keyboard.press("Control+k")
        go(visited, "topic lounge")
        visited.wait_for("() => document.querySelector('.topic:nth-child(3) details').open")
        page.keyboard.press("Control+k")
        go(visited, "by country")
        expect(page.get_by_role("button", name="Country")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Control+k")
        go(visited, "light theme")
        assert page.locator("html").get_attribute("data-theme") == "light"
        page.keyboard.press("Control+k")
        go(visited, "data quality")
        visited.wait_for("() => document.activeElement.id === 'quality-view'")
        page.keyboard.press("Control+k")
        go(visited, "go back")
        visited.wait_for("() => !document.body.dataset.alone")
        assert visited.complaints == []


def test_what_is_typed_and_what_things_are_called_stays_text(
    browser: Browser, tmp_path: Path
) -> None:
    folder = build_run_folder(tmp_path)
    append(folder / "trends.jsonl", a_trend(EVIL, at(16.5), QUIET))
    append(folder / "alerts.jsonl", an_alert("evil", "Velora", title=EVIL, terms=(EVIL,)))
    with serving_search(folder) as url, visit(browser, url, DESK) as visited:
        visited.wait_for("() => document.querySelectorAll('.brand').length === 5")
        visited.page.keyboard.press("Control+k")
        keys = suggested(visited, EVIL)

        assert "#alert=evil" in keys
        assert EVIL in visited.page.locator(".command-name").all_text_contents()
        assert visited.page.locator("img[src='x']").count() == 0
        assert visited.page.title() == "Moodwire demo"
        assert visited.complaints == []


def test_a_finger_is_enough(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".alert")
    page.tap("#open-bar")
    page.locator("#command").fill("worst")
    assert min(page.locator(OPTIONS).evaluate_all("all => all.map((o) => o.offsetHeight)")) >= 44
    page.locator(OPTIONS).first.tap()
    page.wait_for_function("() => location.hash === '#alert=a4'")
    page.tap("#open-bar")
    page.tap("#close-bar")
    assert not page.locator("#command-bar").is_visible()
    context.close()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_everybody_can_use_it_at_any_width(browser: Browser, url: str, look: Look) -> None:
    with visit(browser, url, look) as visited:
        visited.page.wait_for_selector(".alert")
        visited.page.locator("#open-bar").click()
        for text in ("", "smoke alrt", "umbrella stand"):
            suggested(visited, text)
            scroll_width, inner_width = visited.page.evaluate(WIDTHS)
            bar = visited.page.locator("#command-bar").bounding_box()

            assert scroll_width <= inner_width
            assert bar is not None
            assert bar["x"] >= 0
            assert bar["x"] + bar["width"] <= look.width
            assert bar["y"] + bar["height"] <= look.height
            assert grave_findings(visited.page) == []
        assert visited.hosts == {"127.0.0.1"}
        assert visited.complaints == []


@pytest.mark.parametrize("look", [DESK, PHONE], ids=str)
def test_screenshots(browser: Browser, url: str, folder: Path, tmp_path: Path, look: Look) -> None:
    write_counters(folder, build_counters())  # as a run that goes on does
    with visit(browser, url, look) as visited:
        visited.page.wait_for_selector(".alert")
        visited.page.locator("#open-bar").click()
        suggested(visited, "smoke alrt")
        take(visited, f"commands-{look}", tmp_path)
