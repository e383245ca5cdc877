"""What goes wrong in any real stream: records nobody can read, and pictures nobody can open."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PIL import Image

from pipelines.demo.generate.payloads import Payload

Spoil = Callable[[Payload], bytes]


def envelope(channel: str, payload: Any) -> bytes:
    """One line of the file: the payload and the channel that it came from."""
    line = {"channel": channel, "payload": payload}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def _with(payload: Payload, **changed: Any) -> bytes:
    """A post of X with other values; None takes a field away."""
    data = {k: v for k, v in {**payload["data"], **changed}.items() if v is not None}
    return envelope("x", {**payload, "data": data})


# Every kind: how a good post of X is spoiled, and how many there are. The name of a kind starts
# with the stage and cause that the dead letter will show.
KINDS: Final[dict[str, tuple[int, Spoil]]] = {
    "decode/not_json cut short": (4, lambda p: envelope("x", p)[:-97]),
    "decode/not_json a page of HTML": (2, lambda p: b"<html><body>502 Bad Gateway</body></html>"),
    "decode/not_utf8 latin-1": (4, lambda p: _with(p, text="QQ").replace(b"QQ", b"caf\xe9 \xfc")),
    "decode/lone_surrogate half an emoji": (
        3,
        lambda p: _with(p, text="QQ").replace(b"QQ", rb"breakfast \ud83e"),
    ),
    "decode/empty blank line": (3, lambda p: b""),
    "decode/wrong_type a list": (3, lambda p: envelope("x", [p["data"]["id"]])),
    "decode/wrong_type text is an object": (3, lambda p: _with(p, text={"en": p["data"]["text"]})),
    "decode/no_id": (4, lambda p: _with(p, id=None)),
    "decode/missing_field no time": (3, lambda p: _with(p, created_at=None)),
    "decode/missing_field no text": (3, lambda p: _with(p, text=None)),
    "decode/bad_timestamp words": (3, lambda p: _with(p, created_at="yesterday at noon")),
    "decode/bad_timestamp no such day": (2, lambda p: _with(p, created_at="2026-06-31T25:61:00Z")),
    "decode/clock_out_of_range 2087": (4, lambda p: _with(p, created_at="2087-06-18T14:10:00Z")),
    "decode/clock_out_of_range 1970": (2, lambda p: _with(p, created_at="1970-01-01T00:00:00Z")),
    "decode/null_byte": (3, lambda p: _with(p, text=p["data"]["text"] + "\x00")),
    "decode/unknown_channel": (3, lambda p: envelope("carrierpigeon", p)),
    "decode/too_large": (1, lambda p: _with(p, text="oat " * 70_000)),
    "clean/empty": (4, lambda p: _with(p, text=" \u200b ", attachments=None)),
}


def _bytes_of(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _truncated() -> bytes:
    picture = Image.linear_gradient("L").resize((320, 240))
    return _bytes_of(picture, "JPEG")[:1400]


def _huge() -> bytes:
    """A PNG of a few bytes that says it has 144 million pixels."""
    header = struct.pack(">IIBBBBB", 12_000, 12_000, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks
    )


# Cause of the media fault: where the post says its picture is, and how many posts say so.
BAD_PICTURES: Final[dict[str, tuple[str, int]]] = {
    "truncated": ("images/bad/truncated.jpg", 4),
    "not_an_image": ("images/bad/text.jpg", 3),
    "unsupported_format": ("images/bad/bitmap.jpg", 3),
    "too_many_pixels": ("images/bad/huge.png", 2),
    "missing_file": ("images/bad/never-uploaded.jpg", 3),
    "outside_root": ("../../../../etc/hostname.jpg", 3),
    "remote_media_off": ("https://pictures.example/breakfast.jpg", 3),
}


def write_bad_pictures(folder: Path) -> None:
    """The broken files that posts name; some are meant to be absent."""
    place = folder / "images/bad"
    place.mkdir(parents=True, exist_ok=True)
    (place / "truncated.jpg").write_bytes(_truncated())
    (place / "text.jpg").write_text("This is a letter, not a picture.\n", encoding="utf-8")
    (place / "bitmap.jpg").write_bytes(_bytes_of(Image.new("RGB", (8, 8), (90, 120, 60)), "BMP"))
    (place / "huge.png").write_bytes(_huge())
