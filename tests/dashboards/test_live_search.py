"""Facts about search on the live page: what may be asked, how often, and what comes back."""

from __future__ import annotations

from pathlib import Path
from threading import get_ident
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from dashboards.live import allowance
from dashboards.live.allowance import Allowance
from dashboards.live.app import build_app
from dashboards.live.explanations import ExplanationPage
from dashboards.live.follower import Follower
from dashboards.live.searches import (
    MAX_CHARACTERS,
    Answer,
    CannotSearchError,
    Found,
    Nearest,
    Searches,
)
from schemas.records import Exemplar
from tests.dashboards.incidents import at
from tests.dashboards.run_folder import build_run_folder
from tests.dashboards.story import EVIDENCE, exemplar

POST = exemplar(EVIDENCE[0], at(14), "found")
ANSWER = Answer(
    stage="ready",
    posts=3,
    nearest=(Nearest(by="text", found=(Found(post=POST, brands=("Nova",), similarity=0.5),)),),
)


class Finder:
    """Finds one post, keeps what it was asked, and closes."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.threads: set[int] = set()
        self.fails = False
        self.closed = False

    def words(self, words: str) -> Answer | None:
        """Nothing for a full stop, else always the same."""
        self._note(words)
        return None if words == "." else ANSWER

    def like(self, channel: str, post_id: str, shown: Exemplar | None) -> Answer | None:
        """The same for what is shown."""
        self._note((channel, post_id, shown))
        return ANSWER if shown else None

    def post(self, channel: str, post_id: str) -> Exemplar | None:
        """The one post."""
        return POST if (channel, post_id) == (POST.channel, POST.post_id) else None

    def close(self) -> None:
        """Takes note of it."""
        self.closed = True

    def _note(self, question: object) -> None:
        self.asked.append(question)
        self.threads.add(get_ident())
        if self.fails:
            raise CannotSearchError("the model is away")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture
def finder() -> Finder:
    return Finder()


@pytest.fixture
def app(folder: Path, finder: Finder) -> Starlette:
    return filled(folder, search=finder)


def filled(folder: Path, **offered: Any) -> Starlette:
    app = build_app(Follower(folder), **offered)
    while app.state.broadcast.feed.poll():
        pass
    return app


def ask(app: Starlette, client: str = "10.0.0.7", **asked: str) -> httpx.Response:
    """One question, as the page asks it."""
    return get(app, f"/api/search?{urlencode(asked)}", client)


def get(
    app: Starlette, path: str, client: str = "10.0.0.7", site: str = "same-origin"
) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as asker:
            return await asker.get(path, headers={"Sec-Fetch-Site": site})

    return anyio.run(run)


def test_words_are_answered_with_posts_their_brands_and_closeness(
    app: Starlette, finder: Finder
) -> None:
    answer = ask(app, words="  lost \n my\tbag ")

    assert finder.asked == ["lost my bag"]
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["stage"], told["posts"], told["waiting"]) == ("ready", 3, 0)
    [found] = told["nearest"][0]["found"]
    assert (found["brands"], found["similarity"]) == (["Nova"], 0.5)
    assert found["post"]["thumbnail"] == POST.thumbnail


def test_a_post_that_the_page_shows_is_handed_over(app: Starlette, finder: Finder) -> None:
    evidence = next(
        post for alert in app.state.broadcast.state.alerts.values() for post in alert.evidence
    )

    answer = ask(app, channel=evidence.channel, post_id=evidence.post_id)

    assert answer.status_code == 200
    assert finder.asked == [(evidence.channel, evidence.post_id, evidence)]


def test_a_post_that_nobody_knows_is_said_so(app: Starlette) -> None:
    answer = ask(app, channel="x", post_id="nobody")

    assert (answer.status_code, answer.text[:12]) == (404, "no such post")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "give words, or channel and post_id"),
        ({"channel": "x"}, "give words, or channel and post_id"),
        ({"words": " \n "}, "give some words"),
        ({"words": "."}, "say nothing"),
        ({"words": "a" * (MAX_CHARACTERS + 1)}, "more than 200 characters"),
    ],
)
def test_a_bad_question_is_answered_with_what_is_wrong(
    app: Starlette, asked: dict[str, str], why: str
) -> None:
    answer = ask(app, **asked)

    assert answer.status_code == 400
    assert why in answer.text


def test_what_is_too_long_reaches_nobody(app: Starlette, finder: Finder) -> None:
    ask(app, words="a" * (MAX_CHARACTERS + 1))
    ask(app, words="a" * MAX_CHARACTERS)

    assert finder.asked == ["a" * MAX_CHARACTERS]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_make_the_model_load(app: Starlette, finder: Finder, site: str) -> None:
    assert get(app, "/api/search?words=bag", site=site).status_code == 403
    assert finder.asked == []


def test_a_search_that_cannot_be_done_says_why(app: Starlette, finder: Finder) -> None:
    finder.fails = True
    answer = ask(app, words="bag")

    assert (answer.status_code, answer.text) == (503, "the model is away")


def test_one_client_may_ask_so_often_and_others_are_still_heard(
    app: Starlette, finder: Finder
) -> None:
    app.state.searches = Searches(finder, clock=lambda: 0.0)
    answers = [ask(app, words="bag") for _ in range(allowance.BURST + 5)]
    refused = [answer for answer in answers if answer.status_code == 429]

    assert len(refused) == 5
    assert refused[0].headers["retry-after"] == "1"
    assert "wait a moment" in refused[0].text
    assert ask(app, client="10.0.0.8", words="bag").status_code == 200
    assert len(finder.asked) == allowance.BURST + 1


def test_all_clients_together_may_ask_so_often() -> None:
    asking = Allowance(clock=lambda: 0.0)
    allowed = [asking.take(f"10.0.{n}") for n in range(allowance.BURST_OF_ALL + 10)]

    assert allowed.count(True) == allowance.BURST_OF_ALL


def test_what_was_used_up_comes_back_with_time() -> None:
    now = 0.0
    asking = Allowance(clock=lambda: now)
    while asking.take("a"):
        pass
    now = 1.0
    again = [asking.take("a") for _ in range(5)]
    now = 1_000.0

    assert again.count(True) == allowance.A_SECOND
    assert [asking.take("a") for _ in range(50)].count(True) == allowance.BURST


def test_searching_does_not_hold_up_the_page(app: Starlette, finder: Finder) -> None:
    ask(app, words="bag")

    assert get_ident() not in finder.threads


@pytest.mark.parametrize("offered", [True, False])
def test_the_page_is_told_whether_it_may_search(folder: Path, offered: bool) -> None:
    app = filled(folder, search=Finder() if offered else None)

    assert get(app, "/api/state").json()["searches"] is offered
    assert ask(app, words="bag").status_code == (200 if offered else 404)


def test_without_a_page_nobody_searches(folder: Path) -> None:
    app = filled(folder, search=Finder(), has_page=False)

    assert ask(app, words="bag").status_code == 404


def test_a_post_that_was_found_can_be_asked_why(folder: Path, finder: Finder) -> None:
    def explain(post: Exemplar, picture: bytes | None) -> ExplanationPage:
        return ExplanationPage(f"because of {post.post_id}", "default-src 'none'")

    app = filled(folder, search=finder, explain=explain)

    assert get(app, "/explanation?channel=x&post_id=found").text == "because of found"


def test_the_search_ends_with_the_application(app: Starlette, finder: Finder) -> None:
    async def run() -> None:
        async with app.router.lifespan_context(app):
            assert not finder.closed

    anyio.run(run)

    assert finder.closed
