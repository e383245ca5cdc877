"""What people may do about an alert on the page: with the token alone, from the page alone."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated

import anyio.to_thread
import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dashboards.live.attempts import LOCKED_SECONDS, Attempts
from schemas.records import AlertFeedback, FeedbackAction, Note, Operator, Verdict, encode

LOG = logging.getLogger(__name__)
MAX_BODY_BYTES = 8_192
MAX_SNOOZE_MINUTES = 7 * 24 * 60

WriteFeedback = Callable[[AlertFeedback], None]
"""Keeps what a person did; raises OSError where it cannot."""


class RefusedError(Exception):
    """A request that is not done: its status, why, and headers that belong to the status."""

    def __init__(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers or {}


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request: who wants to do what about which alert."""

    alert_id: str
    action: FeedbackAction
    by: Operator
    note: Note = ""
    verdict: Verdict | None = None
    minutes: Annotated[int, msgspec.Meta(ge=1, le=MAX_SNOOZE_MINUTES)] | None = None


def is_from_page(headers: Headers) -> bool:
    """Whether a browser says that a page of this very server asks.

    Scripts cannot set these headers. `Sec-Fetch-Site` comes first: behind a proxy the browser's
    `Origin` is not what this server is called by.
    """
    if (site := headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    host = headers.get("origin", "").partition("://")[2]
    return bool(host) and host == headers.get("host")


def bearer_token(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer …`; None without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def feedback_of(asked: Asked, now: datetime) -> AlertFeedback:
    """The record of what is asked for.

    Raises:
        ValueError: a snooze without a length, a verdict that says none, or either elsewhere.
    """
    return AlertFeedback(
        alert_id=asked.alert_id,
        action=asked.action,
        by=asked.by,
        at=now,
        note=asked.note,
        verdict=asked.verdict,
        until=now + timedelta(minutes=asked.minutes) if asked.minutes else None,
    )


class Actions:
    """Does what requests ask for that come from the page and show the token.

    The token is compared in constant time and kept as a hash; it is in no log and no answer. A
    client that shows a wrong one too often is not heard for a minute.
    """

    def __init__(
        self, token: str, write: WriteFeedback, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token, self._write = _hashed(token), write
        self._attempts = Attempts(clock)

    async def answer(self, request: Request, is_known: Callable[[str], bool]) -> Response:
        """Do it, or say why not; `is_known` tells ids of alerts that the page shows."""
        try:
            self._admit(request)
            feedback = _feedback_in(await _body(request), is_known)
            await anyio.to_thread.run_sync(self._write, feedback)
        except RefusedError as refused:
            return PlainTextResponse(str(refused), refused.status, refused.headers)
        except OSError as error:
            LOG.warning("feedback is not kept: %s", error)
            return PlainTextResponse("it could not be kept; try again", 503)
        headers = {"Cache-Control": "no-store"}
        return Response(encode(feedback), 201, headers, media_type="application/json")

    def _admit(self, request: Request) -> None:
        """Refuse what is not from the page, no JSON, or without the right token."""
        if not is_from_page(request.headers):
            raise RefusedError(403, "this is for the page of this server alone")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RefusedError(415, "send JSON, as application/json")
        client = request.client.host if request.client else "unknown"
        if self._attempts.is_locked(client):
            wait = {"Retry-After": f"{LOCKED_SECONDS:.0f}"}
            raise RefusedError(429, "too many wrong tokens; wait a minute", wait)
        token = bearer_token(request.headers)
        if token is None:
            raise RefusedError(401, "show the token", {"WWW-Authenticate": "Bearer"})
        if not hmac.compare_digest(_hashed(token), self._token):
            self._attempts.fail(client)
            invalid = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise RefusedError(401, "that is not the token", invalid)


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise RefusedError(413, f"more than {MAX_BODY_BYTES} bytes")
    return body


def _feedback_in(body: bytes, is_known: Callable[[str], bool]) -> AlertFeedback:
    try:
        asked = msgspec.json.decode(body, type=Asked)
        if not is_known(asked.alert_id):
            raise RefusedError(404, "no such alert here")
        return feedback_of(asked, datetime.now(UTC))
    except (msgspec.DecodeError, ValueError) as error:
        raise RefusedError(400, str(error)) from None
