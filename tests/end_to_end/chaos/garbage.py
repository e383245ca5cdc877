"""Records that are no posts, of as many kinds as a broken producer may send."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from itertools import cycle

Headers = tuple[tuple[str, bytes], ...]
Garbage = tuple[bytes | None, bytes | None, Headers]
MEGABYTE = 1_000_000  # Kafka takes no more than 1,048,588 bytes with what it adds


def _random_bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 3_000))


def _post(**fields: object) -> bytes:
    return json.dumps({"text": "oatmere", "author_id": "a", **fields}).encode()


KINDS: tuple[Callable[[random.Random], bytes | None], ...] = (
    lambda chance: None,
    lambda chance: b"",
    _random_bytes,
    lambda chance: b"\xff\xfe" + "{}".encode("utf-16-le"),
    lambda chance: b'{"post_id": "\xc3\x28", "text": "\xf0\x9f\x92"}',
    lambda chance: b"[" * 100_000,
    lambda chance: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    lambda chance: b'{"post_id": "1", "text": "cut o',
    lambda chance: b"null",
    lambda chance: b"NaN",
    lambda chance: b"1e999999",
    lambda chance: b'"' + b"a" * 70_000 + b'"',
    lambda chance: b'["a", {"post_id": 1}]',
    lambda chance: _post(post_id="from-2087", created_at="2087-01-01T00:00:00Z"),
    lambda chance: _post(post_id="from-1887", created_at="1887-01-01T00:00:00Z"),
    lambda chance: _post(post_id="no-time"),
    lambda chance: _post(created_at=1_781_794_200),
    lambda chance: _post(post_id={"a": [1]}, created_at=1_781_794_200),
    lambda chance: _post(post_id="huge-time", created_at=10**400),
    lambda chance: _post(post_id="huge-reach", created_at=1_781_794_200, reach=10**30),
    lambda chance: _post(post_id="nan-time", created_at=float("nan")),
    lambda chance: _post(post_id="minus-time", created_at=-(10**18)),
    lambda chance: b'{"post_id": "\\ud800", "text": "\\ud800", "created_at": 1781794200}',
    lambda chance: _post(post_id="x" * 100_000, created_at="soon"),
    lambda chance: json.dumps({str(n): n for n in range(5_000)}).encode(),
    lambda chance: b"\x00\x00\x00\x00\x07" + chance.randbytes(200),  # as Avro comes
    lambda chance: b"\x1f\x8b" + chance.randbytes(500),  # as gzip comes
)
HEADERS: tuple[Headers, ...] = (
    (),
    (("channel", b"x"),),
    (("channel", b"\xff\xfe"),),
    (("channel", b""), ("channel", b"carrierpigeon")),
    (("channel", b"news"), ("trace", b"\x00" * 64)),
    (("channel", b"tiktok"),),
)


def garbage(count: int, chance: random.Random) -> Iterator[Garbage]:
    """As many records of every kind in turn, each fiftieth a megabyte of zeros."""
    kinds = cycle(KINDS)
    for number in range(count):
        value = b"\x00" * MEGABYTE if number % 50 == 49 else next(kinds)(chance)
        key = None if number % 3 and value is not None else chance.randbytes(12)
        yield key, value, chance.choice(HEADERS)
