from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from dashboards.live import stream
from dashboards.live.app import build_app
from dashboards.live.follower import Follower
from dashboards.live.headers import HEADERS, MAY_LISTEN
from schemas.metrics import METRICS
from tests.dashboards.drawings import rendition
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.run_folder import a_trend, append, build_run_folder
from tests.dashboards.story import Moment

T = TypeVar("T")
ASKED = {
    "/": "/",
    "/api/state": "/api/state",
    "/api/window": "/api/window?brand=Aerolume&start=1",
    "/api/topic": "/api/topic?brand=Aerolume&start=1&topic=smoke",
    "/api/turns": "/api/turns?alert=a4",
    "/api/search": "/api/search",
    "/api/card": "/api/card?model=synthetic-1",
    "/explanation": "/explanation",
    "/media/{sha256}.jpg": "/media/0.jpg",
    "/static": "/static/js/main.js",
    "/metrics": "/metrics",
    "/healthz": "/healthz",
}
NEXT = Moment(posts=30, valence=-0.4, image_share=0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run_folder(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def app(folder: Path) -> Starlette:
    return filled(folder)


def filled(folder: Path) -> Starlette:
    """The application of a folder, read to its end."""
    app = build_app(Follower(folder))
    while app.state.broadcast.feed.poll():
        pass
    return app


def ask(app: Starlette, use: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """What `use` returns when given a client of `app`."""

    async def run() -> T:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            return await use(client)

    return anyio.run(run)


def get(app: Starlette, path: str, **headers: str) -> httpx.Response:
    return ask(app, lambda client: client.get(path, headers=headers))


def events(app: Starlette, path: str, *, last_id: str = "") -> list[dict[str, Any]]:
    """The updates of one stream that ends once it has nothing more to say."""
    broadcast = app.state.broadcast
    headers = {"Last-Event-ID": last_id} if last_id else {}

    async def read(client: httpx.AsyncClient) -> str:
        async def end() -> None:
            await anyio.sleep(2 * stream.UPDATE_SECONDS)
            broadcast.close()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end)
            answer = await client.get(path, headers=headers)
        return answer.text

    text = ask(app, read)
    broadcast.closing = False
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


@pytest.mark.parametrize("path", [*ASKED.values(), "/nowhere"])
def test_every_answer_carries_the_security_headers(app: Starlette, path: str) -> None:
    answer = get(app, path)
    told = {name: answer.headers[name] for name in HEADERS}

    assert told == (HEADERS | MAY_LISTEN if path == "/" else HEADERS)


def test_every_route_is_among_those_asked_for_their_headers(app: Starlette) -> None:
    paths = {getattr(route, "path", "") for route in app.routes}

    assert paths == {*ASKED, "/events"}  # which test_live_server.py asks


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    policy = HEADERS["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_page_holds_no_inline_script_or_style(app: Starlette) -> None:
    page = get(app, "/").text

    assert "<script>" not in page
    assert "<style" not in page
    assert "style=" not in page


def test_every_file_that_the_page_names_is_served(app: Starlette) -> None:
    page = get(app, "/").text
    paths = [part.split('"')[0] for part in page.split('"/static/')[1:]]

    assert len(paths) > 10
    assert {get(app, f"/static/{path}").status_code for path in paths} == {200}


def test_a_rendition_is_served_for_ever(app: Starlette) -> None:
    sha256, jpeg = rendition("cabin")
    answer = get(app, f"/media/{sha256}.jpg")

    assert answer.content == jpeg
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "name",
    ["..%2fcounters.json", "a" * 63, "A" * 64, "g" * 64, "0" * 64, "..", "%2e%2e%2f%2e%2e%2fetc"],
)
def test_a_rendition_by_any_other_name_is_refused(app: Starlette, name: str) -> None:
    assert get(app, f"/media/{name}.jpg").status_code == 404


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/"])
def test_files_beside_the_static_ones_are_not_served(app: Starlette, path: str) -> None:
    assert get(app, path).status_code == 404


def test_a_foreign_host_name_is_refused(folder: Path) -> None:
    app = build_app(Follower(folder), allowed_hosts=("127.0.0.1", "localhost"))

    assert get(app, "/api/state", Host="evil.example").status_code == 400
    assert get(app, "/api/state", Host="127.0.0.1:8642").status_code == 200


def test_posts_of_a_window_are_found_by_its_start(app: Starlette) -> None:
    start = int(at(15).timestamp())
    posts = get(app, f"/api/window?brand=Aerolume&start={start}").json()

    assert [post["emotion"] for post in posts] == ["fear", "anger", "anger"]
    assert get(app, "/api/window?brand=Aerolume&start=1").json() == []
    assert get(app, "/api/window?brand=Aerolume&start=soon").status_code == 400


def test_posts_of_an_hour_are_found_by_its_start_and_length(app: Starlette) -> None:
    hour = f"/api/window?brand=Aerolume&start={int(at(15).timestamp())}"

    assert [post["emotion"] for post in get(app, f"{hour}&seconds=3600").json()]
    assert get(app, f"{hour}&seconds=86400").json() == []
    assert get(app, f"{hour}&seconds=long").status_code == 400


def test_a_stream_without_an_id_begins_with_everything(app: Starlette) -> None:
    first, *rest = events(app, "/events")

    assert first["reset"]
    assert first["id"] == app.state.broadcast.state.id
    assert rest == []


def test_a_stream_resumes_where_it_was_left_without_a_gap(tmp_path: Path) -> None:
    app = filled(build_run_folder(tmp_path))
    left_at = get(app, "/api/state").json()["id"]
    append(tmp_path / "trends.jsonl", a_trend("Aerolume", at(17), NEXT))
    append(tmp_path / "alerts.jsonl", an_alert("new", "Velora"))
    app.state.broadcast.feed.poll()

    by_query = events(app, f"/events?after={left_at}")
    by_header = events(app, "/events?after=older.1", last_id=left_at)

    assert by_query == by_header
    assert [row[3] for row in by_query[0]["windows"]] == [at(17).timestamp()]
    assert [alert["alert_id"] for alert in by_query[0]["alerts"]] == ["new"]
    assert not by_query[0]["reset"]


def test_many_changes_reach_a_browser_as_few_updates(tmp_path: Path) -> None:
    app = filled(build_run_folder(tmp_path))
    broadcast = app.state.broadcast
    left_at = broadcast.state.id

    async def read() -> list[str]:
        ids: list[str] = []

        async def listen() -> None:
            ids.extend([str(event.id) async for event in broadcast.events(left_at)])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            tasks.start_soon(broadcast.follow)
            for minute in range(40):
                append(tmp_path / "trends.jsonl", a_trend("Velora", at(17 + minute / 60), NEXT))
                await anyio.sleep(0.02)
            await anyio.sleep(2 * stream.UPDATE_SECONDS)
            broadcast.close()
            await anyio.sleep(2 * stream.UPDATE_SECONDS)
            tasks.cancel_scope.cancel()
        return ids

    began = time.monotonic()
    ids = anyio.run(read)

    assert 1 <= len(ids) <= 2 + (time.monotonic() - began) / stream.UPDATE_SECONDS
    assert ids[-1] == broadcast.state.id


def test_metrics_carry_declared_names_and_labels_only(app: Starlette) -> None:
    declared = {metric.name: set(metric.labels) for metric in METRICS}
    families = list(text_string_to_metric_families(get(app, "/metrics").text))
    samples = [sample for family in families for sample in family.samples]

    assert samples
    for sample in samples:
        assert set(sample.labels) == declared[sample.name], sample.name


def test_metrics_say_how_the_newest_settled_window_feels(app: Starlette) -> None:
    lines = get(app, "/metrics").text.splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    newest = app.state.broadcast.state.windows.newest_settled("Aerolume")

    assert float(values['moodwire_brand_valence{brand="Aerolume"}']) == newest.valence
    assert float(values['moodwire_brand_posts{brand="Aerolume"}']) == newest.posts
    assert (
        values['moodwire_alert_severity{brand="Aerolume",kind="image_led_crisis"}'],
        values['moodwire_alert_severity{brand="Nordbrew",kind="negativity_surge"}'],
        values["moodwire_posts_read_total"],
    ) == ("9.0", "0.0", "48112.0")
    assert newest.timing != "early"


def test_metrics_tell_the_runs_own_gauges(app: Starlette) -> None:
    text = get(app, "/metrics").text
    drift = 'measure="psi",model="synthetic-1",statistic="valence"'

    assert "# TYPE moodwire_kafka_lag_records gauge" in text
    assert "moodwire_kafka_lag_records 17.0" in text
    assert f"moodwire_drift_millionths{{{drift}}} 41250.0" in text


def test_metrics_of_an_empty_folder_are_well_formed(tmp_path: Path) -> None:
    text = get(build_app(Follower(tmp_path)), "/metrics").text

    assert list(text_string_to_metric_families(text))
