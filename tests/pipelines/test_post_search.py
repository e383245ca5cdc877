"""Facts about search on the live page: a window of a growing run that forgets what was erased."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboards.live.searches import Answer, CannotSearchError
from models.retrieval.index import SlidingIndex
from models.retrieval.store import Manifest
from pipelines import post_search, run_readings
from pipelines.post_search import PostSearch
from pipelines.run_readings import FolderReadings
from pipelines.search_index import Opened
from schemas.records import Exemplar, Reading, Weights
from tests.builders import a_reading, at
from tests.dashboards.run_folder import append
from tests.models.retrieval.places import an_entry
from tests.models.tiny_model import a_rendition, a_saved_checkpoint

PHOTO = "a" * 64
TEXTS = {"1": "good phone", "2": "the phone is bad", "3": "not very good", "4": "is the phone bad"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(a_saved_checkpoint(tmp_path_factory.mktemp("model")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder of four posts, the first with a picture."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / f"{PHOTO}.jpg").write_bytes(a_rendition())
    append(tmp_path / "readings.jsonl", *(told(name, text) for name, text in TEXTS.items()))
    return tmp_path


Build = Callable[..., PostSearch]


@pytest.fixture
def build(folder: Path, model: str) -> Iterator[Build]:
    """Makes searches of the folder, which end with the test."""
    made: list[PostSearch] = []

    def make(most: int = 100, checkpoint: str = model) -> PostSearch:
        def rendition(name: str) -> bytes | None:
            file = folder / "media" / f"{name}.jpg"
            return file.read_bytes() if file.is_file() else None

        index = str(folder / "index")
        made.append(PostSearch(FolderReadings(folder), rendition, checkpoint, index, most))
        return made[-1]

    yield make
    for search in made:
        search.close()


def told(post_id: str, text: str, seconds: float = 0) -> Reading:
    """A reading; that of post 1 has a picture."""
    pictures = (PHOTO,) if post_id == "1" else ()
    return a_reading(post_id=post_id, text=text, created_at=at(seconds), thumbnails=pictures)


def settled(ask: Callable[[], Answer | None]) -> Answer:
    """The answer once no post waits any more."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = ask()
        assert answer is not None
        if answer.stage == "ready" and not answer.waiting:
            return answer
        time.sleep(0.02)
    raise AssertionError("posts still wait")


def ids(answer: Answer, by: str = "text") -> list[str]:
    [nearest] = [nearest for nearest in answer.nearest if nearest.by == by]
    return [found.post.post_id for found in nearest.found]


