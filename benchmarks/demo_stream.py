"""The demo's day of posts without an end: each loop is another day with other ids.

Pictures are inlined as `data:` URIs, since workers see no folder of the producer's; the channel
goes into a header, as the pipeline takes posts from Kafka.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from transforms.channels import registry
from transforms.ingest import deliver, read_lines
from transforms.refusals import Refused

DEMO = Path(__file__).resolve().parents[1] / "pipelines" / "demo" / "data"
DAY_SECONDS = 86_400
_PICTURE = re.compile(rb'"images/([\w.-]+)"')
_ID, _TIME = b"\x00id\x00", b"\x00time\x00"  # no JSON text holds these


@dataclass(frozen=True)
class Played:
    """One record for the topic `posts`; no event time where nothing can be read from it."""

    value: bytes
    channel: str | None
    event_time: float | None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Headers as Kafka's clients take them."""
        return [] if self.channel is None else [("channel", self.channel.encode())]


@dataclass(frozen=True)
class Template:
    """A post with gaps where its id and its time stand; broken records have no gaps."""

    text: bytes
    channel: str | None
    number: str = ""
    event_time: float | None = None
    time_is_text: bool = True

    def play(self, loop: int, shift_seconds: float) -> Played:
        """The post as it comes in that loop."""
        if self.event_time is None:
            return Played(self.text, self.channel, None)
        moment = self.event_time + shift_seconds
        text = self.text.replace(_ID, renumber(self.number, loop).encode())
        return Played(text.replace(_TIME, self._time(moment)), self.channel, moment)

    def _time(self, moment: float) -> bytes:
        if self.time_is_text:
            return json.dumps(datetime.fromtimestamp(moment, UTC).isoformat()).encode()
        return f"{moment:.0f}".encode()


def renumber(number: str, loop: int) -> str:
    """Another id of the same kind for each loop.

    >>> renumber("t3_abc", 7), renumber("6619174172818495336", 7)
    ('t3_abc0007', '174172818495336007')
    """
    if number.isdigit():
        return f"{int(number) % 10**15 or 1}{loop:03d}"
    return f"{number}{loop:04d}"


@cache
def _picture(name: bytes) -> bytes:
    return f'"{data_uri((DEMO / "images" / name.decode()).read_bytes())}"'.encode()


def data_uri(jpeg: bytes) -> str:
    """A picture as the address that holds it (RFC 2397)."""
    return "data:image/jpeg;base64," + b64encode(jpeg).decode()


def inline_pictures(text: bytes) -> bytes:
    """`text` with the pictures that it names in place of their paths."""
    return _PICTURE.sub(lambda match: _picture(match[1]), text)


def read_templates(path: Path = DEMO / "posts.jsonl.gz") -> list[Template]:
    """The lines of the demo's day, in its order."""
    found = (template_of(line) for line in read_lines((str(path),)))
    return [template for template in found if template is not None]


def template_of(line: Any) -> Template | None:
    """The template of one line; None where it states a time that cannot be shifted."""
    delivery = deliver(line, None, registry.event_time_of)
    text, channel = delivery.value, delivery.channel
    moment = delivery.event_time
    number, stated = _identity(text, channel)
    if moment is None:
        return Template(inline_pictures(text), channel)
    if number is None:
        return None
    token = json.dumps(stated, ensure_ascii=False).encode()
    gapped = text.replace(number.encode(), _ID).replace(token, _TIME)
    if _ID not in gapped or _TIME not in gapped:
        return None
    is_text = isinstance(stated, str)
    return Template(inline_pictures(gapped), channel, number, moment, is_text)


def _identity(text: bytes, channel: str | None) -> tuple[str | None, Any]:
    """The id as it stands in the text, and the time that the post states."""
    try:
        adapter, payload = registry._open(text, channel)
    except Refused:
        return None, None
    inner = payload["data"] if isinstance(payload.get("data"), dict) else payload
    number = next((inner[key] for key in ("post_id", "id") if inner.get(key)), None)
    found = registry._first(payload, adapter.time_paths)
    return None if number is None else str(number), found


def play(templates: list[Template], first_day: float, loop: int = 0) -> Iterator[Played]:
    """Posts for ever, a day of them for each loop from `loop` on.

    `first_day` is midnight of loop 0 in epoch seconds.
    """
    known = [t.event_time for t in templates if t.event_time is not None]
    demo_day = sorted(known)[len(known) // 2] // DAY_SECONDS * DAY_SECONDS
    while True:
        shift = first_day - demo_day + loop * DAY_SECONDS
        yield from (template.play(loop, shift) for template in templates)
        loop += 1


def midnight(days_ago: int) -> float:
    """Midnight of an earlier day, in epoch seconds."""
    now = datetime.now(UTC).timestamp()
    return now // DAY_SECONDS * DAY_SECONDS - days_ago * DAY_SECONDS
