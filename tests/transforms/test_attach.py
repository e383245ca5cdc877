import base64
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.images import render
from schemas.records import Delivery, Post, encode
from tests.builders import a_delivery, a_post, a_source_post
from transforms import images
from transforms.attach import Attach, attach_media
from transforms.cleaner import Cleaner

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), colour: str = "red") -> bytes:
    """A picture of one colour in a file format."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def with_exif(tag: int, kind: int, value: bytes) -> bytes:
    """A JPEG that lies on its side, with one more entry of four bytes in its EXIF."""
    entries = struct.pack("<HHIHxx", 0x0112, 3, 1, 6) + struct.pack("<HHI4s", tag, kind, 4, value)
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00" + entries + bytes(4)
    whole = picture("JPEG")
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + whole[2:]


def huge_png(width: int = 30_000, height: int = 30_000) -> bytes:
    """The beginning of a PNG of 900 million pixels, 41 bytes long."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    length, checksum = struct.pack(">I", len(header) - 4), struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + length + header + checksum + b"\x00\x00\xff\xffIDAT"


def data_uri(content: bytes) -> str:
    """The content as a `data:` URI."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def cause_of(source: str, root: Path | None = None) -> str:
    """Why one image cannot be used."""
    media, (fault,) = attach_media((source,), str(root) if root else None)
    assert media == ()
    return fault.cause


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of posts, with a secret beside it."""
    (tmp_path / "secret.png").write_bytes(picture(colour="blue"))
    (tmp_path / "posts").mkdir()
    return tmp_path / "posts"


@pytest.mark.parametrize("kind", FORMATS)
def test_pictures_of_each_format_are_rendered_from_a_file_and_from_a_uri(
    kind: str, root: Path
) -> None:
    (root / "a picture").write_bytes(picture(kind))

    media, faults = attach_media(("a picture", data_uri(picture(kind))), str(root))
    assert faults == ()
    assert media[0] == media[1]
    assert (media[0].width, media[0].height) == (40, 30)
    assert Image.open(io.BytesIO(media[0].rendition)).format == "JPEG"


def test_the_first_frame_stands_for_an_animation() -> None:
    frames, buffer = [Image.new("RGB", (30, 30), c) for c in ("red", "blue")], io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])

    ((media,), _) = attach_media((data_uri(buffer.getvalue()),))
    red, _, blue = Image.open(io.BytesIO(media.rendition)).convert("RGB").getpixel((9, 9))  # type: ignore[misc]
    assert red > 200 and blue < 50


@pytest.mark.parametrize(
    "source", ["../secret.png", "link.png", "folder/secret.png", "a/../../secret.png"]
)
def test_no_path_climbs_out_of_the_folder(source: str, root: Path) -> None:
    (root / "link.png").symlink_to(root.parent / "secret.png")
    (root / "folder").symlink_to(root.parent)

    assert cause_of(source, root) == "outside_root"