def test_the_first_question_is_told_that_the_model_loads(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, may_load = PostSearch._load, threading.Event()
    monkeypatch.setattr(PostSearch, "_load", lambda self: may_load.wait(30) and load(self))
    search = build()

    assert search.words("phone") == Answer(stage="loading")
    assert search.like("x", "1", None) == Answer(stage="loading")
    may_load.set()
    assert settled(lambda: search.words("phone")).posts == len(TEXTS)


def test_words_find_the_post_that_says_them_and_images_apart(build: Build) -> None:
    search = build()

    answer = settled(lambda: search.words("the phone is bad"))

    assert answer.posts == 4
    assert ids(answer)[0] == "2"
    assert ids(answer, "image") == ["1"]
    [best, *_] = answer.nearest[0].found
    assert best.similarity == pytest.approx(1, abs=1e-2)
    assert (best.post.text, best.brands, best.post.valence) == ("the phone is bad", ("Nova",), 0.2)


def test_posts_like_one_leave_that_one_out(build: Build) -> None:
    search = build()

    answer = settled(lambda: search.like("x", "2", None))

    assert sorted(ids(answer, "post")) == ["1", "3", "4"]
    assert answer.like is not None and answer.like.text == "the phone is bad"
    assert search.post("x", "2") == answer.like


def test_a_post_that_the_page_shows_need_not_be_in_the_window(build: Build) -> None:
    search = build()
    shown = Exemplar(
        channel="x", post_id="old", created_at=at(-9), text="good phone", valence=0.1,
        emotion="joy", reach=1, weights=Weights(0.5, 0.5), thumbnail=PHOTO,
    )  # fmt: skip

    answer = settled(lambda: search.like("x", "old", shown))

    assert ids(answer, "post")[0] == "1"
    assert answer.nearest[0].found[0].similarity == pytest.approx(1, abs=1e-2)
    assert search.like("x", "nobody", None) is None


def test_words_that_say_nothing_have_no_answer(build: Build) -> None:
    search = build()
    settled(lambda: search.words("phone"))

    assert search.words("\u200b") is None


def test_what_a_run_adds_can_be_found(build: Build, folder: Path) -> None:
    search = build()
    settled(lambda: search.words("phone"))

    append(folder / "readings.jsonl", told("new", "very very bad"))

    assert ids(settled(lambda: search.words("very very bad")))[0] == "new"


def test_the_newest_posts_are_kept_and_no_others(build: Build, folder: Path) -> None:
    newer = (told(f"n{n}", f"good {n}", 60 + n) for n in range(30))
    append(folder / "readings.jsonl", *newer)
    search = build(most=8)

    answer = settled(lambda: search.words("good"))

    assert answer.posts == 8
    assert sorted(ids(answer)) == sorted(f"n{n}" for n in range(22, 30))
    assert search.post("x", "n21") is None


def test_posts_that_say_and_show_the_same_are_told_once(build: Build, folder: Path) -> None:
    copies = [told(f"n{n}", "the phone is bad", 60 + n) for n in range(30)]
    append(folder / "readings.jsonl", *copies)
    search = build()

    answer = settled(lambda: search.words("the phone is bad"))

    assert len(ids(answer)) == len(set(TEXTS.values()))
    assert answer.nearest[0].found[0].alike == 30
    assert sum(found.alike for found in answer.nearest[0].found[1:]) == 0


def test_of_a_long_file_the_end_is_read(
    build: Build, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (folder / "readings.jsonl").stat().st_size
    monkeypatch.setattr(run_readings, "LAST_BYTES", size // 2)
    search = build()

    assert set(ids(settled(lambda: search.words("good")))) < set(TEXTS)


@pytest.mark.parametrize("way", ["replaced", "cut"])
def test_a_post_that_the_file_no_longer_holds_is_not_found(
    build: Build, folder: Path, way: str
) -> None:
    search, file = build(), folder / "readings.jsonl"
    settled(lambda: search.words("phone"))

    kept = b"".join(file.read_bytes().splitlines(keepends=True)[2:])
    if way == "replaced":
        (folder / "fresh").write_bytes(kept)
        os.replace(folder / "fresh", file)
    else:
        file.write_bytes(kept)
    at_once = search.words("phone")

    assert at_once is not None and not {"1", "2"} & set(ids(at_once))
    assert sorted(ids(settled(lambda: search.words("phone")))) == ["3", "4"]


def test_a_post_deleted_by_the_command_line_is_not_found_from_the_next_question_on(
    build: Build, folder: Path
) -> None:
    search = build()
    settled(lambda: search.words("phone"))
    manifest = Manifest(model="tiny-1", source="file", width=2, capacity=9)

    Opened(SlidingIndex(2), manifest, folder / "index").forget(an_entry("2", 0.0))

    after = search.words("the phone is bad")
    assert after is not None and "2" not in ids(after)
    assert search.like("x", "2", None) is None
    append(folder / "readings.jsonl", told("2", "the phone is bad", 5))
    assert "2" not in ids(settled(lambda: search.words("the phone is bad")))


def test_a_damaged_list_of_deleted_posts_finds_nothing(build: Build, folder: Path) -> None:
    search = build()
    settled(lambda: search.words("phone"))
    (folder / "index").mkdir()
    (folder / "index" / "index.json").write_text("{")

    with pytest.raises(CannotSearchError, match="which posts were deleted"):
        search.words("phone")


def test_a_damaged_picture_costs_no_post(build: Build, folder: Path) -> None:
    (folder / "media" / f"{PHOTO}.jpg").write_bytes(b"no picture")
    search = build()

    answer = settled(lambda: search.words("good phone"))

    assert ids(answer)[0] == "1"
    assert ids(answer, "image") == []


def test_a_model_that_cannot_be_used_is_said_once_and_tried_again(
    build: Build, folder: Path, model: str
) -> None:
    search = build(checkpoint=str(folder / "model"))
    search.words("phone")

    def fails() -> bool:
        try:
            return search.words("phone") is None
        except CannotSearchError as error:
            return "the model cannot be used" in str(error)

    deadline = time.monotonic() + 30
    while not fails():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.symlink(model, folder / "model")
    assert settled(lambda: search.words("phone")).posts == 4


def test_it_rests_when_nobody_asks_and_goes_on_when_somebody_does(
    build: Build, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_search, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(post_search, "POLL_SECONDS", 0.05)
    search = build()
    settled(lambda: search.words("phone"))
    working = search._thread
    assert working is not None

    working.join(20)
    append(folder / "readings.jsonl", told("new", "very very bad"))

    assert not working.is_alive()
    assert ids(settled(lambda: search.words("very very bad")))[0] == "new"


def test_the_shipped_model_is_loaded_without_torch(folder: Path) -> None:
    """In a process of its own: this one has torch already."""
    script = (
        "import sys, time; from pathlib import Path; from pipelines.post_search import PostSearch\n"
        "from pipelines.run_readings import FolderReadings\n"
        "assert 'onnxruntime' not in sys.modules and 'usearch' not in sys.modules\n"
        f"search = PostSearch(FolderReadings(Path({str(folder)!r})), lambda name: None)\n"
        "while not (search.words('phone').posts == 4): time.sleep(0.1)\n"
        "search.close(); sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode == 0
