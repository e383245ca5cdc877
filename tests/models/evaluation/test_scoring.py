from pathlib import Path

import numpy as np
import pytest

from models.evaluation.features import rendition
from models.evaluation.labelled import DataError, load_pairs, load_texts
from models.evaluation.scoring import Scoring, fingerprint
from models.scorer import ScoreInput
from tests.models.evaluation.labelled_posts import some_labelled_posts, write_rows
from tests.models.tiny_model import a_rendition, a_saved_checkpoint

POSTS = [ScoreInput("good phone"), ScoreInput("bad phone"), ScoreInput("", (a_rendition(),))]


def a_scoring(folder: Path, seed: int = 0) -> Scoring:
    return Scoring(a_saved_checkpoint(folder / "model", seed), folder / "scores", lambda *_: None)


def test_answers_are_kept_and_the_same_again(tmp_path: Path) -> None:
    first = a_scoring(tmp_path).answers("some", POSTS)
    again = Scoring(tmp_path / "model", tmp_path / "scores", lambda *_: None)

    kept = again.answers("some", POSTS)

    assert again.reused == len(POSTS)
    for name, values in first.arrays().items():
        np.testing.assert_array_equal(values, kept.arrays()[name])


def test_a_killed_scoring_goes_on_where_it_was(tmp_path: Path) -> None:
    posts = [ScoreInput("very " * (number % 5)) for number in range(600)]
    calls: list[int] = []

    def dies_late(what: str, done: int, total: int) -> None:
        calls.append(done)
        if calls == [0, 256, 512]:
            raise KeyboardInterrupt

    model = a_saved_checkpoint(tmp_path / "model")
    with pytest.raises(KeyboardInterrupt):
        Scoring(model, tmp_path / "scores", dies_late).answers("some", posts)
    again = Scoring(model, tmp_path / "scores", dies_late)

    found = again.answers("some", posts)

    assert again.reused == 512 and len(found) == 600
    whole = Scoring(model, tmp_path / "others", dies_late).answers("some", posts)
    np.testing.assert_array_equal(found.emotions, whole.emotions)


def test_other_posts_or_another_checkpoint_are_scored_anew(tmp_path: Path) -> None:
    a_scoring(tmp_path).answers("some", POSTS)

    others = a_scoring(tmp_path)
    others.answers("some", POSTS[::-1])
    trained = a_scoring(tmp_path, seed=1)
    trained.answers("some", POSTS[::-1])

    assert others.reused == trained.reused == 0


def test_what_lies_beside_the_model_does_not_change_its_fingerprint(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path / "model")
    before = fingerprint(folder)
    (folder / "reference.json").write_text("{}")

    assert fingerprint(folder) == before
    (folder / "config.json").write_text("{}")
    assert fingerprint(folder) != before


def test_only_changed_posts_are_scored_again(tmp_path: Path) -> None:
    scoring = a_scoring(tmp_path)
    clean = scoring.answers("clean", POSTS)

    texts = ["good phone", "good phone", ""]
    answers = scoring.changed("harmed", texts, np.array([1]), clean)

    assert answers.valence[1] == clean.valence[0] != clean.valence[1]
    assert answers.valence[2] == clean.valence[2]


def test_missing_data_is_named_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"irony/validation\.jsonl\.gz: no such file") as error:
        load_texts(tmp_path, "irony")

    assert "pairs/mvsa_single" in str(error.value)


def test_unknown_labels_broken_files_and_lost_images_are_named(tmp_path: Path) -> None:
    folder = some_labelled_posts(tmp_path, 3)
    irony = folder / "text/irony/validation.jsonl.gz"
    write_rows(irony, [{"text": "so", "label": "sarcasm"}])
    with pytest.raises(DataError, match="not as expected"):
        load_texts(folder, "irony")

    write_rows(irony, [{"text": None, "label": "irony"}])
    with pytest.raises(DataError, match="not as expected"):
        load_texts(folder, "irony")

    irony.write_bytes(irony.read_bytes()[:-9])
    with pytest.raises(DataError, match="not as expected"):
        load_texts(folder, "irony")

    (folder / "pairs/mvsa_single/images/validation-1.png").unlink()
    with pytest.raises(DataError, match=r"validation-1\.png: no such image"):
        load_pairs(folder, "validation")


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    image = load_pairs(some_labelled_posts(tmp_path, 3), "validation").images[0]
    image.write_bytes(image.read_bytes()[:40])

    with pytest.raises(DataError, match=rf"{image.name}: is not a readable image"):
        rendition(image)
