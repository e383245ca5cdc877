"""The recorded stream that every run plays: some hours of the demo, whole or made worse."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from collections.abc import Iterable
from functools import cache
from typing import Literal, NamedTuple
from zlib import crc32

from pipelines.commands import DEMO
from schemas.records import Delivery, Position
from tests.end_to_end.chaos.garbage import garbage
from tests.end_to_end.runs import SHUFFLE_SECONDS, moment_of
from transforms.channels.registry import read_source_post
from transforms.ingest import Line, read_lines, unwrap
from transforms.refusals import Refused

Form = Literal["plain", "duplicated", "poisoned"]
PARTITIONS = 4
FIRST_SECONDS, POSTS = 14.5 * 3600, 240  # the crisis of the demo begins at three in the afternoon
CLOSING_SECONDS = 24 * 3600  # beyond every window, its lateness and the silence after an incident
LATEST_SECONDS = SHUFFLE_SECONDS / 2
CLOSING = "closing-"
COPIES, GARBAGE = 3, 300
IMAGE = re.compile(r"images/[^\"]+\.(?:jpg|png)")


class Sent(NamedTuple):
    """One record as the producer sends it."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Stream(NamedTuple):
    """What is played at its pace, and what closes every window once all of that is there.

    Attributes:
        rush: the numbers of the first record that is sent without a pause, and of the next one.
    """

    records: tuple[Sent, ...]
    closing: tuple[Sent, ...]
    rush: tuple[int, int]


@cache
def recorded(form: Form, posts: int = POSTS) -> Stream:
    """The stream in one of its forms, the same in every run."""
    lines = _lines(posts)
    chance = random.Random(f"{form}-{posts}")
    last = max(at for _, at in lines)
    rush = (0, 0)
    if form == "duplicated":
        lines = _duplicated(lines, chance)
    records = [_sent(line, number) for number, (line, _) in enumerate(lines)]
    if form == "poisoned":
        rush = (posts // 2, posts // 2 + GARBAGE)
        records[rush[0] : rush[0]] = [
            Sent(n % PARTITIONS, key, value, headers)
            for n, (key, value, headers) in enumerate(garbage(GARBAGE, chance))
        ]
    return Stream(tuple(records), tuple(_closing(last)), rush)


def is_closing(post_id: str) -> bool:
    """Whether that is one of the posts that end a stream."""
    return post_id.startswith(CLOSING)


def digest(records: Iterable[tuple[object, ...]]) -> str:
    """A hash of records with their places."""
    seen = hashlib.sha256()
    for record in records:
        seen.update(repr(record).encode())
    return seen.hexdigest()[:16]


def _lines(posts: int) -> list[tuple[Line, float]]:
    """Lines from the first second on with their times; those that state none share the last one.

    The few posts that come half an hour late or more are left out: how far the watermark is when
    they come would decide whether they still count.
    """
    chosen: list[tuple[Line, float]] = []
    newest = 0.0
    for line in read_lines((str(DEMO / "posts.jsonl.gz"),)):
        at = moment_of(line)
        if at is not None and at < newest - LATEST_SECONDS:
            continue
        newest = max(newest, at or 0.0)
        if newest % 86_400 >= FIRST_SECONDS:
            chosen.append((line, newest if at is None else at))
    return chosen[:posts]


def _duplicated(lines: list[tuple[Line, float]], chance: random.Random) -> list[tuple[Line, float]]:
    """Each line one to three times, in an order in which posts are late by up to 50 minutes."""
    copies = [
        (at + chance.uniform(0, SHUFFLE_SECONDS), line, at)
        for line, at in lines
        for _ in range(chance.randint(1, COPIES))
    ]
    return [(line, at) for _, line, at in sorted(copies, key=lambda copy: copy[0])]


def _sent(line: Line, number: int) -> Sent:
    value, channel = unwrap(line.value, None)
    value = IMAGE.sub(_inline, value.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )
    key = _key(value, channel)
    partition = crc32(key) % PARTITIONS if key else number % PARTITIONS
    return Sent(partition, key, value, (("channel", channel.encode()),) if channel else ())


def _key(value: bytes, channel: str | None) -> bytes | None:
    try:
        post = read_source_post(Delivery(value=value, position=Position("", 0, 0), channel=channel))
    except Refused:
        return None
    return f"{post.channel}-{post.post_id}".encode()


def _inline(match: re.Match[str]) -> str:
    file = DEMO / match.group()
    if not file.exists():  # the demo has such posts too
        return match.group()
    return f"data:image/{file.suffix[1:]};base64,{base64.b64encode(file.read_bytes()).decode()}"


def _closing(last: float) -> Iterable[Sent]:
    """Posts of the day after that name no brand, on every partition."""
    for number in range(2 * PARTITIONS):
        name = f"{CLOSING}{number}"
        post = {
            "post_id": name,
            "author_id": name,
            "text": "nothing to see here",
            "created_at": int(last + CLOSING_SECONDS + number),
        }
        value = json.dumps(post).encode()
        yield Sent(number % PARTITIONS, name.encode(), value, ())
