"""Names of everything the model predicts, in the order of the logits."""

from typing import Final

SENTIMENTS: Final = ("negative", "neutral", "positive")

# The 27 emotions of GoEmotions (Demszky et al. 2020) and neutral, in the authors' order.
EMOTIONS: Final = (
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
)

# TweetEval's four emotions are four of the 28 logits, trained by a softmax over just these.
TWEET_EMOTIONS: Final = ("anger", "joy", "optimism", "sadness")
TWEET_EMOTION_INDEXES: Final = tuple(EMOTIONS.index(name) for name in TWEET_EMOTIONS)

# Head name -> number of logits.
HEADS: Final = {"sentiment": len(SENTIMENTS), "emotions": len(EMOTIONS), "irony": 1, "offence": 1}
