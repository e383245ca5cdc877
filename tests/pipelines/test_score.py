"""Facts about `moodwire score`: good lines are answered, each bad one is named."""

import base64
import gzip
import io
import json
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines.command_line import FAILED, INCOMPLETE, INTERRUPTED, MISUSED, OK, main
from tests.full_disk import files_of_at_most

BAD_LINES: dict[str, bytes] = {
    "not_json": b"{broken",
    "not_utf8": b'{"post_id": "1", "text": "\xff\xfe"}',
    "empty_line": b"",
    "wrong_type_of_record": b"[1, 2]",
    "wrong_type_of_text": b'{"post_id": "1", "text": 5}',
    "wrong_type_of_images": b'{"post_id": "1", "text": "a", "images": "a.jpg"}',
    "no_id": b'{"text": "who am I"}',
    "no_text": b'{"post_id": "1"}',
    "empty_text": b'{"post_id": "1", "text": "  "}',
    "only_invisible_text": '{"post_id": "1", "text": "\u200b\u200d"}'.encode(),
    "lone_surrogate": b'{"post_id": "1", "text": "a \\ud83d b"}',
    "null_byte": b'{"post_id": "1", "text": "a \\u0000 b"}',
    "one_megabyte": b'{"post_id": "1", "text": "' + b"a" * 2**20 + b'"}',
    "from_2087": b'{"post_id": "1", "text": "a", "created_at": "2087-01-01T00:00:00Z"}',
    "malformed_time": b'{"post_id": "1", "text": "a", "created_at": "Tue Mar 11 03: 13: 40"}',
}
BAD_IMAGES = {
    "outside": ("../outside.jpg", "outside_root"),
    "absolute": ("/etc/hostname", "outside_root"),
    "missing": ("nowhere.jpg", "missing_file"),
    "truncated": ("truncated.jpg", "truncated"),
    "enormous": ("enormous.png", "too_many_pixels"),
    "text": ("text.jpg", "not_an_image"),
    "bad_uri": ("data:image/png;base64,!!!", "not_an_image"),
}


def jpeg(colour: str = "orange") -> bytes:
    """A small real JPEG."""
    stream = io.BytesIO()
    Image.effect_noise((320, 240), 60).convert("RGB").save(stream, "JPEG")
    return stream.getvalue() if colour == "orange" else stream.getvalue()[:-900]


def enormous_png() -> bytes:
    """The header of a 30,000 × 30,000 PNG: a few bytes that would decode to 2.7 GB."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(90_001))
    chunks = [
        struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        for body in (header, pixels, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Posts good and bad in turn, beside good and bad images."""
    folder = tmp_path_factory.mktemp("outer") / "posts"
    folder.mkdir()
    (folder.parent / "outside.jpg").write_bytes(jpeg())
    (folder / "good.jpg").write_bytes(jpeg())
    (folder / "truncated.jpg").write_bytes(jpeg("cut"))
    (folder / "enormous.png").write_bytes(enormous_png())
    (folder / "text.jpg").write_bytes(b"I am not a picture")
    lines = [
        line
        for name, bad in BAD_LINES.items()
        for line in (bad, json.dumps({"post_id": f"after-{name}", "text": "lovely day"}).encode())
    ]
    for name, (source, _) in BAD_IMAGES.items():
        post = {"post_id": name, "text": "what a mess", "images": [source]}
        lines.append(json.dumps(post).encode())
    uri = "data:image/jpeg;base64," + base64.b64encode(jpeg()).decode()
    good = {"post_id": "good", "text": "look", "images": ["good.jpg", uri]}
    lines.append(json.dumps(good).encode())
    (folder / "posts.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    code = main(
        [
            "score",
            "--input", str(folder / "posts.jsonl"),
            "--output", str(folder / "readings.jsonl.gz"),
            "--rejected", str(folder / "rejected.jsonl"),
        ]
    )  # fmt: skip
    assert code == INCOMPLETE
    return folder


def readings(folder: Path) -> list[dict[str, Any]]:
    """Every reading of the run."""
    with gzip.open(folder / "readings.jsonl.gz", "rb") as lines:
        return [json.loads(line) for line in lines]


def test_every_good_line_is_answered_in_order(folder: Path) -> None:
    expected = [f"after-{name}" for name in BAD_LINES] + [*BAD_IMAGES, "good"]

    assert [reading["post_id"] for reading in readings(folder)] == expected


