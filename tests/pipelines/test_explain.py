"""Facts about `moodwire explain`: a page for each post that is safe to open."""

import base64
import html
import io
import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipelines.command_line import INCOMPLETE, MISUSED, OK, main
from pipelines.explain_exemplars import ExemplarExplainer
from schemas.records import Exemplar, Weights
from tests.models.tiny_model import a_rendition, a_saved_checkpoint

POSTS: list[dict[str, Any]] = [
    {"post_id": "1", "text": "the phone is not very good"},
    {"post_id": "2", "text": "good phone", "images": ["photo.jpg"]},
    {"post_id": '<img src=x onerror="alert(1)">', "text": "bad & < good > \"phone\" is 1 <2 'x'"},
    {"post_id": "4", "text": "good", "images": ["photo.jpg", "missing.jpg"]},
]


class Tags(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag with its attributes."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.words += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four posts explained, and a bad line."""
    folder = tmp_path_factory.mktemp("posts")
    (folder / "photo.jpg").write_bytes(a_rendition(size=(320, 224)))
    lines = [json.dumps(post) for post in POSTS]
    (folder / "posts.jsonl").write_text("\n".join([*lines[:2], "{broken", *lines[2:]]) + "\n")
    checkpoint = a_saved_checkpoint(folder / "model")
    code = main(
        [
            "explain",
            "--input", str(folder / "posts.jsonl"),
            "--output", str(folder / "why"),
            "--checkpoint", str(checkpoint),
        ]
    )  # fmt: skip
    assert code == INCOMPLETE
    return folder / "why"


def explanations(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "explanations.jsonl").read_text().splitlines()]


def parsed(page: Path) -> Tags:
    tags = Tags()
    tags.feed(page.read_text("utf-8"))
    return tags


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


def test_every_good_line_is_explained_in_order(folder: Path) -> None:
    assert [one["post_id"] for one in explanations(folder)] == [post["post_id"] for post in POSTS]
    assert [page.name for page in pages(folder)] == [
        "index.html", *(f"post-00000{number}.html" for number in (1, 2, 4, 5))
    ]  # fmt: skip


def test_the_bad_line_is_refused_with_its_place(folder: Path) -> None:
    [refused] = [json.loads(line) for line in (folder / "rejected.jsonl").read_text().splitlines()]

    assert (refused["position"]["offset"], refused["stage"]) == (2, "decode")


def test_the_index_leads_to_every_page_with_its_own_words(folder: Path) -> None:
    found = parsed(folder / "index.html")
    links = [dict(attributes)["href"] for tag, attributes in found.tags if tag == "a"]

    assert links == [one["page"] for one in explanations(folder)]
    assert all((folder / str(link)).is_file() for link in links)


def test_pages_run_nothing_and_load_nothing(folder: Path) -> None:
    for page in pages(folder):
        for tag, attributes in parsed(page).tags:
            assert tag not in {"script", "link", "iframe", "object", "form"}
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            source = attributes.get("src")
            assert source is None or source.startswith("data:image/")


def test_pages_allow_just_the_style_that_they_carry(folder: Path) -> None:
    for page in pages(folder):
        text = page.read_text("utf-8")
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)

        digest = base64.b64encode(sha256(style.encode()).digest()).decode()
        assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"


def test_words_of_strangers_are_only_words(folder: Path) -> None:
    found = parsed(folder / "post-000004.html")

    assert "img" not in {tag for tag, _ in found.tags}
    assert POSTS[2]["post_id"] in html.unescape(found.words)


def test_words_are_shaded_by_what_they_did(folder: Path) -> None:
    told = explanations(folder)[0]["explanation"]
    tags = parsed(folder / "post-000001.html").tags
    spans = [attributes for tag, attributes in tags if tag == "span"]
    strongest = max(told["words"], key=lambda word: abs(word["contribution"]))
    place = told["words"].index(strongest)
    expected = "for-8" if strongest["contribution"] > 0 else "against-8"

    assert len(spans) == 2 * len(told["words"])
    assert spans[place]["class"] == expected


def test_pictures_come_with_their_heat_maps(folder: Path) -> None:
    tags = parsed(folder / "post-000002.html").tags
    sources = [str(attributes["src"]) for tag, attributes in tags if tag == "img"]
    kinds = [source.partition(";")[0] for source in sources]

    assert kinds == ["data:image/jpeg", "data:image/png", "data:image/png"]
    for source in sources:
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
            assert image.size == (320, 224)


def test_a_post_with_an_image_tells_weights_match_and_regions(folder: Path) -> None:
    told = explanations(folder)[1]["explanation"]

    assert told["alpha_text"] + told["alpha_image"] == pytest.approx(1, abs=1e-5)
    assert told["mismatch"] == pytest.approx((1 - told["cosine"]) / 2, abs=1e-5)
    assert sum(map(sum, told["regions"])) == pytest.approx(1, abs=1e-3)
    assert [told["text"][word["start"] : word["end"]] for word in told["words"]] == [
        "good",
        "phone",
    ]


def test_a_post_of_the_live_page_is_explained_with_its_picture(tmp_path: Path) -> None:
    explain = ExemplarExplainer(str(a_saved_checkpoint(tmp_path / "model")))
    post = Exemplar(
        channel="x",
        post_id="<1>",
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
        text="The GOOD phone https://t.co/x",
        valence=0.1,
        emotion="joy",
        reach=1,
        weights=Weights(0.5, 0.5),
    )

    alone, pictured = explain(post, None), explain(post, a_rendition())

    assert "Post &lt;1&gt;" in alone.html and alone.policy in alone.html
    assert ">http</span>" in alone.html  # the text as the model reads it
    assert (alone.html.count("<img"), pictured.html.count("<img")) == (0, 3)


def test_a_clean_file_ends_well_and_the_limit_holds(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text("".join(f"{json.dumps(post)}\n" for post in POSTS))
    a_saved_checkpoint(tmp_path / "model")
    (tmp_path / "in-use").write_text("model\n")  # a pointer, as runs follow one

    code = main(
        [
            "explain", "--input", str(tmp_path / "posts.jsonl"), "--output", str(tmp_path / "why"),
            "--checkpoint", str(tmp_path / "in-use"), "--limit", "1",
        ]
    )  # fmt: skip

    assert code == OK
    assert len(explanations(tmp_path / "why")) == 1


def test_a_missing_input_is_misuse_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["explain", "--input", str(tmp_path / "no"), "--output", str(tmp_path / "why")])

    assert code == MISUSED
    assert "one post a line" in capsys.readouterr().err
