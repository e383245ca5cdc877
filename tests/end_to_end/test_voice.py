"""Voice in a real browser: the button is there only where speech can be understood on the device.

No browser here has a language pack or can get one. What it then does is tested as it is, and so is
a browser that cannot recognise on the device at all. What follows once a pack is there is tested
with a stand-in for the browser's recogniser, which is the one thing that cannot be started here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.dashboards.run_folder import build_run_folder
from tests.end_to_end.accessibility import grave_findings
from tests.end_to_end.browser import (
    DESK,
    FLAGS,
    FOCUSED,
    LOOKS,
    SAYS,
    Look,
    Visit,
    find_browser,
    visit,
)
from tests.end_to_end.searching import serving_search

CANNOT_ON_DEVICE = "--disable-features=OnDeviceWebSpeechAvailable"
HAS_RECOGNISER = """() =>
  [typeof SpeechRecognition, 'processLocally' in SpeechRecognition.prototype]"""
# As the Web Speech API has it; `hears` and `fails` do what the microphone would.
STAND_IN = """(() => {
  class Recogniser extends EventTarget {
    #local = false;
    #phrases = [];
    static started = [];
    static async available({ langs, processLocally }) {
      return langs.length === 1 && processLocally ? 'STATE' : 'unavailable';
    }
    static async install({ langs, processLocally }) {
      return langs.length === 1 && processLocally;
    }
    get processLocally() { return this.#local; }
    set processLocally(local) { this.#local = local; }
    get phrases() { return this.#phrases; }
    set phrases(phrases) { this.#phrases = phrases; }
    start() {
      Recogniser.started.push({ local: this.#local, phrases: this.#phrases.map((p) => p.phrase) });
      window.running = this;
      queueMicrotask(() => this.dispatchEvent(new Event('start')));
    }
    stop() { this.dispatchEvent(new Event('end')); }
    abort() { window.aborted = true; window.fails('aborted'); }
  }
  const tell = (running, type, extra = {}) =>
    running.dispatchEvent(Object.assign(new Event(type), extra));
  window.SpeechRecognition = Recogniser;
  window.hears = (isFinal, ...texts) => {
    const result = Object.assign(texts.map((transcript) => ({ transcript })), { isFinal });
    const { running } = window;
    tell(running, 'result', { results: [result] });
    if (isFinal) tell(running, 'end');
  };
  window.fails = (error) => {
    const { running } = window;
    tell(running, 'error', { error });
    tell(running, 'end');
  };
})()"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_search(build_run_folder(tmp_path_factory.mktemp("run"))) as served:
        yield served


def with_recogniser(visited: Visit, state: str = "available") -> None:
    """Open the page again in a browser that has a recogniser, and the bar in it."""
    visited.page.add_init_script(STAND_IN.replace("STATE", state))
    visited.page.reload()
    visited.page.wait_for_selector(".alert")
    visited.page.keyboard.press("Control+k")


def listen(visited: Visit) -> None:
    visited.page.locator("#listen").click()
    visited.wait_for(SAYS, "command-state", "Listening")


@pytest.fixture
def seen(browser: Browser, url: str) -> Iterator[Visit]:
    with visit(browser, url, DESK) as visited:
        with_recogniser(visited)
        yield visited
        assert visited.hosts == {"127.0.0.1"}
        assert visited.complaints == []


def hear(visited: Visit, *texts: str, final: bool = True) -> None:
    visited.page.evaluate("([final, texts]) => hears(final, ...texts)", [final, list(texts)])


def test_a_browser_that_would_send_speech_away_gets_no_button(browser: Browser, url: str) -> None:
    args = [*FLAGS, CANNOT_ON_DEVICE]
    sender = browser.browser_type.launch(executable_path=find_browser(), args=args)
    with visit(sender, url, DESK) as visited:
        assert visited.page.evaluate(HAS_RECOGNISER) == ["function", False]
        visited.page.keyboard.press("Control+k")
        assert not visited.page.locator("#listen").is_visible()
        assert visited.complaints == []
    sender.close()


def test_a_pack_is_asked_for_first_and_what_cannot_be_got_is_said(
    browser: Browser, url: str
) -> None:
    with visit(browser, url, DESK) as visited:
        visited.page.keyboard.press("Control+k")
        visited.page.locator("#listen").click()
        visited.wait_for(SAYS, "command-state", "press again to let it get one")
        visited.page.locator("#listen").click()
        visited.wait_for(SAYS, "command-state", "Not available")
        assert visited.hosts == {"127.0.0.1"}
        assert visited.complaints == []


def test_a_recogniser_that_cannot_on_this_device_is_not_offered(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        with_recogniser(visited, "unavailable")
        assert not visited.page.locator("#listen").is_visible()


def test_once_a_pack_is_there_it_listens(browser: Browser, url: str) -> None:
    with visit(browser, url, DESK) as visited:
        with_recogniser(visited, "downloadable")
        visited.page.locator("#listen").click()
        assert visited.page.evaluate("() => SpeechRecognition.started") == []
        listen(visited)
        hear(visited, "Show me Velora")
        visited.wait_for("() => location.hash === '#brand=Velora'")


def test_the_page_may_listen_and_nobody_in_it(browser: Browser, url: str) -> None:
    allowed = "() => document.featurePolicy.getAllowlistForFeature('microphone')"
    with visit(browser, url, DESK) as visited:
        assert visited.page.evaluate(allowed) == [url.rstrip("/")]


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("Show me Nordbrew.", "#brand=Nordbrew"),
        ("Open the worst alert, please.", "#alert=a4"),
        ("Search for smoke in the cabin.", "#search=smoke%20in%20the%20cabin"),
    ],
)
def test_what_was_heard_is_done_on_the_device(seen: Visit, said: str, address: str) -> None:
    listen(seen)
    hear(seen, said)
    seen.wait_for("([address]) => location.hash === address", address)
    (started,) = seen.page.evaluate("() => SpeechRecognition.started")

    assert started["local"] is True
    assert "Aerolume" in started["phrases"]
    assert not seen.page.locator("#command-bar").is_visible()


def test_go_back_is_heard_too(seen: Visit) -> None:
    seen.page.evaluate("() => { location.hash = '#quality'; }")
    listen(seen)
    hear(seen, "Go back.")
    seen.wait_for("() => !document.body.dataset.alone")


def test_words_show_while_they_are_spoken(seen: Visit) -> None:
    listen(seen)
    hear(seen, "show me nord", final=False)

    assert seen.page.locator("#command").input_value() == "show me nord"
    assert seen.page.locator("#command-state").text_content() == "Heard so far: “show me nord”"
    assert seen.page.locator("#listen").get_attribute("aria-pressed") == "true"
    first = seen.page.locator("#commands [role=option]").first
    assert first.get_attribute("data-key") == "#brand=Nordbrew"


def test_the_likeliest_of_what_may_have_been_said_is_taken(seen: Visit) -> None:
    listen(seen)
    hear(seen, "the floor are", "velora", "fell or a")
    seen.wait_for("() => location.hash === '#brand=Velora'")


def test_what_is_not_understood_is_asked_again(seen: Visit) -> None:
    listen(seen)
    hear(seen, "umbrella stand")

    state = seen.page.locator("#command-state").text_content() or ""
    assert state.startswith("Not understood: “umbrella stand”")
    assert seen.page.locator("#command-bar").is_visible()
    assert seen.page.locator("#listen").get_attribute("aria-pressed") == "false"
    listen(seen)
    hear(seen, "data quality")
    seen.wait_for("() => location.hash === '#quality'")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("not-allowed", "No permission"),
        ("audio-capture", "No microphone"),
        ("no-speech", "Nothing was heard"),
        ("language-not-supported", "Not available"),
        ("service-not-allowed", "Not available"),
        ("network", "Not available"),
    ],
)
def test_why_nothing_is_heard_is_said(seen: Visit, error: str, why: str) -> None:
    listen(seen)
    seen.page.evaluate("(error) => fails(error)", error)

    assert why in (seen.page.locator("#command-state").text_content() or "")
    assert seen.page.locator("#listen").get_attribute("aria-pressed") == "false"


def test_a_recogniser_that_takes_no_names_is_asked_without(seen: Visit) -> None:
    listen(seen)
    seen.page.evaluate("() => fails('phrases-not-supported')")
    seen.wait_for("() => SpeechRecognition.started.length === 2")
    seen.wait_for(SAYS, "command-state", "Listening")

    assert seen.page.evaluate("() => SpeechRecognition.started[1].phrases") == []


def test_closing_the_bar_closes_the_microphone(seen: Visit) -> None:
    listen(seen)
    seen.page.keyboard.press("Escape")
    seen.wait_for("() => window.aborted")
    hear(seen, "show me nordbrew")

    assert seen.page.evaluate("() => location.hash") == ""
    assert seen.page.evaluate(FOCUSED) != "command"


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_everybody_can_use_it_at_any_width(browser: Browser, url: str, look: Look) -> None:
    with visit(browser, url, look) as visited:
        with_recogniser(visited)
        listen(visited)
        hear(visited, "show me", final=False)

        assert visited.page.locator("#command-state").get_attribute("role") == "status"
        assert grave_findings(visited.page) == []
