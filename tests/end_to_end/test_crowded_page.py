"""The live page with more to show than fits: words without end, and forty brands."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.run_folder import a_trend, append
from tests.dashboards.story import Moment
from tests.end_to_end.browser import DESK, PHONE, WIDTHS, Look, visit

# The right edge of what stands farthest right among what an alert and the chosen brand say.
FARTHEST = """() => Math.max(...[...document.querySelectorAll('h2, h3, .terms li, .alert-meta')]
  .filter((part) => part.checkVisibility()).map((part) => part.getBoundingClientRect().right))"""
IN_SIGHT = """([name]) => {
  const { left, right } = document.querySelector(`[data-key="${name}"]`).getBoundingClientRect();
  return left >= 0 && right <= innerWidth;
}"""
WORSE = Moment(posts=240, valence=-0.8, image_share=0.6)


@pytest.mark.parametrize("look", [DESK, PHONE], ids=str)
@pytest.mark.parametrize("link", ["", "#alert=endless"])
def test_a_word_without_end_is_broken(
    browser: Browser, tmp_path: Path, look: Look, link: str
) -> None:
    endless = "Donaudampfschifffahrt" * 8
    append(tmp_path / "trends.jsonl", a_trend(endless, at(16.5), WORSE))
    append(tmp_path / "alerts.jsonl", an_alert("endless", endless, severity=10, terms=(endless,)))
    with (
        BackgroundServer(Follower(tmp_path), port=0) as server,
        visit(browser, f"{server.url}{link}", look) as visited,
    ):
        visited.page.locator(".terms li:visible", has_text=endless).wait_for()
        widths = visited.page.evaluate(WIDTHS)
        right = visited.page.evaluate(FARTHEST)

    assert widths[0] <= widths[1] and right <= look.width


def test_of_forty_brands_the_chosen_one_is_in_sight(browser: Browser, tmp_path: Path) -> None:
    names = [f"Brand {number:02}" for number in range(40)]
    append(tmp_path / "trends.jsonl", *(a_trend(name, at(16.5), WORSE) for name in names))
    append(tmp_path / "alerts.jsonl", an_alert("worst", names[30], severity=10))
    with (
        BackgroundServer(Follower(tmp_path), port=0) as server,
        visit(browser, server.url, DESK) as visited,
    ):
        visited.page.locator("[aria-checked=true]", has_text=names[30]).wait_for()
        visited.wait_for(IN_SIGHT, names[30])
        visited.page.evaluate(f"location.hash = 'brand={names[2]}'")
        visited.wait_for(IN_SIGHT, names[2])
