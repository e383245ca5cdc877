"""Facts about swapping models: whole bundles, no wait, and a bad folder changes nothing."""

import shutil
import threading
from pathlib import Path

import pytest

from models.checkpoint import WEIGHTS_FILE, CheckpointError
from models.following import (
    FollowingScorer,
    Loading,
    OnePerProcess,
    Refused,
    Swapped,
    check_scores,
    follow,
)
from models.model_pointer import point_at
from models.scorer import ScoreInput, Scorer
from tests.models.named_models import a_named_checkpoint, a_senseless_checkpoint

REFRESH = 10.0


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    for number, name in enumerate(("first", "second")):
        a_named_checkpoint(home / name, name, seed=number)
    a_senseless_checkpoint(home / "senseless")
    shutil.copytree(home / "second", home / "damaged")
    (home / "damaged" / WEIGHTS_FILE).write_bytes(b"not weights")
    return home


@pytest.fixture
def pointer(home: Path, tmp_path: Path) -> Path:
    point_at(tmp_path / "current", home / "first")
    return tmp_path / "current"


def following(pointer: Path, clock: Clock) -> FollowingScorer:
    return FollowingScorer(pointer, Scorer.load, REFRESH, clock)


def looked(scorer: FollowingScorer, clock: Clock) -> list[Swapped | Refused]:
    """What came of a look at the pointer, with a bundle before and after the load."""
    clock.now += REFRESH
    scorer.pin()
    scorer.join()
    return scorer.pin()


def test_another_folder_takes_over_at_the_start_of_a_bundle(pointer: Path, home: Path) -> None:
    clock = Clock()
    scorer = following(pointer, clock)
    point_at(pointer, home / "second")

    scorer.pin()
    before = scorer.model, scorer.score([ScoreInput("good")])[0].model
    events = looked(scorer, clock)

    assert before == ("first", "first")
    assert events == [Swapped("second")]
    assert (scorer.model, scorer.score([ScoreInput("good")])[0].model) == ("second", "second")
    assert scorer.folder == home / "second"


def test_the_pointer_is_not_looked_at_before_its_time(pointer: Path, home: Path) -> None:
    clock = Clock()
    scorer = following(pointer, clock)
    point_at(pointer, home / "second")
    clock.now = REFRESH - 1

    scorer.pin()
    scorer.join()

    assert scorer.pin() == [] and scorer.model == "first"


def test_without_a_refresh_time_the_model_stays_for_good(pointer: Path, home: Path) -> None:
    clock = Clock()
    scorer = FollowingScorer(pointer, Scorer.load, 0.0, clock)
    point_at(pointer, home / "second")

    assert looked(scorer, clock) == [] and scorer.model == "first"


def test_a_bundle_keeps_its_model_while_another_thread_takes_the_new_one(
    pointer: Path, home: Path
) -> None:
    clock = Clock()
    scorer = following(pointer, clock)
    scorer.pin()  # this thread's bundle goes on
    point_at(pointer, home / "second")
    seen: list[str] = []

    def other_bundles() -> None:
        looked(scorer, clock)
        seen.append(scorer.model)
        scorer.unpin()

    thread = threading.Thread(target=other_bundles)
    thread.start()
    thread.join()

    assert seen == ["second"]
    assert scorer.score([ScoreInput("good")])[0].model == "first"
    scorer.unpin()
    assert scorer.model == "second"


def test_bundles_go_on_while_a_folder_loads(pointer: Path, home: Path) -> None:
    clock, may_load = Clock(), threading.Event()

    def load(folder: Path) -> Scorer:
        if folder.name == "second":
            may_load.wait(30)
        return Scorer.load(folder)

    scorer = FollowingScorer(pointer, load, REFRESH, clock)
    point_at(pointer, home / "second")
    clock.now = REFRESH
    models = []
    for _ in range(3):  # none of them waits
        scorer.pin()
        models.append(scorer.model)
        scorer.unpin()
    may_load.set()
    scorer.join()

    assert models == ["first"] * 3
    assert scorer.pin() == [Swapped("second")]


@pytest.mark.parametrize(
    ("name", "cause"), [("damaged", "load"), ("nowhere", "load"), ("senseless", "scores")]
)
def test_a_folder_that_cannot_be_used_is_refused_and_the_old_model_goes_on(
    name: str, cause: str, pointer: Path, home: Path
) -> None:
    clock = Clock()
    scorer = following(pointer, clock)
    point_at(pointer, home / name)

    (event,) = looked(scorer, clock)

    assert isinstance(event, Refused) and event.cause == cause and name in event.detail
    assert scorer.model == "first"


def test_a_pointer_that_is_gone_is_refused_too(pointer: Path) -> None:
    clock = Clock()
    scorer = following(pointer, clock)
    pointer.unlink()
    clock.now = REFRESH

    (event,) = scorer.pin()

    assert isinstance(event, Refused) and event.cause == "pointer" and scorer.model == "first"


def test_a_refused_folder_is_tried_again_ever_more_rarely_and_taken_once_mended(
    pointer: Path, home: Path, tmp_path: Path
) -> None:
    clock, tries = Clock(), 0
    scorer = following(pointer, clock)
    point_at(pointer, tmp_path / "late")
    for _ in range(40):
        clock.now += REFRESH
        tries += len(scorer.pin())
        scorer.join()
    shutil.copytree(home / "second", tmp_path / "late")
    clock.now += 64 * REFRESH
    scorer.pin()
    scorer.join()

    assert 3 <= tries <= 6
    assert Swapped("second") in scorer.pin()


def test_a_broken_folder_at_the_start_falls_back_on_the_one_before(
    pointer: Path, home: Path
) -> None:
    point_at(pointer, home / "damaged")
    scorer = following(pointer, Clock())

    (event,) = scorer.pin()

    assert scorer.model == "first"
    assert isinstance(event, Refused) and event.cause == "load"


def test_without_an_earlier_folder_a_broken_one_stops_the_start(home: Path) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        following(home / "damaged", Clock())


def test_scores_that_are_none_are_found_out(home: Path) -> None:
    check_scores(Scorer.load(home / "first"))

    with pytest.raises(CheckpointError, match="train or copy it again"):
        check_scores(Scorer.load(home / "senseless"))


def test_a_process_has_one_scorer_for_a_path_while_somebody_uses_it(pointer: Path) -> None:
    one = follow(str(pointer), Loading(), REFRESH)

    assert follow(str(pointer), Loading(), REFRESH) is one


def test_what_nobody_uses_is_made_anew() -> None:
    kept, made = OnePerProcess(), []

    class Large:
        def __init__(self) -> None:
            made.append(self.__class__)

    first = kept.get("key", Large)
    assert kept.get("key", Large) is first
    del first

    kept.get("key", Large)
    assert len(made) == 2
