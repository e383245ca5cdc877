import random
from collections import Counter

import pytest

from models.training.data import Example
from models.training.mixture import Mixture, drop_tokens
from models.training.settings import TextStageSettings

TOKENS = (2, 5, 6, 7, 3)


def rows(task: str, count: int) -> list[Example]:
    return [Example(task, f"{task} {index}", (0,), TOKENS) for index in range(count)]


def a_mixture(seed: int = 1, **settings: object) -> Mixture:
    examples = {"sentiment": rows("sentiment", 800), "irony": rows("irony", 50)}
    plain = {"epochs": 2.0, "rounds": 4, "batch_size": 32}
    return Mixture(examples, TextStageSettings(**{**plain, **settings}), seed)  # type: ignore[arg-type]


def read(mixture: Mixture, round_: int) -> list[str]:
    return [example.text for batch in mixture.batches(round_) for example in batch]


def test_by_size_every_text_is_read_as_often_as_there_are_epochs() -> None:
    mixture = a_mixture()

    counts = Counter(text for round_ in range(4) for text in read(mixture, round_))

    assert set(counts.values()) == {2}
    assert len(counts) == 850


def test_no_text_comes_again_before_all_others_of_its_task_have() -> None:
    mixture = a_mixture(mix=(1.0, 0.0))

    counts = Counter(
        text for round_ in range(4) for text in read(mixture, round_) if text.startswith("irony")
    )

    assert len(counts) == 50
    assert max(counts.values()) - min(counts.values()) <= 1


def test_small_tasks_count_more_and_more() -> None:
    first, *_, last = a_mixture(mix=(1.0, 0.0)).counts

    assert first == {"sentiment": 400, "irony": 25}
    assert last["sentiment"] == last["irony"]


def test_emphasis_multiplies_a_task() -> None:
    assert a_mixture(emphasis={"irony": 4.0}).counts[0]["irony"] == pytest.approx(425 / 5)


def test_a_round_is_the_same_whatever_was_read_before_and_another_for_another_seed() -> None:
    one, other = a_mixture(token_dropout=0.3), a_mixture(token_dropout=0.3)
    one.batches(0)

    assert one.batches(2) == other.batches(2)
    assert read(one, 2) != read(a_mixture(seed=2), 2)


def test_steps_say_how_many_batches_a_round_has() -> None:
    mixture = a_mixture(mix=(1.0, 0.5))

    assert [len(mixture.batches(round_)) for round_ in range(4)] == mixture.steps


def test_dropped_tokens_leave_the_frame_and_something_inside() -> None:
    shortened = [drop_tokens(rows("irony", 1)[0], 0.6, random.Random(seed)) for seed in range(50)]

    assert {(one.token_ids[0], one.token_ids[-1]) for one in shortened} == {(2, 3)}
    assert min(len(one.token_ids) for one in shortened) == 3
    assert max(len(one.token_ids) for one in shortened) == 5
