"""The live page in a real browser, beside a run folder that grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser

from dashboards.live.explanations import ExplanationPage
from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from pipelines.explain_page import POLICY, page
from schemas.records import Exemplar
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.run_folder import (
    a_trend,
    append,
    build_counters,
    build_run_folder,
    write_counters,
)
from tests.dashboards.story import Moment
from tests.end_to_end.browser import DESK, LOOKS, PAINTED, WIDTHS, Look, Visit, visit
from tests.end_to_end.screenshots import take
from tests.end_to_end.searching import serving_search

MAX_WIDTH = "body => getComputedStyle(body).maxWidth"
WORSE = Moment(posts=240, valence=-0.8, image_share=0.6)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = build_run_folder(tmp_path_factory.mktemp("run"))
    with BackgroundServer(Follower(folder), port=0) as server:
        yield server.url


@pytest.fixture(scope="module", params=LOOKS, ids=str)
def seen(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Visit]:
    """The page in each look; tests that share it leave it as it is."""
    with visit(browser, url, request.param) as visited:
        visited.page.wait_for_selector(".alert img")
        yield visited


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_run_folder(tmp_path / "run")


def test_every_brand_is_shown_and_the_one_in_crisis_chosen(seen: Visit) -> None:
    names = seen.page.locator(".brand-name").all_text_contents()

    assert names == ["Aerolume", "Nordbrew", "Pixelpine", "Velora"]
    assert seen.page.locator("[aria-checked=true]").get_attribute("data-key") == "Aerolume"
    assert seen.page.locator("#brand-name").text_content() == "Aerolume"


def test_all_three_charts_are_painted(seen: Visit) -> None:
    painted = seen.page.evaluate(PAINTED)

    assert len(painted) == 3
    assert min(painted) > 1_000


def test_the_worst_alert_shows_its_pictures_and_their_weights(seen: Visit) -> None:
    alert = seen.page.locator(".alert").first
    alert.locator("img").first.scroll_into_view_if_needed()
    seen.wait_for("() => document.querySelector('.alert img').naturalWidth > 0")
    alert.locator(".more").evaluate("more => more.open = true")
    labels = alert.locator(".alpha").evaluate_all("all => all.map(a => a.ariaLabel)")
    widths = alert.locator(".alpha-image").evaluate_all("all => all.map(a => a.offsetWidth)")

    assert alert.locator(".severity").text_content() == "9"
    assert labels[0] == "Weight of the text 31 %, of the image 69 %"
    assert widths[0] > widths[2] > widths[3] == 0
    assert alert.locator(".terms li").count() == 5
    assert "everyone is safe" in (alert.locator(".advice").text_content() or "")


def test_markup_in_a_post_is_only_text(seen: Visit) -> None:
    text = seen.page.locator(".post-text", has_text="Is it just me?").first.text_content() or ""

    assert "<script>" in text
    assert "<img src=x" in text
    assert seen.page.title() == "Moodwire demo"
    assert seen.page.locator("img[src='x']").count() == 0


def test_nothing_is_wider_than_the_screen(seen: Visit) -> None:
    scroll_width, inner_width = seen.page.evaluate(WIDTHS)

    assert scroll_width <= inner_width


def test_stages_and_losses_are_counted(seen: Visit) -> None:
    flow = dict(
        zip(
            seen.page.locator(".flow-name").all_text_contents(),
            seen.page.locator(".flow-count").all_text_contents(),
            strict=True,
        )
    )

    assert (flow["Read"], flow["Readings"]) == ("48,112", "46,338")
    assert "Dead letters308" in (seen.page.locator(".losses").text_content() or "")


def test_a_table_says_what_the_charts_show(seen: Visit) -> None:
    rows = seen.page.locator("#table tbody tr")

    assert rows.count() == 12
    assert "UTC" in (rows.first.locator("th").text_content() or "")


def test_the_page_asks_this_machine_alone_and_never_complains(seen: Visit) -> None:
    assert seen.hosts == {"127.0.0.1"}
    assert seen.complaints == []


def test_the_theme_can_be_changed_and_is_remembered(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        visited.page.locator("#theme").click()
        assert visited.page.locator("html").get_attribute("data-theme") == "light"

        visited.page.reload()
        assert visited.page.locator("html").get_attribute("data-theme") == "light"
        assert visited.complaints == []


def test_arrow_keys_walk_through_brands(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        visited.page.locator("[aria-checked=true]").focus()
        visited.page.keyboard.press("ArrowRight")
        visited.wait_for("() => document.querySelector('#brand-name').textContent === 'Nordbrew'")
        visited.page.keyboard.press("ArrowLeft")
        visited.page.keyboard.press("ArrowLeft")
        visited.wait_for("() => document.querySelector('#brand-name').textContent === 'Velora'")

        assert visited.page.evaluate("() => document.activeElement.dataset.key") == "Velora"
        assert visited.page.locator("[aria-checked=true]").count() == 1


def test_arrow_keys_walk_through_windows_and_enter_pins_one(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        slider = visited.page.get_by_role("slider")
        slider.focus()
        before = slider.get_attribute("aria-valuetext")
        visited.page.keyboard.press("ArrowLeft")
        visited.wait_for("([before]) => document.activeElement.ariaValueText !== before", before)
        label = (visited.page.locator("#window-label").text_content() or "").split(" · ")[0]
        visited.page.keyboard.press("Enter")
        visited.wait_for(
            "([label]) => document.querySelector('#voices-window').textContent === label", label
        )

        assert (slider.get_attribute("aria-valuetext") or "").startswith(label)


def test_measures_forms_and_ranges_redraw_the_charts(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        for name in ("Negative posts", "1 h", "Lines", "Language", "This brand"):
            visited.page.get_by_role("button", name=name, exact=True).click()
        visited.page.locator(".chip", has_text="neutral").click()
        visited.wait_for("() => document.querySelector('.slice-table th').textContent[0] === 'L'")

        assert min(visited.page.evaluate(PAINTED)) > 1_000
        assert visited.page.locator(".slice-table tbody th").first.text_content() == "English"
        assert visited.page.locator(".alert").count() == 2
        assert visited.complaints == []


def test_a_new_line_in_the_folder_reaches_the_open_page(browser: Browser, folder: Path) -> None:
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        visited.page.locator(".brand").first.click()
        append(folder / "trends.jsonl", a_trend("Aerolume", at(17), WORSE, timing="on_time"))
        append(folder / "alerts.jsonl", an_alert("new", "Velora", severity=10, title="Fire"))
        visited.wait_for(
            "() => document.querySelector('#window-label').textContent.startsWith('17:00–17:05')"
        )
        visited.wait_for("() => document.querySelector('#announcer').textContent.length > 0")

        assert "New alert for Velora" in (visited.page.locator("#announcer").text_content() or "")
        assert visited.page.locator("#alerts-count").text_content() == "3 firing"
        assert visited.page.locator(".alert h3").first.text_content() == "Fire"
        assert visited.complaints == []


def test_the_worst_alert_is_followed_until_a_brand_is_chosen(
    browser: Browser, folder: Path
) -> None:
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        chosen = "([name]) => document.querySelector('#brand-name').textContent === name"
        append(folder / "alerts.jsonl", an_alert("worse", "Velora", severity=10))
        visited.wait_for(chosen, "Velora")
        visited.page.locator(".brand", has_text="Nordbrew").click()
        append(folder / "alerts.jsonl", an_alert("worse still", "Pixelpine", severity=10))
        visited.wait_for("() => document.querySelector('#announcer').textContent.includes('Pixel')")

        assert visited.page.locator("#brand-name").text_content() == "Nordbrew"


def test_the_page_comes_back_after_its_server_did(browser: Browser, folder: Path) -> None:
    with BackgroundServer(Follower(folder), port=0) as server:
        port = urlsplit(server.url).port or 0
        with visit(browser, server.url, DESK) as visited:
            server.stop()
            status = "([text]) => document.querySelector('#status-text').textContent === text"
            visited.wait_for(status, "Reconnecting")
            append(folder / "trends.jsonl", a_trend("Newbrand", at(17), WORSE))
            write_counters(folder, build_counters())
            with BackgroundServer(Follower(folder), port=port):
                visited.wait_for("() => document.querySelectorAll('.brand').length === 5")
                visited.wait_for(status, "Live · replay 60×")


def test_a_folder_without_windows_says_so(browser: Browser, tmp_path: Path) -> None:
    with BackgroundServer(Follower(tmp_path), port=0) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_selector("text=Waiting for posts")

        assert page.get_by_role("heading", name="Waiting for the first window").is_visible()
        page.close()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_screenshots(browser: Browser, tmp_path: Path, look: Look) -> None:
    """Kept in docs/screenshots when MOODWIRE_SCREENSHOTS is 1.

    MOODWIRE_RUN_FOLDER names a run to show instead of the invented day.
    """
    named = os.environ.get("MOODWIRE_RUN_FOLDER")
    shown = Path(named) if named else build_run_folder(tmp_path / "run")
    with serving_search(shown) as url, visit(browser, url, look, 2) as visited:
        take(visited, f"live-{look}", tmp_path)


@pytest.mark.parametrize("offered", [True, False])
def test_a_post_can_be_asked_why_where_somebody_knows(
    browser: Browser, folder: Path, offered: bool
) -> None:
    def explain(post: Exemplar, picture: bytes | None) -> ExplanationPage:
        return ExplanationPage(page(f"Post {post.post_id}", "<p>the word itself</p>"), POLICY)

    with (
        BackgroundServer(Follower(folder), port=0, explain=explain if offered else None) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        visited.page.wait_for_selector(".alert .post")
        link = visited.page.locator(".alert .why a").first
        assert link.is_visible() is offered
        if offered:
            visited.page.goto(urljoin(server.url, link.get_attribute("href") or ""))
            assert visited.page.locator("p").text_content() == "the word itself"
            assert visited.page.locator("body").evaluate(MAX_WIDTH) == "1000px"  # styles apply
        assert visited.complaints == []
