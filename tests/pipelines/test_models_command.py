"""Facts about `moodwire models`: only what loads and scores is pointed at."""

import json
from pathlib import Path

import pytest

from models.drift import LEAST_ROWS, read_reference, reference_of, write_reference
from models.model_pointer import named_folder
from pipelines.command_line import MISUSED, OK, main
from pipelines.models_command import find_checkpoints, remarks
from pipelines.settings import ModelSettings, Settings
from tests.builders import a_reading
from tests.models.named_models import a_named_checkpoint, a_senseless_checkpoint


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("first", "second")):
        a_named_checkpoint(home / name, name, seed)
    a_named_checkpoint(home / "copy", "first", seed=5)
    a_senseless_checkpoint(home / "senseless")
    return home


def use(home: Path, name: str, pointer: Path) -> int:
    return main(["models", "use", str(home / name), "--pointer", str(pointer)])


def test_a_folder_that_loads_and_scores_is_pointed_at(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pointer = tmp_path / "current"

    assert use(home, "first", pointer) == use(home, "second", pointer) == OK
    assert named_folder(pointer) == home / "second"
    assert "drift is not measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("nowhere", "name a folder"),
        ("senseless", "train or copy it again"),
        ("copy", "another name"),
    ],
)
def test_another_folder_changes_nothing(
    name: str, remedy: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pointer = tmp_path / "current"
    use(home, "first", pointer)

    assert use(home, name, pointer) == MISUSED
    assert named_folder(pointer) == home / "first"
    assert remedy in capsys.readouterr().err.replace("\n", "")


def test_a_folder_is_no_pointer(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert use(home, "first", home / "second") == MISUSED
    assert "models/current" in capsys.readouterr().err


def test_the_list_shows_which_one_is_in_use(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    pointer = home / "current"
    use(home, "first", pointer)
    use(home, "second", pointer)
    capsys.readouterr()

    assert main(["models", "list", "--pointer", str(pointer)]) == OK
    shown = [line for line in capsys.readouterr().out.splitlines() if str(home) in line]
    by_use = {line.split()[-2]: line for line in shown if "in use" in line or "earlier" in line}
    assert len(by_use) == 2
    assert {listed.version for listed in find_checkpoints(pointer)} >= {"first", "second"}
    pointer.unlink()


def test_a_reference_is_made_of_posts(home: Path, tmp_path: Path) -> None:
    folder = a_named_checkpoint(tmp_path / "third", "third")
    posts = tmp_path / "posts.jsonl"
    lines = [{"post_id": n, "text": "good phone " * (n % 9 + 1)} for n in range(LEAST_ROWS)]
    posts.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert main(["models", "reference", str(folder), "--posts", str(posts)]) == OK

    reference = read_reference(folder)
    assert reference is not None and (reference.model, reference.rows) == ("third", LEAST_ROWS)
    assert remarks(Settings(model=ModelSettings(checkpoint=str(folder)))) == ()


def test_the_reference_of_another_model_does_not_count(tmp_path: Path) -> None:
    folder = a_named_checkpoint(tmp_path / "third", "third")
    write_reference(folder, reference_of([a_reading(model="second")]))

    (remark,) = remarks(Settings(model=ModelSettings(checkpoint=str(folder))))

    assert "no reference.json of its model" in remark


def test_too_few_posts_make_no_reference(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"post_id": "1", "text": "good"}\n')

    assert main(["models", "reference", str(home / "first"), "--posts", str(posts)]) == MISUSED
    assert "better with thousands" in capsys.readouterr().err.replace("\n", "")
    assert read_reference(home / "first") is None


def test_a_run_says_what_its_models_lack(home: Path) -> None:
    model = ModelSettings(checkpoint=str(home / "first"), shadow=str(home / "second"))

    no_drift, shadow = remarks(Settings(model=model))

    assert "has no reference.json" in no_drift
    assert "10% of the posts" in shadow
