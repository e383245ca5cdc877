"""Hours and days on the live page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from tests.dashboards.incidents import at
from tests.dashboards.run_folder import build_run_folder
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import DESK, PAINTED, visit


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = build_run_folder(tmp_path_factory.mktemp("run"))
    with BackgroundServer(Follower(folder), port=0) as server:
        yield server.url


def test_hours_and_days_are_drawn_where_minutes_were(browser: Browser, url: str) -> None:
    label = "([text]) => document.querySelector('#window-label').textContent.includes(text)"
    shown = "([text]) => document.querySelector('#voices-window').textContent === text"
    with visit(browser, url, DESK) as visited:
        choice = visited.page.get_by_role("group", name="Windows drawn")
        choice.get_by_role("button", name="Hours", exact=True).click()
        visited.wait_for(label, "23 Nov, 15:00–16:00 UTC")
        visited.wait_for(shown, "23 Nov, 15:00–16:00 UTC")
        visited.page.get_by_role("button", name="1 d", exact=True).click()
        assert visited.page.locator("#figures div", has_text="Posts").first.is_visible()
        assert min(visited.page.evaluate(PAINTED)) > 1_000
        choice.get_by_role("button", name="Days", exact=True).click()
        visited.wait_for(label, "Sun, 22 Nov 2026 UTC · final")
        assert visited.page.url.endswith("&by=86400")
        assert grave_findings(visited.page) == []
        choice.get_by_role("button", name="Minutes", exact=True).click()
        visited.wait_for(label, "16:30–16:35 UTC")
        assert visited.complaints == []


def test_a_link_to_an_hour_shows_that_hour(browser: Browser, url: str) -> None:
    address = f"{url}#brand=Velora&at={at(14):%Y-%m-%dT%H:%M:%SZ}&by=3600"
    with visit(browser, address, DESK) as visited:
        label = "([text]) => document.querySelector('#window-label').textContent.startsWith(text)"
        visited.wait_for(label, "23 Nov, 14:00–15:00 UTC")
        pressed = visited.page.locator(".segmented [aria-pressed=true]", has_text="Hours")
        assert pressed.is_visible()
        link = visited.page.get_by_role("link", name="Link to this moment")
        assert (link.get_attribute("href") or "").endswith("&by=3600")


def test_a_run_without_roll_ups_offers_minutes_alone(browser: Browser, tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path / "run")
    (folder / "rollups.jsonl").unlink()
    with (
        BackgroundServer(Follower(folder), port=0) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        visited.wait_for("() => document.querySelectorAll('.brand').length > 0")
        assert visited.page.get_by_role("group", name="Windows drawn").count() == 0
        assert visited.page.get_by_role("group", name="Time shown").is_visible()
