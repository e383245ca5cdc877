"""Facts about acting on the page: who may, from where, how often, and what then is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest
from starlette.applications import Starlette

from dashboards.live.actions import MAX_BODY_BYTES, Actions
from dashboards.live.app import build_app
from dashboards.live.follower import Follower
from dashboards.live.headers import HEADERS
from schemas.records import AlertFeedback, decode
from tests.dashboards.run_folder import build_run_folder

TOKEN = "0123456789abcdef-token"
FROM_PAGE = {"Sec-Fetch-Site": "same-origin", "Authorization": f"Bearer {TOKEN}"}
ACKNOWLEDGE = {"alert_id": "a4", "action": "acknowledge", "by": "Ada"}


class Desk:
    """Keeps what is written, or fails as a full disk does; its clock stands until it is moved."""

    def __init__(self) -> None:
        self.written: list[AlertFeedback] = []
        self.error: OSError | None = None
        self.now = 0.0

    def write(self, feedback: AlertFeedback) -> None:
        """Keep it."""
        if self.error is not None:
            raise self.error
        self.written.append(feedback)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def app(folder: Path, desk: Desk) -> Starlette:
    return filled(folder, Actions(TOKEN, desk.write, clock=lambda: desk.now))


def filled(folder: Path, actions: Actions | None) -> Starlette:
    app = build_app(Follower(folder), actions=actions)
    while app.state.broadcast.feed.poll():
        pass
    return app


def post(
    app: Starlette,
    asked: Mapping[str, Any] | bytes = ACKNOWLEDGE,
    headers: Mapping[str, str] = FROM_PAGE,
    client: str = "10.0.0.7",
) -> httpx.Response:
    """One request, by default just as the page sends it."""
    body = asked if isinstance(asked, bytes) else msgspec.json.encode(asked)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(client, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as asker:
            kind = {"Content-Type": "application/json"}
            return await asker.post("/api/feedback", content=body, headers={**kind, **headers})

    return anyio.run(run)


def without(name: str, **instead: str) -> dict[str, str]:
    return {key: value for key, value in FROM_PAGE.items() if key != name} | instead


def test_what_a_person_does_is_written_and_answered(app: Starlette, desk: Desk) -> None:
    answer = post(app, {**ACKNOWLEDGE, "note": "on it"})

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert desk.written == [decode(answer.content, AlertFeedback)]
    assert (desk.written[0].by, desk.written[0].note) == ("Ada", "on it")


def test_a_snooze_lasts_as_long_as_was_asked_for(app: Starlette, desk: Desk) -> None:
    post(app, {**ACKNOWLEDGE, "action": "snooze", "minutes": 90})

    [snooze] = desk.written
    assert snooze.until is not None
    assert (snooze.until - snooze.at).total_seconds() == 90 * 60


def test_without_a_token_there_is_nothing_to_act_with(folder: Path) -> None:
    app = filled(folder, None)

    assert post(app).status_code == 404
    assert app.state.broadcast.state.changes().acts is False


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"],
)
def test_whoever_does_not_show_the_token_is_refused(
    app: Starlette, desk: Desk, authorization: str
) -> None:
    headers = without("Authorization")
    shown = {"Authorization": authorization} if authorization else {}
    answer = post(app, headers=headers | shown)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert desk.written == []


@pytest.mark.parametrize(
    "headers",
    [
        without("Sec-Fetch-Site", **{"Sec-Fetch-Site": "cross-site"}),
        without("Sec-Fetch-Site", **{"Sec-Fetch-Site": "same-site"}),
        without("Sec-Fetch-Site", **{"Sec-Fetch-Site": "none"}),
        without("Sec-Fetch-Site", Origin="http://evil.example"),
        without("Sec-Fetch-Site", Origin="null"),
        without("Sec-Fetch-Site", Origin="http://page.evil.example"),
        without("Sec-Fetch-Site"),
    ],
)
def test_another_site_is_refused_even_with_the_token(
    app: Starlette, desk: Desk, headers: dict[str, str]
) -> None:
    assert post(app, headers=headers).status_code == 403
    assert desk.written == []


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(app: Starlette) -> None:
    assert post(app, headers=without("Sec-Fetch-Site", Origin="http://page")).status_code == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_of_another_site_cannot_be_json(app: Starlette, kind: str) -> None:
    assert post(app, headers={**FROM_PAGE, "Content-Type": kind}).status_code == 415


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({**ACKNOWLEDGE, "alert_id": "nobody"}, 404),
        ({**ACKNOWLEDGE, "action": "shout"}, 400),
        ({**ACKNOWLEDGE, "by": ""}, 400),
        ({**ACKNOWLEDGE, "by": "A\u001bda"}, 400),
        ({**ACKNOWLEDGE, "minutes": 5}, 400),
        ({**ACKNOWLEDGE, "action": "snooze"}, 400),
        ({**ACKNOWLEDGE, "action": "snooze", "minutes": 7 * 24 * 60 + 1}, 400),
        ({**ACKNOWLEDGE, "action": "verdict"}, 400),
        ({**ACKNOWLEDGE, "action": "verdict", "verdict": "perhaps"}, 400),
        ({**ACKNOWLEDGE, "at": "2020-01-01T00:00:00Z"}, 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b"x" * (MAX_BODY_BYTES + 1), 413),
    ],
)
def test_what_cannot_be_done_is_refused(
    app: Starlette, desk: Desk, asked: Mapping[str, Any] | bytes, status: int
) -> None:
    assert post(app, asked).status_code == status
    assert desk.written == []


def test_who_guesses_too_often_is_not_heard_for_a_minute(app: Starlette, desk: Desk) -> None:
    wrong = {**FROM_PAGE, "Authorization": "Bearer a-wrong-token-of-some-length"}
    statuses = [post(app, headers=wrong).status_code for _ in range(6)]

    assert statuses == [401] * 5 + [429]
    locked = post(app)
    assert (locked.status_code, locked.headers["retry-after"]) == (429, "60")
    assert post(app, client="10.0.0.8").status_code == 201
    desk.now = 61.0
    assert post(app).status_code == 201


def test_who_takes_many_names_is_not_heard_either(app: Starlette, desk: Desk) -> None:
    wrong = {**FROM_PAGE, "Authorization": "Bearer a-wrong-token-of-some-length"}
    for number in range(25):
        for _ in range(4):
            post(app, headers=wrong, client=f"10.1.0.{number}")

    assert post(app).status_code == 429
    desk.now = 61.0
    assert post(app).status_code == 201


def test_a_request_without_a_token_is_no_guess(app: Starlette) -> None:
    for _ in range(10):
        post(app, headers=without("Authorization"))

    assert post(app).status_code == 201


def test_what_cannot_be_kept_is_said(
    app: Starlette, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.error = OSError("disk full")
    answer = post(app)

    assert answer.status_code == 503
    assert "disk full" not in answer.text
    assert "disk full" in caplog.text


def every_answer(app: Starlette, desk: Desk) -> list[httpx.Response]:
    """A 201, and each refusal."""
    wrong = {**FROM_PAGE, "Authorization": f"Bearer {TOKEN}-wrong"}
    answers = [
        post(app),
        post(app, b"{"),
        post(app, {**ACKNOWLEDGE, "alert_id": "nobody"}),
        post(app, headers=without("Authorization")),
        post(app, headers=without("Sec-Fetch-Site")),
        post(app, headers={**FROM_PAGE, "Content-Type": "text/plain"}),
        post(app, b"x" * (MAX_BODY_BYTES + 1)),
        *(post(app, headers=wrong) for _ in range(6)),
    ]
    desk.error = OSError("full")
    return [*answers, post(app, client="10.0.0.9")]


def test_every_answer_carries_the_security_headers(app: Starlette, desk: Desk) -> None:
    answers = every_answer(app, desk)

    assert {answer.status_code for answer in answers} == {
        *(201, 400, 401, 403, 404, 413, 415, 429, 503)
    }
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_the_token_is_in_no_log_and_no_answer(
    app: Starlette, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = every_answer(app, desk)

    assert TOKEN not in caplog.text
    assert not [answer for answer in answers if TOKEN in f"{answer.headers} {answer.text}"]
    assert TOKEN not in repr(vars(app.state.actions))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_a_post_acts(app: Starlette, desk: Desk, method: str) -> None:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as asker:
            return await asker.request(method, "/api/feedback", headers=FROM_PAGE)

    answer = anyio.run(run)

    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers
    assert desk.written == []


def test_the_course_of_an_alert_is_told(app: Starlette) -> None:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as asker:
            return await asker.get("/api/turns?alert=a4")

    assert [turn["severity"] for turn in anyio.run(run).json()] == [6, 8, 9]
