"""Metrics and health of a process that shows no page."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboards.live.exposition import encoded
from dashboards.live.headers import guards


def build_scraped(collector: Collector, allowed_hosts: Sequence[str] = ("*",)) -> Starlette:
    """The application whose `/metrics` tells what `collector` finds at each scrape.

    Scrapes run in threads of their own, so a collector may wait for a file.
    """

    def metrics(request: Request) -> Response:
        text, media_type = encoded(collector, request.headers.get("accept", ""))
        return Response(text, media_type=media_type)

    def health(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    routes = [Route("/metrics", metrics), Route("/healthz", health)]
    return Starlette(routes=routes, middleware=guards(allowed_hosts))
