"""One incident in a real browser: what it shows, who may act on it, and what acting does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog

from dashboards.live.actions import Actions
from pipelines.feedback import FeedbackFolder
from schemas.records import AlertFeedback
from tests.dashboards.incidents import an_alert, at, some_feedback
from tests.dashboards.readings import build_readings
from tests.dashboards.run_folder import a_trend, append, build_run_folder
from tests.dashboards.story import SCRIPT_POST, Moment, Voice
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import DESK, LOOKS, PHONE, SAYS, WIDTHS, Look, Visit, visit
from tests.end_to_end.screenshots import take
from tests.end_to_end.searching import ALL_FOUND, serving_search

TOKEN = "a-token-of-the-desk-0815"
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
HASH_HOLDS = "([part]) => decodeURIComponent(location.hash).includes(part)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_run_folder(tmp_path / "run")


@contextmanager
def serving(folder: Path, token: str | None = TOKEN) -> Iterator[str]:
    """The page of a run folder, with or without leave to act."""
    actions = Actions(token, FeedbackFolder(folder).write) if token else None
    with serving_search(folder, actions) as url:
        yield url


@contextmanager
def the_crisis(browser: Browser, url: str, look: Look = DESK) -> Iterator[Visit]:
    """The incident view of the worst alert, by its link."""
    with visit(browser, f"{url}#alert=a4", look) as visited:
        visited.wait_for("() => document.querySelectorAll('#course li').length === 4")
        yield visited


def feedback_in(folder: Path) -> list[AlertFeedback]:
    return [found for found in FeedbackFolder(folder).read() if isinstance(found, AlertFeedback)]


def sign_in(visited: Visit, token: str = TOKEN) -> None:
    visited.page.get_by_label("Your name").fill("Ada")
    visited.page.get_by_label("Token").fill(token)


def press(visited: Visit, name: str) -> None:
    visited.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_an_incident_shows_its_course_its_evidence_and_the_advice(
    browser: Browser, folder: Path, look: Look
) -> None:
    with serving(folder) as url, the_crisis(browser, url, look) as visited:
        page = visited.page
        course = page.locator("#course li > :last-child").all_text_contents()
        width, screen = page.evaluate(WIDTHS)

        assert course == [
            *("Began", "First told, severity 6", "Graver, severity 8", "Graver, severity 9")
        ]
        assert page.locator("#incident-severity").text_content() == "9"
        assert (page.locator("#incident-title").text_content() or "").startswith("Aerolume: posts")
        assert page.locator("#incident-facts .post").count() == 4
        assert page.locator("#incident-facts .terms li").count() == 5
        assert "everyone is safe" in (page.locator("#incident-facts .advice").text_content() or "")
        assert not page.locator("#mood").is_visible()
        assert width <= screen
        assert visited.complaints == []


def test_a_card_leads_to_the_incident_and_the_incident_back_to_the_charts(
    browser: Browser, folder: Path
) -> None:
    with serving(folder) as url, visit(browser, url, DESK) as visited:
        visited.page.locator(".alert .open-incident").first.click()
        visited.wait_for(HASH_HOLDS, "alert=a4")
        visited.wait_for("() => document.activeElement.id === 'incident'")
        visited.page.get_by_role("link", name="See it on the charts").click()
        visited.wait_for(HASH_HOLDS, "brand=Aerolume&at=2026-11-23T14:12:00Z")
        visited.wait_for(SAYS, "voices-window", "14:12")

        assert visited.page.locator("#mood").is_visible()
        visited.page.go_back()
        visited.wait_for("() => !document.getElementById('incident').hidden")
        assert visited.complaints == []


def test_a_moment_can_be_shared(browser: Browser, folder: Path) -> None:
    with serving(folder) as url:
        with visit(browser, url, DESK) as visited:
            slider = visited.page.get_by_role("slider")
            slider.focus()
            for key in ("ArrowLeft", "ArrowLeft", "Enter"):
                visited.page.keyboard.press(key)
            visited.wait_for(HASH_HOLDS, "&at=")
            visited.wait_for("() => document.querySelector('#voices-unpin a').offsetWidth > 0")
            shared = visited.page.evaluate("document.querySelector('#voices-unpin a').href")
            seen = visited.page.locator("#window-label").text_content() or ""
            assert shared == visited.page.url
        with visit(browser, shared, PHONE) as other:
            other.wait_for(SAYS, "window-label", seen)
            assert other.page.locator("#brand-name").text_content() == "Aerolume"


def test_an_alert_that_is_not_there_says_so(browser: Browser, folder: Path) -> None:
    with serving(folder) as url, visit(browser, f"{url}#alert=nobody", DESK) as visited:
        visited.wait_for(SAYS, "incident-title", "No such alert")

        assert visited.page.locator("#incident-missing").is_visible()
        assert not visited.page.locator("#incident-body").is_visible()


def test_without_a_token_the_page_only_shows(browser: Browser, folder: Path) -> None:
    with serving(folder, token=None) as url, the_crisis(browser, url) as visited:
        assert not visited.page.locator(".act").is_visible()
        assert "serve.token" in (visited.page.locator("#incident-readonly").text_content() or "")


def test_what_a_person_does_is_kept_and_seen_on_every_page(browser: Browser, folder: Path) -> None:
    with (
        serving(folder) as url,
        the_crisis(browser, url) as mine,
        the_crisis(browser, url, PHONE) as another,
    ):
        asked: list[str] = []
        mine.page.on("request", lambda request: asked.append(request.url))
        sign_in(mine)
        mine.page.get_by_label("Note, if any").fill("calling the airline")
        press(mine, "Acknowledge")
        for page in (mine, another):
            page.wait_for(SAYS, "handling", "Acknowledged by Adacalling the airline")
        press(mine, "Snooze")
        mine.wait_for(SAYS, "handling", "Snoozed until")
        press(mine, "True alarm")
        mine.wait_for(SAYS, "handling", "Judged a true alarm by Ada")
        mine.wait_for(SAYS, "incident-actions", "Noted.")
        kept = [feedback.action for feedback in feedback_in(folder)]

        assert kept == ["acknowledge", "snooze", "verdict"]
        assert not mine.page.get_by_label("Token").is_visible()
        assert not [address for address in [*asked, mine.page.url] if TOKEN in address]
        assert TOKEN not in mine.page.evaluate("JSON.stringify(localStorage)")
        assert mine.complaints == another.complaints == []


def test_the_token_is_typed_once_for_a_tab_and_can_be_forgotten(
    browser: Browser, folder: Path
) -> None:
    with serving(folder) as url, the_crisis(browser, url) as visited:
        sign_in(visited)
        press(visited, "Acknowledge")
        visited.wait_for(SAYS, "incident-actions", "Noted.")
        visited.page.reload()
        visited.wait_for("() => document.querySelectorAll('#course li').length === 4")
        assert visited.page.get_by_label("Your name").input_value() == "Ada"
        press(visited, "False alarm")
        visited.wait_for(SAYS, "handling", "Judged a false alarm by Ada")
        press(visited, "Forget the token")

        assert visited.page.get_by_label("Token").is_visible()
        assert visited.page.evaluate("sessionStorage.length") == 0


def test_a_token_that_is_forgotten_before_the_answer_comes_stays_forgotten(
    browser: Browser, folder: Path
) -> None:
    may_answer = Event()
    may_answer.set()

    def write(feedback: AlertFeedback) -> None:
        FeedbackFolder(folder).write(feedback)
        may_answer.wait(20)

    actions = Actions(TOKEN, write)
    with serving_search(folder, actions) as url, the_crisis(browser, url) as visited:
        sign_in(visited)
        press(visited, "Acknowledge")
        visited.wait_for(SAYS, "incident-actions", "Noted.")
        may_answer.clear()
        press(visited, "False alarm")
        visited.wait_for(SAYS, "handling", "Judged a false alarm by Ada")
        press(visited, "Forget the token")
        may_answer.set()
        visited.wait_for(SAYS, "incident-actions", "Noted.")
        assert visited.page.get_by_label("Token").is_visible()
        assert visited.page.evaluate("sessionStorage.length") == 0


def test_a_wrong_token_does_nothing_and_is_asked_for_again(browser: Browser, folder: Path) -> None:
    with serving(folder) as url, the_crisis(browser, url) as visited:
        sign_in(visited, "not-the-token-of-the-desk")
        press(visited, "Acknowledge")
        visited.wait_for(SAYS, "incident-actions", "That is not the token.")

        assert feedback_in(folder) == []
        assert visited.page.get_by_label("Token").is_visible()
        assert all("401" in complaint for complaint in visited.complaints)


def test_scripts_in_a_brand_a_post_an_alert_and_a_note_stay_text(
    browser: Browser, tmp_path: Path
) -> None:
    bad = Moment(posts=40, valence=-0.6, image_share=0.2)
    voice = Voice("x", SCRIPT_POST + EVIL, -0.8, "anger", 100, 1.0)
    append(tmp_path / "trends.jsonl", *(a_trend(EVIL, at(9 + n / 30), bad) for n in range(9)))
    append(
        tmp_path / "alerts.jsonl",
        an_alert("evil", EVIL, title=EVIL, voices=(voice,), terms=(EVIL,), recommendation=EVIL),
    )
    append(tmp_path / "alert-feedback.jsonl", some_feedback("evil", by=EVIL[:80], note=EVIL))
    with serving(tmp_path) as url, visit(browser, url, DESK) as visited:
        dialogs: list[str] = []

        def note(dialog: Dialog) -> None:
            dialogs.append(dialog.message)
            dialog.dismiss()

        visited.page.on("dialog", note)
        for address in (f"{url}#brand={quote(EVIL)}", f"{url}#alert=evil"):
            visited.page.goto(address)
            visited.page.reload()
            visited.wait_for(SAYS, "brand-name", EVIL)
            assert visited.page.locator("script").count() == 3
            assert visited.page.locator("img[src='x']").count() == 0
        visited.wait_for(SAYS, "handling", EVIL)

        assert EVIL in (visited.page.locator("#incident-facts").text_content() or "")
        assert visited.page.locator("#incident-title").text_content() == EVIL
        assert dialogs == []
        assert visited.complaints == []


@pytest.mark.parametrize("look", [DESK, LOOKS[0], PHONE], ids=str)
def test_nobody_is_kept_out(browser: Browser, folder: Path, look: Look) -> None:
    """axe-core on brands, on one of them with all that opens opened, and on an incident."""
    with serving(folder) as url, visit(browser, url, look) as visited:
        assert grave_findings(visited.page) == []
        visited.page.locator(".brand", has_text="Nordbrew").click()
        visited.page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        assert grave_findings(visited.page) == []
    with serving(folder) as url, the_crisis(browser, url, look) as visited:
        sign_in(visited)
        press(visited, "Acknowledge")
        visited.wait_for(SAYS, "handling", "Acknowledged")
        assert grave_findings(visited.page) == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_screenshots(browser: Browser, folder: Path, tmp_path: Path, look: Look) -> None:
    with serving(folder) as url, the_crisis(browser, url, look) as visited:
        take(visited, f"incident-{look}", tmp_path)


def test_screenshots_of_the_tour(browser: Browser, folder: Path, tmp_path: Path) -> None:
    """The way that docs/tour.md goes, as a person clicks it."""
    with serving(folder) as url, visit(browser, url, DESK) as visited:
        page = visited.page
        page.set_viewport_size({"width": 1280, "height": 800})
        take(visited, "tour-1-crisis", tmp_path)
        page.locator(".alert .open-incident").first.click()
        visited.wait_for("() => document.querySelectorAll('#course li').length === 4")
        take(visited, "tour-2-incident", tmp_path)
        sign_in(visited)
        page.get_by_label("Note, if any").fill("calling the airline")
        press(visited, "Acknowledge")
        visited.wait_for(SAYS, "handling", "Acknowledged by Ada")
        take(visited, "tour-3-acknowledged", tmp_path)
        page.get_by_role("link", name="See it on the charts").click()
        visited.wait_for(SAYS, "voices-window", "14:12")
        take(visited, "tour-4-charts", tmp_path)
        append(folder / "readings.jsonl", *build_readings())
        page.locator(".alert .like a").first.click()
        visited.page.wait_for_function(ALL_FOUND, timeout=120_000)
        take(visited, "tour-5-search", tmp_path)


def test_what_would_keep_somebody_out_is_found(browser: Browser, folder: Path) -> None:
    with serving(folder) as url, visit(browser, url, DESK) as visited:
        visited.page.evaluate("document.querySelector('.post-image img').removeAttribute('alt')")

        assert any("alt" in finding for finding in grave_findings(visited.page))
