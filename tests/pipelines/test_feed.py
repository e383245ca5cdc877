import base64
import json
from pathlib import Path

import pytest

from pipelines.commands import DEMO
from pipelines.feed import fed_from, inline_images, read_feed
from transforms.ingest import Line, NoInputError

POST = {"post_id": "7", "text": "hi", "created_at": "2026-06-18T12:00:00Z", "author_id": "a"}


def line(value: bytes, folder: Path) -> Line:
    return Line(str(folder / "posts.jsonl"), 0, value)


def test_a_post_is_keyed_by_channel_and_id_so_redeliveries_share_a_partition(
    tmp_path: Path,
) -> None:
    fed = fed_from(line(json.dumps(POST).encode(), tmp_path))

    assert fed.key == b"generic:7"
    assert fed.event_time == 1781784000.0


def test_an_envelope_becomes_the_payload_under_a_channel_header(tmp_path: Path) -> None:
    envelope = {"channel": "forum", "payload": POST}

    fed = fed_from(line(json.dumps(envelope).encode(), tmp_path))

    assert json.loads(fed.value) == POST
    assert fed.headers == [("channel", b"forum")]


def test_what_is_no_post_travels_as_it_stands(tmp_path: Path) -> None:
    fed = fed_from(line(b"{broken \xff", tmp_path))

    assert (fed.key, fed.value) == (None, b"{broken \xff")


def test_images_beside_the_file_travel_inside_the_record(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"picture")
    value = json.dumps({"images": ["a.jpg", "missing.jpg", "../a.jpg", "/etc/a.jpg"]}).encode()

    images = json.loads(inline_images(value, tmp_path))["images"]

    assert images[0] == "data:image/jpeg;base64," + base64.b64encode(b"picture").decode()
    assert images[1:] == ["missing.jpg", "../a.jpg", "/etc/a.jpg"]


def test_the_shipped_day_can_be_fed() -> None:
    fed = list(read_feed(DEMO / "posts.jsonl.gz"))

    assert len(fed) == 5133
    assert sum(b"data:image/jpeg;base64," in record.value for record in fed) > 300
    assert sum(record.key is None for record in fed) < 100


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match=r"none\.jsonl"):
        list(read_feed(tmp_path / "none.jsonl"))
