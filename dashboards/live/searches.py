"""Posts found by words or by likeness, asked of whoever serves the page."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal, Protocol

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dashboards.live.actions import RefusedError
from dashboards.live.allowance import A_SECOND, Allowance
from schemas.records import Exemplar

MAX_CHARACTERS = 200
ELSEWHERE = {"cross-site", "same-site"}  # what browsers say of a request that our page did not make
ShownPost = Callable[[str, str], Exemplar | None]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A post that was found, the brands it is about, and how close it is: a cosine.

    `alike` others that were found say and show the same; it stands for them.
    """

    post: Exemplar
    brands: tuple[str, ...]
    similarity: float
    alike: int = 0


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """Posts that are close by their text, by their image, or by all they have; closest first."""

    by: Literal["text", "image", "post"]
    found: tuple[Found, ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said by now; ask again while the model loads or posts wait.

    `posts` can be found, `waiting` ones are placed in a while. `like` is the post that others are
    to be like.
    """

    stage: Literal["loading", "ready"]
    posts: int = 0
    waiting: int = 0
    like: Exemplar | None = None
    nearest: tuple[Nearest, ...] = ()


class CannotSearchError(Exception):
    """There is no answer for now; the message says why, to whoever looks at the page."""


class Search(Protocol):
    """Knows where the posts of a run lie in the joint space of text and image."""

    def words(self, words: str) -> Answer | None:
        """The posts whose text and whose image lie nearest; None for words that say nothing."""

    def like(self, channel: str, post_id: str, shown: Exemplar | None) -> Answer | None:
        """The posts nearest to one; None for a post that is neither known nor shown."""

    def post(self, channel: str, post_id: str) -> Exemplar | None:
        """A post that can be found."""

    def close(self) -> None:
        """End whatever goes on beside."""


class Searches:
    """Answers questions of the page, beside the event loop and only so many a second.

    The page knows no model: `search` is given by the program that serves it, None where there is
    none.
    """

    def __init__(self, search: Search | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._search, self._allowance = search, Allowance(clock)

    @property
    def offered(self) -> bool:
        """Whether there is somebody to ask."""
        return self._search is not None

    def post(self, channel: str, post_id: str) -> Exemplar | None:
        """A post that a search can have shown."""
        return self._search.post(channel, post_id) if self._search else None

    async def close(self) -> None:
        """End whatever the search does beside."""
        if self._search is not None:
            await anyio.to_thread.run_sync(self._search.close)

    async def answer(self, request: Request, shown: ShownPost) -> Response:
        """What is asked for, or why not; `shown` finds posts that the page shows."""
        headers = {"Cache-Control": "no-store"}
        try:
            answer = await self._answer(request, shown)
        except RefusedError as refused:
            return PlainTextResponse(str(refused), refused.status, {**headers, **refused.headers})
        except CannotSearchError as error:
            return PlainTextResponse(str(error), 503, headers)
        return Response(msgspec.json.encode(answer), 200, headers, "application/json")

    async def _answer(self, request: Request, shown: ShownPost) -> Answer:
        search, asked = self._search, request.query_params
        if search is None:
            raise RefusedError(404, "search is not on offer here")
        if request.headers.get("sec-fetch-site") in ELSEWHERE:
            raise RefusedError(403, "this is for the page of this server alone")
        if "words" in asked:
            words = _checked(asked["words"])
            self._admit(request)
            answer = await anyio.to_thread.run_sync(search.words, words)
            if answer is None:
                raise RefusedError(400, "these words say nothing that could be searched for")
            return answer
        channel, post_id = asked.get("channel"), asked.get("post_id")
        if channel is None or post_id is None:
            raise RefusedError(400, "give words, or channel and post_id of a post")
        self._admit(request)
        post = shown(channel, post_id)
        found = await anyio.to_thread.run_sync(search.like, channel, post_id, post)
        if found is None:
            raise RefusedError(404, "no such post among those that can be found here")
        return found

    def _admit(self, request: Request) -> None:
        client = request.client.host if request.client else "unknown"
        if not self._allowance.take(client):
            wait = {"Retry-After": f"{math.ceil(1 / A_SECOND)}"}
            raise RefusedError(429, "too many searches at once; wait a moment", wait)


def _checked(words: str) -> str:
    words = " ".join(words.split())
    if not words:
        raise RefusedError(400, "give some words to search for")
    if len(words) > MAX_CHARACTERS:
        raise RefusedError(400, f"more than {MAX_CHARACTERS} characters; give fewer words")
    return words
