"""The 28 emotions that a reading holds, and the seven groups that trends show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Ekman's six basic emotions and neutral over the labels of GoEmotions (Demszky et al. 2020,
# "GoEmotions: A Dataset of Fine-Grained Emotions", section 3.4 and the authors' ekman_mapping).
EMOTION_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "admiration",
        "amusement",
        "approval",
        "caring",
        "desire",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    ),
    "sadness": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprise": ("confusion", "curiosity", "realization", "surprise"),
    "neutral": ("neutral",),
}
GROUPS: Final = tuple(EMOTION_GROUPS)
GROUP_OF: Final = {label: group for group, labels in EMOTION_GROUPS.items() for label in labels}
EMOTIONS: Final = (*sorted(set(GROUP_OF) - {"neutral"}), "neutral")


def group_probabilities(emotions: Mapping[str, float]) -> tuple[float, ...]:
    """Probability of each group in the order of `GROUPS`: that of its likeliest label.

    The labels are not exclusive, so a sum could pass one, and a noisy-or would favour joy for
    having twelve labels; the maximum does neither. Labels not given count as 0.
    """
    return tuple(
        max(emotions.get(label, 0.0) for label in labels) for labels in EMOTION_GROUPS.values()
    )


def leading_emotion(emotions: Mapping[str, float]) -> str:
    """The likeliest label, the first in alphabetical order when several tie."""
    return min(emotions, key=lambda label: (-emotions[label], label), default="neutral")
