"""Data quality and the model card in a real browser: reached by keyboard, honest, and only text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from models.model_cards import SHIPPED_CARDS
from tests.dashboards.run_folder import build_counters, build_run_folder, write_counters
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import (
    DESK,
    FOCUSED,
    LOOKS,
    PHONE,
    WIDTHS,
    Look,
    Visit,
    visit,
)
from tests.end_to_end.screenshots import take

MODEL = "synthetic-1"  # of the invented day
SHIPPED = (SHIPPED_CARDS / "moodwire-base.md").read_text("utf-8")
CARD = SHIPPED.replace("# moodwire-base-2026.11.1", f"# {MODEL}")
EVIL = f"# {MODEL}\n\n<script>document.title = 'taken'</script>\n\n<b onclick=alert(1)>bold</b>\n"
BARS = "() => document.querySelectorAll('#quality-parts .bars li').length > 0"
CARD_IS_THERE = "() => document.querySelector('#card h3') !== null"
NO_CARD = "() => document.getElementById('card-state').textContent.startsWith('There is no card')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder, CARD) as server:
        yield server.url


def serving(folder: Path, *cards: str) -> BackgroundServer:
    return BackgroundServer(Follower(folder), port=0, cards=lambda: cards)


def bars(visited: Visit, title: str) -> dict[str, str]:
    """Name of each bar under a heading, and what it tells."""
    part = visited.page.locator(".quality-part", has=visited.page.get_by_text(title, exact=True))
    rows = part.locator("li")
    return {
        rows.nth(n).locator(".bar-name").inner_text(): " ".join(
            rows.nth(n).locator(f".bar-{of}").inner_text() for of in ("count", "share")
        ).strip()
        for n in range(rows.count())
    }


def says(visited: Visit, element: str) -> str:
    return visited.page.locator(f"#{element}").inner_text().replace("\u00a0", " ")


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_both_views_are_reached_by_keyboard_and_left_again(
    browser: Browser, url: str, look: Look
) -> None:
    with visit(browser, url, look) as visited:
        page = visited.page
        for _ in range(2):  # the first stop skips to the charts
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        visited.wait_for(BARS)
        assert page.url.endswith("#quality")
        assert page.evaluate(FOCUSED) == "quality-view"
        assert page.locator("[aria-current=page]").inner_text() == "Data quality"
        page.get_by_role("link", name="Model", exact=True).focus()
        page.keyboard.press("Enter")
        visited.wait_for(CARD_IS_THERE)

        assert page.url.endswith("#model")
        assert page.evaluate(FOCUSED) == "model-view"
        assert page.locator("[aria-current=page]").inner_text() == "Model"
        assert not page.locator("#quality-view").is_visible()
        page.locator("#model-back").click()
        visited.wait_for("() => document.getElementById('model-view').hidden")
        assert page.locator("#mood").is_visible()
        assert page.locator("[aria-current=page]").count() == 0
        assert visited.complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_nobody_is_kept_out(browser: Browser, url: str, look: Look, tmp_path: Path) -> None:
    for view, there in (("quality", BARS), ("model", CARD_IS_THERE), ("model=other", NO_CARD)):
        with visit(browser, f"{url}#{view}", look) as visited:
            visited.wait_for(there)
            width, screen = visited.page.evaluate(WIDTHS)

            assert grave_findings(visited.page) == []
            assert width <= screen
            assert visited.hosts == {"127.0.0.1"}
            assert visited.complaints == []


def test_bars_tell_what_became_of_the_posts(browser: Browser, url: str) -> None:
    with visit(browser, f"{url}#quality", DESK) as visited:
        visited.wait_for(BARS)
        lead = says(visited, "quality-lead")
        widths = visited.page.locator("#quality-parts li .flow-bar span").evaluate_all(
            "all => all.slice(0, 3).map(bar => bar.offsetWidth)"
        )

        assert lead == "46,338 of 48,112 posts became readings, 96 %. 308 were refused."
        assert bars(visited, "What became of the posts") == {
            "Taken in": "48,112 100 %",
            "Accepted and read": "46,338 96 %",
            "Duplicates dropped": "733 2 %",
            "Refused": "308 1 %",
            "Still on their way": "733 2 %",
        }
        assert widths[0] > widths[1] > widths[2] > 0
        assert bars(visited, "Expectations that failed") == {"Lang is known": "12 < 1 %"}
        assert bars(visited, "Late, unsure, or of no brand") == {
            "The model was not sure (last hour)": "4 %",
            "Named no watched brand": "1,204 3 %",
            "Too late for any window": "96 < 1 %",
            "Image not used: too large": "41 < 1 %",
        }
        assert bars(visited, "Languages in the last hour") == {
            "English": "71 %",
            "German": "18 %",
            "Spanish": "11 %",
        }


def test_what_was_refused_comes_with_the_command_that_shows_it(
    browser: Browser, folder: Path, url: str, run_command: Callable[..., str]
) -> None:
    with visit(browser, url, PHONE) as visited:
        visited.page.get_by_role("link", name="What was refused, and why").click()
        visited.wait_for(BARS)
        first = visited.page.locator("#quality-parts li code").first.inner_text()

        assert bars(visited, "Refused, by cause and stage")["Not json · decode"] == "187 61 %"
        assert first == "moodwire dead-letters list out --stage decode --cause not_json"
        assert "3 dead letters" in run_command(first, folder)


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command that the page shows prints, of a folder in the place of `out`."""
    from pipelines.command_line import main

    def run(command: str, folder: Path) -> str:
        words = command.replace(" out ", f" {folder} ").split()[1:]
        assert main(words) == 0
        return capsys.readouterr().out

    return run


