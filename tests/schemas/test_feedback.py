"""Facts about feedback as a record: it fits together, and stays in one line of a terminal."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.records import AlertFeedback, decode, encode
from tests.dashboards.incidents import some_feedback

PLAIN = {"alert_id": "a1", "action": "acknowledge", "by": "Ada", "at": "2026-11-27T12:00:00Z"}


def decoded(**changes: Any) -> AlertFeedback:
    return decode(msgspec.json.encode({**PLAIN, **changes}), AlertFeedback)


@pytest.mark.parametrize("action", ["acknowledge", "snooze", "verdict"])
def test_feedback_comes_back_as_it_was_written(action: Any) -> None:
    feedback = some_feedback("a1", action, note="a film, not our brand")

    assert decode(encode(feedback), AlertFeedback) == feedback


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "snooze"},
        {"action": "verdict"},
        {"verdict": "true"},
        {"until": "2026-11-27T13:00:00Z"},
        {"action": "verdict", "verdict": "perhaps"},
        {"action": "shout"},
        {"by": ""},
        {"by": "x" * 81},
        {"by": "Ada\x1b[2J"},
        {"note": "two\nlines"},
        {"note": "x" * 501},
        {"at": "2026-11-27T12:00:00"},
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(**changes)


def test_a_later_word_has_the_key_of_an_earlier_one_of_its_kind() -> None:
    first, second = some_feedback("a1", "verdict"), some_feedback("a1", "verdict", by="Bo")

    assert first.key == second.key != some_feedback("a1").key
