"""The live page as an ASGI application: page, snapshot, events, media, metrics."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboards.live.actions import Actions
from dashboards.live.cards import ReadCards, card_of
from dashboards.live.explanations import ALWAYS, Explain, Explanations
from dashboards.live.exposition import negotiated
from dashboards.live.headers import MAY_LISTEN, guards
from dashboards.live.searches import Search, Searches
from dashboards.live.state import State
from dashboards.live.stream import HEARTBEAT_SECONDS, Broadcast, Feed, heartbeat

STATIC = Path(__file__).parent / "static"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def build_app(
    feed: Feed,
    allowed_hosts: Sequence[str] = ("*",),
    *,
    has_page: bool = True,
    explain: Explain | None = None,
    actions: Actions | None = None,
    search: Search | None = None,
    cards: ReadCards = tuple,
) -> Starlette:
    """The application that shows what `feed` brings, which may be nothing yet.

    Args:
        feed: where records, counters and renditions come from.
        has_page: whether there is a page; metrics and health are always there.
        allowed_hosts: names that a request may call this server by; a page that listens on
            loopback alone names just that, so that no foreign site can read it by rebinding.
        explain: says why a post was read so; without it the page offers no such link.
        actions: does what people want done about alerts; without it the page is read-only.
        search: finds posts by words or by likeness; without it the page offers no search.
        cards: reads the cards of models that are at hand.
    """
    app = Starlette(
        routes=[
            *_watched(),
            *(_routes() if has_page else ()),
            *(_acted() if has_page and actions else ()),
        ],
        middleware=guards(allowed_hosts),
        lifespan=_lifespan,
    )
    app.state.explanations = Explanations(explain, feed.rendition)
    feed.state.explains = app.state.explanations.offered
    app.state.searches = Searches(search)
    feed.state.searches = app.state.searches.offered
    app.state.cards = cards
    app.state.actions = actions
    feed.state.acts = actions is not None
    app.state.broadcast = Broadcast(feed)
    return app


def _watched() -> list[Route | Mount]:
    return [Route("/metrics", _metrics), Route("/healthz", _health)]


def _routes() -> list[Route | Mount]:
    return [
        Route("/", _page),
        Route("/api/state", _snapshot),
        Route("/api/window", _window),
        Route("/api/topic", _topic),
        Route("/api/turns", _turns),
        Route("/api/search", _search),
        Route("/api/card", _card),
        Route("/explanation", _explanation),
        Route("/events", _events),
        Route("/media/{sha256}.jpg", _media),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def _acted() -> list[Route | Mount]:
    return [Route("/api/feedback", _feedback, methods=["POST"])]


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Follow the folder for as long as the application runs."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app.state.broadcast.follow)
        yield
        app.state.broadcast.close()
        await app.state.searches.close()
        tasks.cancel_scope.cancel()


def _state(request: Request) -> State:
    return request.app.state.broadcast.state  # type: ignore[no-any-return]


def _json(value: object) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), media_type="application/json", headers=headers)


async def _page(request: Request) -> Response:
    headers = {"Cache-Control": "no-cache", **MAY_LISTEN}
    return FileResponse(STATIC / "index.html", headers=headers)


async def _snapshot(request: Request) -> Response:
    return _json(_state(request).changes())


async def _window(request: Request) -> Response:
    """Posts that stand for one window of a brand, or for one of its long ones."""
    asked, state = request.query_params, _state(request)
    brand, start, seconds = asked.get("brand", ""), asked.get("start", ""), asked.get("seconds")
    if not start.isdecimal():
        return PlainTextResponse("start: epoch seconds of a window's start", status_code=400)
    if seconds is None:
        return _json(state.windows.exemplars(brand, int(start)))
    if not seconds.isdecimal():
        return PlainTextResponse("seconds: length of a long window", status_code=400)
    return _json(state.rollups.exemplars(brand, int(start), int(seconds)))


async def _topic(request: Request) -> Response:
    """Posts of one topic of a brand's hour."""
    brand, start, topic = (request.query_params.get(n, "") for n in ("brand", "start", "topic"))
    if not start.isdecimal():
        return PlainTextResponse("start: epoch seconds of an hour's start", status_code=400)
    return _json(_state(request).topics.exemplars(brand, int(start), topic))


async def _turns(request: Request) -> Response:
    """The course of one alert."""
    return _json(_state(request).incidents.turns(request.query_params.get("alert", "")))


async def _feedback(request: Request) -> Response:
    """Take in what a person did; the page shows it once the feed has brought it back."""
    alerts = _state(request).alerts
    answer: Response = await request.app.state.actions.answer(
        request, lambda alert_id: alerts.get(alert_id) is not None
    )
    return answer


async def _search(request: Request) -> Response:
    """Posts by words, or like one that the page shows."""
    answer: Response = await request.app.state.searches.answer(request, _state(request).exemplar)
    return answer


async def _card(request: Request) -> Response:
    """The card of a model."""
    model, read = request.query_params.get("model", ""), request.app.state.cards
    return _json(await anyio.to_thread.run_sync(lambda: card_of(model, read())))


async def _explanation(request: Request) -> Response:
    """Why a post was read as it was; of posts that the page shows, and no others."""
    channel, post_id = (request.query_params.get(name, "") for name in ("channel", "post_id"))
    known = _state(request).exemplar(channel, post_id)
    post = known or request.app.state.searches.post(channel, post_id)
    if post is None or not request.app.state.explanations.offered:
        return PlainTextResponse("no explanation of such a post", status_code=404)
    page = await request.app.state.explanations.page(post)
    headers = {"Content-Security-Policy": f"{page.policy}; {ALWAYS}", "Cache-Control": "no-store"}
    return HTMLResponse(page.html, headers=headers)


async def _events(request: Request) -> Response:
    if request.app.state.broadcast.stuck:
        return _stuck()
    last_id = request.headers.get("last-event-id") or request.query_params.get("after")
    return EventSourceResponse(
        request.app.state.broadcast.events(last_id),
        ping=HEARTBEAT_SECONDS,
        ping_message_factory=heartbeat,
    )


async def _media(request: Request) -> Response:
    """A rendition by its content hash; nothing but 64 hex digits reaches the feed."""
    sha256 = request.path_params["sha256"]
    known = _SHA256.fullmatch(sha256) is not None
    rendition = request.app.state.broadcast.feed.rendition(sha256) if known else None
    if rendition is None:
        return PlainTextResponse("no such rendition", status_code=404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(rendition, media_type="image/jpeg", headers=headers)


async def _metrics(request: Request) -> Response:
    """Nothing before the feed has caught up: a gap in a chart is true, a dip is not."""
    if request.app.state.broadcast.stuck:
        return _stuck()
    if not request.app.state.broadcast.feed.is_current():
        return PlainTextResponse("still reading what was there before", status_code=503)
    text, media_type = negotiated(_state(request), request.headers.get("accept", ""))
    return Response(text, media_type=media_type)


async def _health(request: Request) -> Response:
    return _stuck() if request.app.state.broadcast.stuck else PlainTextResponse("ok\n")


def _stuck() -> Response:
    return PlainTextResponse("what is shown here cannot be read now", status_code=503)