def test_absolute_paths_are_refused_even_inside_the_folder(root: Path) -> None:
    (root / "a.png").write_bytes(picture())

    assert cause_of(str(root / "a.png"), root) == "outside_root"
    assert cause_of("//host/a.png", root) == "outside_root"
    assert cause_of("a.png", None) == "outside_root"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("nothing.png", "missing_file"),
        ("a\x00b.png", "missing_file"),
        ("x" * 5000, "missing_file"),
        ("loop", "missing_file"),
        ("", "not_an_image"),
        ("pipe", "not_an_image"),
        ("text.png", "not_an_image"),
        ("empty.png", "not_an_image"),
        ("cut.png", "truncated"),
        ("cut.jpg", "truncated"),
        ("head.png", "truncated"),
        ("exif.jpg", "truncated"),
        ("huge.png", "too_many_pixels"),
        ("big.png", "too_many_pixels"),
        ("fat.png", "too_large_bytes"),
        ("a.bmp", "unsupported_format"),
        ("a.tiff", "unsupported_format"),
        ("a.svg", "unsupported_format"),
        ("https://a.example/a.png", "remote_media_off"),
        ("HTTP://a.example/a.png", "remote_media_off"),
        ("file:///etc/passwd", "unsupported_source"),
        ("data:image/png;base64,????", "not_an_image"),
        ("data:image/png;base64,A", "not_an_image"),
        ("data:text/plain,hello", "not_an_image"),
    ],
)  # fmt: skip
def test_what_is_no_usable_image_has_a_name(source: str, cause: str, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "loop").symlink_to(root / "loop")
    (root / "text.png").write_text("not a picture")
    (root / "empty.png").touch()
    (root / "cut.png").write_bytes(picture(size=(300, 300))[:-40])
    (root / "cut.jpg").write_bytes(picture("JPEG", size=(300, 300))[:800])
    (root / "head.png").write_bytes(picture()[:20])
    (root / "exif.jpg").write_bytes(with_exif(0x011A, 2, b"wide"))  # text for a resolution
    (root / "huge.png").write_bytes(huge_png())
    (root / "big.png").write_bytes(huge_png(8_000, 7_000))
    with (root / "fat.png").open("wb") as stream:
        stream.truncate(images.MAX_BYTES + 1)
    (root / "a.bmp").write_bytes(picture("BMP"))
    (root / "a.tiff").write_bytes(picture("TIFF"))
    (root / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")

    assert cause_of(source, root) == cause


def test_the_reading_of_the_largest_record_fits_into_a_message(root: Path) -> None:
    long = 1024 * 1024 - 2_000
    source = a_source_post(text="a", permalink="https://a.example/" + "a" * long)
    post = Cleaner((), b"k" * 16).clean(a_delivery(), source)
    _, faults = attach_media(("x" * long,), str(root))

    assert post.permalink is None
    assert len(encode(post)) + sum(len(encode(fault)) for fault in faults) < 5_000


def test_four_images_are_kept_and_the_others_named(root: Path) -> None:
    sources = tuple(data_uri(picture(size=(30 + n, 30))) for n in range(6))

    media, faults = attach_media(sources)
    assert [m.width for m in media] == [30, 31, 32, 33]
    assert [f.cause for f in faults] == ["too_many_images"] * 2
    assert all(len(fault.source) <= 200 for fault in faults)


def test_a_reposted_image_is_decoded_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def render_and_count(image: Image.Image) -> bytes:
        calls.append(image)
        return render(image)

    monkeypatch.setattr(images, "render", render_and_count)
    (root / "a.png").write_bytes(picture(size=(41, 31)))
    (root / "copy.png").write_bytes(picture(size=(41, 31)))

    for source in ("a.png", "copy.png", "a.png", data_uri(picture(size=(41, 31)))):
        assert attach_media((source,), str(root))[1] == ()
    assert len(calls) == 1


def test_a_file_that_changes_is_read_again(root: Path) -> None:
    (root / "a.png").write_bytes(picture(colour="red"))
    before = attach_media(("a.png",), str(root))
    (root / "a.png").write_bytes(picture(colour="green", size=(44, 44)))

    assert attach_media(("a.png",), str(root)) != before


@given(
    st.binary(max_size=60),
    st.sampled_from([picture(k, (9, 9)) for k in FORMATS]),
    st.integers(0, 200),
)
def test_no_bytes_crash_the_reader(noise: bytes, image: bytes, cut: int) -> None:
    for content in (noise, image[:cut] + noise, image[:cut] + noise + image[cut + len(noise) :]):
        media, faults = attach_media((data_uri(content),))
        assert len(media) + len(faults) == 1


@given(st.text())
def test_no_source_crashes_the_reader(source: str) -> None:
    media, faults = attach_media((source,), "/nowhere")

    assert media == () and len(faults) == 1


def test_posts_keep_flowing_whatever_their_images_are(root: Path) -> None:
    (root / "a.png").write_bytes(picture())
    with_image = a_post(post_id="1", images=("a.png", "b.png"))
    pairs = [(a_delivery(root=str(root)), with_image), (a_delivery(), a_post(post_id="2"))]

    def summary(post: Post) -> tuple[Any, ...]:
        return post.post_id, len(post.media), [fault.cause for fault in post.media_faults]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        created = pipeline | beam.Create(pairs).with_output_types(tuple[Delivery, Post])
        posts = created | Attach()
        assert_that(posts | beam.Map(summary), equal_to([("1", 1, ["missing_file"]), ("2", 0, [])]))
    counted = pipeline.result.metrics().query()["counters"]
    names = {
        c.key.metric.name: c.committed for c in counted if c.key.metric.namespace == "moodwire"
    }
    assert names == {'moodwire_media_faults_total{cause="missing_file"}': 1}
