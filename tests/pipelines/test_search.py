"""Facts about `moodwire search`: one index, built once, asked in many ways."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.scorer import ScoreInput, Scorer
from pipelines.command_line import MISUSED, OK, main
from schemas.records import Media, Position, Post, encode
from tests.models.tiny_model import a_rendition, a_saved_checkpoint
from transforms.readings import make_reading

TEXTS = {"1": "good phone", "2": "the phone is bad", "3": "not very good", "4": "is the phone bad"}
CAMPAIGN = {f"c{number}": "very very bad phone" for number in range(6)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with posts, a picture and a tiny model."""
    folder = tmp_path_factory.mktemp("search")
    (folder / "photo.jpg").write_bytes(a_rendition(red=250))
    posts = [
        {"post_id": name, "text": text, "author_id": name, "created_at": "2026-11-24T08:00:00Z"}
        for name, text in TEXTS.items()
    ]
    posts += [
        {"post_id": name, "text": text, "author_id": "a", "created_at": "2026-11-24T09:00:00Z"}
        for name, text in CAMPAIGN.items()
    ]
    posts[0]["images"] = ["photo.jpg"]  # type: ignore[assignment]
    lines = [json.dumps(post) for post in posts]
    (folder / "posts.jsonl").write_text("\n".join(["{broken", *lines]) + "\n")
    a_saved_checkpoint(folder / "model")
    return folder


def ask(place: Path, index: Path, *arguments: str) -> int:
    """Search the posts of `place` with the index in `index`."""
    return main(
        [
            "search", "--input", str(place / "posts.jsonl"), "--index", str(index),
            "--checkpoint", str(place / "model"), *arguments,
        ]
    )  # fmt: skip


def answers(place: Path, index: Path, capsys: pytest.CaptureFixture[str], *asked: str) -> Any:
    """The JSON answer to a question."""
    assert ask(place, index, *asked, "--json") == OK
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def ids(answer: Any) -> list[str]:
    """Post ids of one list of matches."""
    return [match["entry"]["post_id"] for match in answer["matches"]]


@pytest.fixture(scope="module")
def index(place: Path) -> Path:
    """An index of the posts, built once."""
    assert ask(place, place / "index", "--text", "phone") == OK
    return place / "index"


def test_a_text_finds_the_same_text_first(
    place: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_text, by_image = answers(place, index, capsys, "--text", "the phone is BAD", "--limit", "2")

    assert by_text["by"] == "text"
    assert ids(by_text)[0] == "2"  # the tiny model knows no capitals: another is close, not equal
    assert ids(by_image) == ["1"]


def test_an_image_finds_itself(
    place: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, by_image = answers(place, index, capsys, "--image", str(place / "photo.jpg"))

    assert ids(by_image) == ["1"]
    assert by_image["matches"][0]["similarity"] == pytest.approx(1, abs=1e-2)


def test_posts_like_one_leave_that_one_out(
    place: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [found] = answers(place, index, capsys, "--like", "c0", "--limit", "5")

    assert sorted(ids(found)) == ["c1", "c2", "c3", "c4", "c5"]


def test_campaigns_are_shown_with_their_authors(
    place: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaigns = answers(place, index, capsys, "--campaigns")
    repeated = {post["post_id"] for one in campaigns for post in one["posts"]}

    assert set(CAMPAIGN) <= repeated
    assert all(one["authors"] <= len(one["posts"]) / 2 for one in campaigns)


def test_the_index_is_built_once_and_anew_for_another_file(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(place, tmp_path, "--text", "phone")
    first = capsys.readouterr().out
    ask(place, tmp_path, "--text", "phone")
    second = capsys.readouterr().out

    (tmp_path / "posts.jsonl").write_text('{"post_id": "new", "text": "good"}\n')
    main(
        [
            "search", "--input", str(tmp_path / "posts.jsonl"), "--index", str(tmp_path),
            "--checkpoint", str(place / "model"), "--text", "phone",
        ]
    )  # fmt: skip
    third = capsys.readouterr().out

    assert "10 posts indexed, 1 lines refused" in first
    assert "indexed" not in second
    assert "1 posts indexed" in third


def test_an_index_answers_without_its_file(
    place: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["search", "--index", str(index), "--checkpoint", str(place / "model"), "--like", "2"]
    )

    assert code == OK
    assert "is the phone bad" in capsys.readouterr().out


def test_a_forgotten_post_stays_forgotten(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(place, tmp_path, "--forget", "c3") == OK
    [found] = answers(place, tmp_path, capsys, "--like", "c0")
    assert "c3" not in ids(found)

    posts = (place / "posts.jsonl").read_text()
    (place / "more.jsonl").write_text(posts + '{"post_id": "new", "text": "good"}\n')
    code = main(
        [
            "search", "--input", str(place / "more.jsonl"), "--index", str(tmp_path),
            "--checkpoint", str(place / "model"), "--like", "c3",
        ]
    )  # fmt: skip

    assert code == MISUSED
    assert "c3: no such post" in capsys.readouterr().err


def test_readings_of_a_run_are_searched_with_its_renditions(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer, rendition = Scorer.load(place / "model"), a_rendition(red=250)
    media = Media(sha256="a" * 64, width=1, height=1, rendition=rendition)
    post = a_post("7", media)
    [scores] = scorer.score([ScoreInput(post.model_text, (rendition,))])
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / f"{media.sha256}.jpg").write_bytes(rendition)
    (tmp_path / "readings.jsonl").write_bytes(encode(make_reading(post, scores)) + b"\n")

    code = main(
        [
            "search", "--readings", str(tmp_path / "readings.jsonl"),
            "--index", str(tmp_path / "index"), "--checkpoint", str(place / "model"),
            "--image", str(place / "photo.jpg"), "--json",
        ]
    )  # fmt: skip

    _, by_image = msgspec.json.decode(capsys.readouterr().out)
    assert code == OK
    assert ids(by_image) == ["7"]


def a_post(post_id: str, media: Media) -> Post:
    """A clean post with a picture."""
    return msgspec.convert(
        {
            "channel": "x",
            "post_id": post_id,
            "created_at": "2026-11-24T08:00:00Z",
            "author": "someone",
            "text": "good phone",
            "model_text": "good phone",
            "position": Position("posts", 0, 0),
            "media": [media],
        },
        Post,
    )


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--input", "nowhere.jsonl", "--text", "a"], "--input nowhere.jsonl: no such file"),
        (["--text", "a"], "Name posts with --input FILE"),
        (["--input", "POSTS", "--text", "  "], "--text: holds no words"),
        (["--input", "POSTS", "--image", "POSTS"], "cannot be read"),
        (["--input", "POSTS", "--like", "nobody"], "nobody: no such post"),
        (["--readings", "POSTS", "--text", "a"], "line 1 is no reading"),
    ],
)
def test_misuse_is_one_line_that_names_the_remedy(
    arguments: list[str],
    remedy: str,
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    posts = str(place / "posts.jsonl")
    given = [posts if argument == "POSTS" else argument for argument in arguments]
    model = str(place / "model")

    code = main(["search", *given, "--index", str(tmp_path / "index"), "--checkpoint", model])

    error = capsys.readouterr().err
    assert code == MISUSED
    assert remedy in " ".join(error.split()) and "Traceback" not in error
