from pathlib import Path

import numpy as np
import pytest

from models.retrieval.errors import SearchError
from models.retrieval.index import key_of
from models.retrieval.store import Manifest, load_index, read_manifest, save_index
from tests.models.retrieval.places import WIDTH, a_filled_index, vectors

MANIFEST = Manifest(model="tiny-1", source="abc", width=WIDTH, capacity=100_000)


def test_an_index_comes_back_as_it_was(tmp_path: Path) -> None:
    index, texts = a_filled_index()
    written = save_index(index, MANIFEST, tmp_path / "index")

    back, manifest = load_index(tmp_path / "index")

    assert manifest == written
    assert list(back) == list(index)
    assert back.search(texts[5], "text", 20) == index.search(texts[5], "text", 20)
    assert back.similar(key_of("x", "6"), 5) == index.similar(key_of("x", "6"), 5)


def test_an_index_that_came_back_goes_on_sliding(tmp_path: Path) -> None:
    index, texts = a_filled_index(50, capacity=50)
    save_index(index, Manifest(model="m", source="s", width=WIDTH, capacity=50), tmp_path)
    back, _ = load_index(tmp_path)

    back.add(next(iter(a_filled_index(1)[0])), texts[0], None)  # post 0 once more
    [extra] = vectors(1, seed=5)
    newest = next(entry for entry in a_filled_index(80)[0] if entry.post_id == "79")
    back.add(newest, extra, None)

    assert len(back) == 50
    assert next(iter(back)).post_id == "1"


def test_nothing_of_a_deleted_post_stays_on_disk(tmp_path: Path) -> None:
    index, texts = a_filled_index(30)
    save_index(index, MANIFEST, tmp_path)
    deleted = np.asarray(texts[7], dtype=np.float16).tobytes()
    assert any(deleted in file.read_bytes() for file in tmp_path.iterdir())

    index.forget(key_of("x", "7"))
    save_index(index, MANIFEST, tmp_path)

    contents = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not any(deleted in content or b"text 7" in content for content in contents)
    assert len(load_index(tmp_path)[0]) == 29


def test_a_write_that_was_killed_leaves_the_earlier_index(tmp_path: Path) -> None:
    index, _ = a_filled_index(30)
    save_index(index, MANIFEST, tmp_path)
    (tmp_path / "2-text.usearch").write_bytes(b"half")  # no manifest names generation 2
    (tmp_path / "2-posts.jsonl").write_bytes(b'{"chan')

    assert len(load_index(tmp_path)[0]) == 30
    assert save_index(index, MANIFEST, tmp_path).generation == 3
    assert len(list(tmp_path.glob("2-*"))) == 0


def test_a_folder_without_an_index_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    with pytest.raises(SearchError, match="missing"):
        load_index(tmp_path)

    index, _ = a_filled_index(30)
    save_index(index, MANIFEST, tmp_path)
    (tmp_path / "1-text.usearch").write_bytes(b"broken")
    with pytest.raises(SearchError, match="delete the folder"):
        load_index(tmp_path)

    (tmp_path / "index.json").write_bytes(b"{}")
    with pytest.raises(SearchError, match="delete the folder"):
        read_manifest(tmp_path)


def test_an_index_of_another_format_is_refused(tmp_path: Path) -> None:
    save_index(a_filled_index(3)[0], MANIFEST, tmp_path)
    file = tmp_path / "index.json"
    file.write_text(file.read_text().replace('"format":1', '"format":9'))

    with pytest.raises(SearchError, match="format 9"):
        load_index(tmp_path)
