"""Stage: attach. The images that a post names, fetched safely, decoded and scaled."""

from __future__ import annotations

import base64
import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import apache_beam as beam
import msgspec
from apache_beam.pvalue import PCollection

from schemas.metrics import MEDIA_FAULTS
from schemas.records import Delivery, Media, MediaFault, Post
from transforms.counters import counter
from transforms.images import MAX_BYTES, REMEMBERED, Unusable, check_size, read_image

MAX_IMAGES: Final = 4
SHOWN_CHARACTERS: Final = 200
_DATA_URI: Final = re.compile(r"data:[^,]{0,200}?(;base64)?,", re.IGNORECASE)
_REMOTE: Final = re.compile(r"https?:", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)

Attached = tuple[tuple[Media, ...], tuple[MediaFault, ...]]


def attach_media(sources: tuple[str, ...], root: str | None = None) -> Attached:
    """The images at `sources` and why others could not be used; never raises for an image.

    A source is a path below `root`, or a `data:` URI. Addresses of the web are not fetched. Of
    more than four images the first four are taken.
    """
    media: list[Media] = []
    faults: list[MediaFault] = []
    for number, source in enumerate(sources):
        try:
            media.append(_read_source(source, root, number))
        except Unusable as fault:
            faults.append(_fault(source, fault))
    return tuple(media), tuple(faults)


def _read_source(source: str, root: str | None, number: int) -> Media:
    if number >= MAX_IMAGES:
        raise Unusable("too_many_images", f"image {number + 1}, at most {MAX_IMAGES} a post")
    if found := _DATA_URI.match(source):
        return read_image(_decode_data(source[found.end() :], found[1] is not None))
    if _REMOTE.match(source):
        raise Unusable("remote_media_off", "Moodwire does not fetch from the web")
    if _SCHEME.match(source):
        raise Unusable("unsupported_source", "neither a path nor a data: URI")
    return _read_path(source, root)


def _decode_data(data: str, is_base64: bool) -> bytes:
    check_size(len(data) * 3 // 4 if is_base64 else len(data) // 3)
    try:
        content = base64.b64decode(data) if is_base64 else unquote_to_bytes(data)
    except ValueError as error:
        raise Unusable("not_an_image", f"not a data: URI: {error}") from None
    check_size(len(content))
    return content


def _read_path(source: str, root: str | None) -> Media:
    path = _resolve(source, root)
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise Unusable("missing_file", str(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise Unusable("not_an_image", "not a regular file")
    check_size(status.st_size)
    return _read_file(path, status.st_mtime_ns, status.st_size)


def _resolve(source: str, root: str | None) -> Path:
    """The file that `source` names, symlinks followed; it must lie below `root`."""
    if root is None:
        raise Unusable("outside_root", "a path, but the source has no folder that paths start from")
    base = Path(root).resolve()
    try:
        path = (base / source).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a loop of symlinks is a RuntimeError
        raise Unusable("missing_file", str(error)) from None
    if Path(source).is_absolute() or not path.is_relative_to(base):
        raise Unusable("outside_root", "the path leads out of the folder of its posts")
    return path


@lru_cache(maxsize=REMEMBERED)
def _read_file(path: Path, mtime_ns: int, size: int) -> Media:
    """The image in a file, remembered as long as time and size of the file stay the same."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unusable("missing_file", str(error)) from None
    check_size(len(content))
    return read_image(content)


def _fault(source: str, fault: Unusable) -> MediaFault:
    shown, detail = source[:SHOWN_CHARACTERS], fault.detail[:SHOWN_CHARACTERS]
    return MediaFault(source=shown, cause=fault.cause, detail=detail)


@dataclass
class Attach(beam.PTransform):
    """Posts in; each leaves once with its images, and with a fault for each it cannot use.

    No post is rejected for its images. Nothing is fetched from the web.
    """

    def expand(self, posts: PCollection[tuple[Delivery, Post]]) -> PCollection[Post]:
        return posts | "AttachMedia" >> beam.MapTuple(_attach).with_output_types(Post)


def _attach(delivery: Delivery, post: Post) -> Post:
    media, faults = attach_media(post.images, delivery.root)
    for fault in faults:
        counter(MEDIA_FAULTS, cause=fault.cause).inc()
    return msgspec.structs.replace(post, media=media, media_faults=faults)
