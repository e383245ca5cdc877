"""Facts about a second model: its disagreement is exact, and it never stands in the way."""

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from models.scorer import ScoreInput
from models.shadow import Compared, Disagreement, ShadowModel, leading_sentiment
from tests.builders import a_reading

READ = ScoreInput("good")


def compared(*valences: float) -> list[Compared]:
    """Posts as the model in use read them."""
    return [Compared(READ, a_reading(valence=valence)) for valence in valences]


class Known:
    """A model that says the same of each post."""

    def __init__(self, **mood: Any) -> None:
        self.mood = a_reading(**mood)
        self.may_score = threading.Event()
        self.may_score.set()

    def score(self, items: Sequence[ScoreInput]) -> Any:
        self.may_score.wait(30)
        return [self.mood for _ in items]


def shadow_of(model: Any, backlog_posts: int = 512) -> ShadowModel:
    return ShadowModel(lambda: model, backlog_posts)


def collected(shadow: ShadowModel, posts: int) -> Disagreement:
    """All that comes of so many offered posts."""
    found = Disagreement()
    wait, tries = threading.Event(), 0
    while found.posts + sum(found.skipped.values()) < posts:
        found.merge(shadow.collect())
        assert (tries := tries + 1) < 3000 and not wait.wait(0.01)
    return found


def test_disagreement_of_known_models_is_exact() -> None:
    other = Known(valence=-0.5, emotions={"joy": 0.1, "anger": 0.4}, irony=0.3)

    found = shadow_of(other).compare(compared(0.2, -0.5, 0.75))

    assert (found.posts, found.differing, dict(found.skipped)) == (3, 2, {})
    assert found.differences["valence"] == 700_000 + 0 + 1_250_000
    assert found.differences["joy"] == 3 * 500_000
    assert found.differences["anger"] == 3 * 390_000
    assert found.differences["irony"] == 3 * 200_000
    assert found.differences["offence"] == found.differences["sadness"] == 0


def test_a_model_agrees_with_itself() -> None:
    found = shadow_of(Known(valence=0.2)).compare(compared(0.2, 0.2))

    assert found.posts == 2 and found.differing == 0 and not any(found.differences.values())


def test_disagreement_adds_up_in_any_order() -> None:
    shadow = shadow_of(Known(valence=0.0))
    parts = [shadow.compare(compared(v)) for v in (0.9, -0.3, 0.1)]
    one, other = Disagreement(), Disagreement()
    for part, back in zip(parts, reversed(parts), strict=True):
        one.merge(part)
        other.merge(back)

    assert one == other == shadow.compare(compared(0.9, -0.3, 0.1))


@pytest.mark.parametrize("how", ["load", "score"])
def test_a_shadow_that_fails_is_counted_and_skipped(how: str) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("broken")

    load: Any = fail if how == "load" else lambda: SimpleNamespace(score=fail)
    shadow = ShadowModel(load)
    shadow.offer(compared(0.1))

    assert shadow.compare(compared(0.2, 0.3)).skipped == {how: 2}
    assert collected(shadow, 1).skipped == {how: 1}


def test_offered_posts_are_read_aside_and_told_once() -> None:
    shadow = shadow_of(Known(valence=-0.5))
    shadow.offer(compared(0.2))
    shadow.offer(compared(0.2, -0.5))

    found = collected(shadow, 3)

    assert (found.posts, found.differing) == (3, 2)
    assert shadow.collect() == Disagreement()


def test_posts_that_come_too_fast_are_skipped_without_a_wait() -> None:
    slow = Known(valence=0.2)
    slow.may_score.clear()
    shadow = shadow_of(slow, backlog_posts=3)
    for _ in range(4):  # nothing is read yet, and none of these calls waits
        shadow.offer(compared(0.2, 0.2))
    slow.may_score.set()

    found = collected(shadow, 8)

    assert (found.posts, dict(found.skipped)) == (2, {"busy": 6})


def test_of_equally_likely_sentiments_the_first_leads() -> None:
    assert (
        leading_sentiment(a_reading(sentiment={"negative": 0.4, "neutral": 0.2, "positive": 0.4}))
        == "negative"
    )
