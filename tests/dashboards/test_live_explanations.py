"""Facts about explanations on the live page: asked for by a post that it shows, and kept apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import get_ident
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from dashboards.live.app import build_app
from dashboards.live.explanations import ExplanationPage, Explanations
from dashboards.live.follower import Follower
from dashboards.live.headers import HEADERS
from schemas.records import Exemplar
from tests.dashboards.drawings import rendition
from tests.dashboards.run_folder import build_run_folder

POLICY = "default-src 'none'; img-src data:"


class Teller:
    """Tells which post and picture it was asked about, and keeps count."""

    def __init__(self) -> None:
        self.asked: list[tuple[Exemplar, bytes | None]] = []
        self.threads: set[int] = set()

    def __call__(self, post: Exemplar, picture: bytes | None) -> ExplanationPage:
        """A page that names the post."""
        self.asked.append((post, picture))
        self.threads.add(get_ident())
        return ExplanationPage(f"<p>because of {post.post_id}</p>", POLICY)


@pytest.fixture
def teller() -> Teller:
    return Teller()


@pytest.fixture
def app(tmp_path: Path, teller: Teller) -> Starlette:
    """A run folder read to its end, with somebody to ask."""
    app = build_app(Follower(build_run_folder(tmp_path)), explain=teller)
    while app.state.broadcast.feed.poll():
        pass
    return app


def get(app: Starlette, path: str) -> httpx.Response:
    """One answer of the application."""
    return get_all(app, [path])[0]


def get_all(app: Starlette, paths: list[str]) -> list[httpx.Response]:
    """Answers to requests that are made at once."""
    answers: dict[str, httpx.Response] = {}

    async def run() -> None:
        transport = httpx.ASGITransport(app=app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://page") as client,
            anyio.create_task_group() as tasks,
        ):
            for path in paths:
                tasks.start_soon(keep, client.get, path)

    async def keep(ask: Callable[[str], Awaitable[httpx.Response]], path: str) -> None:
        answers[path] = await ask(path)

    anyio.run(run)
    return [answers[path] for path in paths]


def path_of(post: Exemplar) -> str:
    """Where the page asks about a post."""
    return "/explanation?" + urlencode({"channel": post.channel, "post_id": post.post_id})


def evidence(app: Starlette) -> list[Exemplar]:
    """Posts behind the alerts."""
    return [post for alert in app.state.broadcast.state.alerts.values() for post in alert.evidence]


def test_posts_of_windows_and_of_alerts_are_explained(app: Starlette, teller: Teller) -> None:
    shown = [next(app.state.broadcast.state.windows.all_exemplars()), evidence(app)[0]]
    for post in shown:
        answer = get(app, path_of(post))

        assert answer.text == f"<p>because of {post.post_id}</p>"
        assert answer.headers["content-type"].startswith("text/html")
    assert [post for post, _ in teller.asked] == shown


def test_the_picture_comes_along(app: Starlette, teller: Teller) -> None:
    sha256, jpeg = rendition("cabin")
    post = next(post for post in evidence(app) if post.thumbnail == sha256)

    get(app, path_of(post))

    assert teller.asked == [(post, jpeg)]


def test_a_page_has_its_own_policy_and_all_other_headers(app: Starlette) -> None:
    headers = get(app, path_of(evidence(app)[0])).headers

    assert headers["content-security-policy"].startswith(POLICY)
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    others = {name: value for name, value in HEADERS.items() if "Content-Security" not in name}
    assert {name: headers[name] for name in others} == others


@pytest.mark.parametrize(
    "query", ["", "?channel=x&post_id=nobody", "?channel=..%2f..&post_id=etc%2fpasswd"]
)
def test_posts_that_the_page_does_not_show_are_not_explained(
    app: Starlette, teller: Teller, query: str
) -> None:
    assert get(app, f"/explanation{query}").status_code == 404
    assert teller.asked == []


def test_the_same_post_is_explained_once(app: Starlette, teller: Teller) -> None:
    path = path_of(evidence(app)[0])
    answers = {get(app, path).text for _ in range(3)}

    assert len(answers) == len(teller.asked) == 1


def test_explaining_does_not_hold_up_the_page(app: Starlette, teller: Teller) -> None:
    get_all(app, [path_of(post) for post in dict.fromkeys(evidence(app))])

    assert len(teller.asked) > 1
    assert get_ident() not in teller.threads


@pytest.mark.parametrize("offered", [True, False])
def test_the_page_is_told_whether_it_may_ask(tmp_path: Path, teller: Teller, offered: bool) -> None:
    app = build_app(Follower(build_run_folder(tmp_path)), explain=teller if offered else None)
    while app.state.broadcast.feed.poll():
        pass

    assert get(app, "/api/state").json()["explains"] is offered
    assert get(app, path_of(evidence(app)[0])).status_code == (200 if offered else 404)


def test_nobody_to_ask_is_an_error(app: Starlette, tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        anyio.run(Explanations(None, Follower(tmp_path).rendition).page, evidence(app)[0])