def test_a_run_that_refused_nothing_says_so(browser: Browser, tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path)
    (folder / "dead-letters.jsonl").unlink()
    counts = build_counters(running=False)
    lost = ("dead_letters", "expectation", "duplicates", "media_faults")
    kept = {name: count for name, count in counts.items() if not any(s in name for s in lost)}
    write_counters(folder, {**kept, "moodwire_posts_read_total": 46_338})
    with serving(folder) as server, visit(browser, f"{server.url}#quality", DESK) as visited:
        visited.wait_for(BARS)

        lead = says(visited, "quality-lead")
        assert lead == "46,338 of 46,338 posts became readings, 100 %. Nothing was refused."
        assert visited.page.get_by_text("Nothing refused: every post could be read.").is_visible()
        assert visited.page.get_by_text("met every expectation").is_visible()
        assert visited.page.locator("#quality-parts code:visible").count() == 0
        assert "Not accounted for" not in bars(visited, "What became of the posts")


def test_posts_that_an_ended_run_lost_are_not_hidden(browser: Browser, tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path, running=False)
    with serving(folder) as server, visit(browser, f"{server.url}#quality", DESK) as visited:
        visited.wait_for(BARS)

        assert bars(visited, "What became of the posts")["Not accounted for"] == "733 2 %"


def test_a_card_is_shown_with_tables_that_a_phone_can_scroll(browser: Browser, url: str) -> None:
    with visit(browser, f"{url}#model", PHONE) as visited:
        visited.wait_for(CARD_IS_THERE)
        wide = visited.page.locator("#card .wide").nth(3)
        wide.focus()
        wide.press("ArrowRight")
        visited.wait_for("() => document.querySelectorAll('#card .wide')[3].scrollLeft > 0")

        lead = says(visited, "model-lead")
        assert lead == f"{MODEL} reads the posts. It made 46,338 readings of this run."
        assert visited.page.locator("#card h3").inner_text() == MODEL
        assert "written by" not in says(visited, "card")


def test_scripts_in_a_card_stay_text(browser: Browser, folder: Path) -> None:
    with serving(folder, EVIL) as server, visit(browser, f"{server.url}#model", DESK) as visited:
        visited.wait_for(CARD_IS_THERE)

        assert "<script>document.title = 'taken'</script>" in says(visited, "card")
        assert visited.page.locator("#card :is(script, b)").count() == 0
        assert visited.page.title() == "Moodwire demo"
        assert visited.complaints == []


def test_the_card_of_another_model_is_not_shown_but_named(browser: Browser, folder: Path) -> None:
    with (
        serving(folder, SHIPPED) as server,
        visit(browser, f"{server.url}#model", DESK) as visited,
    ):
        visited.wait_for(NO_CARD)

        told = says(visited, "card-state")
        assert "tell of other models: moodwire-base-2026.11.1" in told
        assert "docs/models.md" in told
        assert visited.page.locator("#card *").count() == 0


def test_of_two_models_each_has_an_address_of_its_own(browser: Browser, tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path)
    earlier = {'moodwire_readings_total{channel="x",model="older"}': 46_338}
    write_counters(folder, {**build_counters(), **earlier})
    with serving(folder, CARD) as server, visit(browser, f"{server.url}#model", DESK) as visited:
        visited.wait_for(CARD_IS_THERE)
        assert visited.page.locator("#readers").inner_text().count("50 %") == 2
        visited.page.get_by_role("link", name="older").click()
        visited.wait_for(NO_CARD)

        assert visited.page.url.endswith("#model=older")
        assert f"older is not the model that reads now, which is {MODEL}" in says(
            visited, "model-lead"
        )


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_screenshots(browser: Browser, url: str, folder: Path, tmp_path: Path, look: Look) -> None:
    write_counters(folder, build_counters())  # as a run that goes on does
    for view, there in (("quality", BARS), ("model", CARD_IS_THERE)):
        with visit(browser, f"{url}#{view}", look) as visited:
            visited.wait_for(there)
            take(visited, f"{view}-{look}", tmp_path)