def test_every_bad_line_is_refused_with_its_place_and_cause(folder: Path) -> None:
    refused = [json.loads(line) for line in (folder / "rejected.jsonl").read_bytes().splitlines()]

    assert [r["position"]["offset"] for r in refused] == list(range(0, 2 * len(BAD_LINES), 2))
    assert all(r["cause"] and r["stage"] and r["detail"] for r in refused)
    assert base64.b64decode(refused[0]["original"]) == BAD_LINES["not_json"]


@pytest.mark.parametrize(("name", "fault"), [(n, f) for n, (_, f) in BAD_IMAGES.items()])
def test_a_bad_image_is_named_and_its_post_read_by_its_text(
    folder: Path, name: str, fault: str
) -> None:
    reading = next(r for r in readings(folder) if r["post_id"] == name)

    assert [f["cause"] for f in reading["media_faults"]] == [fault]
    assert reading["weights"] == {"text": 1.0, "image": 0.0}


def test_a_reading_has_the_promised_form(folder: Path) -> None:
    reading = readings(folder)[-1]

    assert set(reading["sentiment"]) == {"negative", "neutral", "positive"}
    assert sum(reading["sentiment"].values()) == pytest.approx(1, abs=1e-5)
    assert len(reading["emotions"]) == 28
    assert reading["weights"]["text"] + reading["weights"]["image"] == pytest.approx(1, abs=1e-5)
    assert reading["weights"]["image"] > 0
    assert -1 <= reading["valence"] <= 1
    assert 0 <= reading["mismatch"] <= 1


def test_posts_are_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    posts, line = tmp_path / "posts.jsonl", '{"post_id": 7, "text": "what a day"}\n'
    posts.write_text(line)
    (tmp_path / "folder").mkdir()
    again = f"{tmp_path}/folder/../posts.jsonl"

    for output, rejected in ((again, "bad"), ("out", again), ("out", "out"), ("folder", "bad")):
        files = ["--output", str(tmp_path / output), "--rejected", str(tmp_path / rejected)]
        assert main(["score", "--input", str(posts), *files]) == MISUSED

    assert posts.read_text() == line
    assert capsys.readouterr().err.count("name another one") == 3


def test_a_damaged_gzip_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = gzip.compress(b'{"post_id": 7, "text": "what a day"}\n' * 2000)
    output = tmp_path / "readings.jsonl"

    for damaged in (whole[:-20], b"no gzip at all", whole[:40] + bytes(60)):
        (tmp_path / "posts.jsonl.gz").write_bytes(damaged)
        files = ["--input", str(tmp_path / "posts.jsonl.gz"), "--output", str(output)]
        assert main(["score", *files]) == MISUSED

    said = capsys.readouterr().err.replace("\n", " ")
    assert said.count("is no whole gzip file") == 3
    assert not output.exists()


def test_an_interrupted_command_does_not_end_well(tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text("".join(f'{{"post_id": {n}, "text": "day {n}"}}\n' for n in range(50_000)))
    files = ["--input", str(posts), "--output", str(tmp_path / "readings.jsonl")]
    command = [sys.executable, "-m", "pipelines.command_line", "score", *files]
    # Whoever runs the tests in the background may have Ctrl-C ignored by all below.
    command = ["env", "--default-signal=INT", *command]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / ".readings.jsonl.part").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1].decode()

    assert process.returncode == INTERRUPTED == 130
    assert "score was interrupted before it was done" in said and "Traceback" not in said
    assert [file.name for file in tmp_path.iterdir()] == ["posts.jsonl"]


def test_a_full_disk_is_told_in_one_line_and_leaves_the_earlier_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts, output = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    posts.write_text('{"post_id": 7, "text": "what a day"}\n' * 60)
    output.write_text("earlier\n")

    with files_of_at_most(10_000):
        code = main(["score", "--input", str(posts), "--output", str(output)])

    assert code == FAILED
    assert "make room and start again" in capsys.readouterr().err
    assert output.read_text() == "earlier\n"
    assert {file.name for file in tmp_path.iterdir()} == {"posts.jsonl", "out.jsonl"}


def test_a_clean_file_ends_well(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"post_id": 7, "text": "what a day"}\n')

    code = main(
        ["score", "--input", f"{tmp_path}/posts.jsonl", "--output", f"{tmp_path}/out.jsonl"]
    )

    assert code == OK


def test_a_missing_input_is_misuse_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["score", "--input", str(tmp_path / "no"), "--output", str(tmp_path / "out")])

    assert code == MISUSED
    assert "no such file" in capsys.readouterr().err
