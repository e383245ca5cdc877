"""Images from bytes that nobody vouches for: bounded, decoded once, rendered."""

from __future__ import annotations

import io
import struct
import zlib
from hashlib import sha256
from threading import Lock
from typing import Final

from cachetools import LRUCache, cached
from PIL import Image

from models.images import decode_small, render
from schemas.records import Media

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
REMEMBERED: Final = 256  # renditions of about 15 KB each
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
_BROKEN: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
_READ: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF")
_OTHER: Final = (b"BM", b"II*\x00", b"MM\x00*", b"\x00\x00\x01\x00", b"8BPS", b"%PDF", b"%!PS")
_OTHER_TEXT: Final = (b"<svg", b"<?xml")
_OTHER_BOX: Final = (b"ftyp", b"jP  ", b"JXL ")


class Unusable(Exception):
    """An image that cannot be used; `cause` is one of a bounded set of names."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


@cached(LRUCache(REMEMBERED), key=_digest, lock=Lock())
def read_image(content: bytes) -> Media:
    """The image in `content`: JPEG, PNG, WebP, or the first frame of a GIF.

    Size is read from the header before a pixel is decoded. Images are reposted a lot, so the
    last renditions are remembered by content.

    Raises:
        Unusable: `not_an_image`, `unsupported_format`, `too_many_pixels` or `truncated`.
    """
    with _open(content) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Unusable("too_many_pixels", f"{width} x {height}, at most {MAX_PIXELS:,} pixels")
        try:
            decode_small(image)
            image.load()
            rendition = render(image)
        except Exception as error:  # over what a header claims decoders stumble in any way
            raise Unusable("truncated", str(error)) from None
    return Media(sha256=_digest(content), width=width, height=height, rendition=rendition)


def check_size(size: int) -> None:
    """Refuse an image before it is read.

    Raises:
        Unusable: `too_large_bytes`.
    """
    if size > MAX_BYTES:
        raise Unusable("too_large_bytes", f"{size:,} bytes, at most {MAX_BYTES:,}")


def _open(content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable("too_many_pixels", str(error)) from None
    except _BROKEN:
        raise Unusable(_cause(content), f"{len(content):,} bytes, {content[:12]!r}") from None


def _cause(content: bytes) -> str:
    """What bytes are, that no reader of ours opens."""
    if content.startswith(_READ):
        return "truncated"
    other = content.startswith(_OTHER) or content[4:8] in _OTHER_BOX
    text = content[:64].lstrip().lower().startswith(_OTHER_TEXT)
    return "unsupported_format" if other or text else "not_an_image"
