"""The topics that a brand is known for: groups of each hour matched with those of the last days."""

from __future__ import annotations

from collections import Counter

import msgspec

from models.detection.incidents import hashed_id
from models.detection.terms import most_frequent
from models.detection.topics import (
    SAME_TOPIC,
    Weights,
    likeness,
    name_of,
    strongest,
)
from schemas.records import Estimate, Exemplar

HOUR_SECONDS = 3600
FRESH_SECONDS = 6 * HOUR_SECONDS  # a topic is new for so long after it was first seen
MOST_KNOWN = 200
MOST_WORDS = 2000
MOST_TEXTS = 20_000  # of the past; then all counts are halved
KEPT = 0.7  # of a known topic's words, where a group goes on with it
LEAST_LIFT = 8.0  # how much more often than before a new topic's words are said
FIRST_WORD, SECOND_WORD = 0.5, 0.25  # shares of its texts that say them, at least


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Posts of one hour that share their words, as a sample of the hour shows them.

    `posts` is an estimate for the whole hour, `authors` are those that the sample holds. `counts`
    say in how many of its different `texts` each of its words stands.
    """

    weights: Weights
    counts: dict[str, int]
    texts: int
    posts: int
    authors: int
    reach: int
    share_negative: Estimate
    valence: Estimate
    emotion: str
    exemplars: tuple[Exemplar, ...]


class TopicHour(msgspec.Struct, frozen=True, kw_only=True):
    """The groups of one brand's hour, largest first, and the words of all its texts.

    `other` posts are in no group, or in one too many. `pane` counts the posts so far.
    """

    start: int
    end: int
    final: bool
    pane: int
    groups: tuple[Group, ...]
    other: int
    texts: int
    words: dict[str, int]


class KnownTopic(msgspec.Struct, kw_only=True):
    """A topic seen in the last days; `novel` if its words were not said before it."""

    topic_id: str
    weights: Weights
    first_seen: int
    last_seen: int
    novel: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A group as the topic that it is: since when, under which words, and whether it is new."""

    topic_id: str
    terms: tuple[str, ...]
    first_seen: int
    is_new: bool
    group: Group


class TopicMemory(msgspec.Struct, kw_only=True):
    """Known topics and usual words of a brand: a fold over its hours in event-time order.

    Bounded: the 200 topics seen last, the 2,000 most frequent words; what was not seen for
    `remember_seconds` is forgotten.
    """

    topics: list[KnownTopic] = []
    words: dict[str, int] = {}
    texts: int = 0
    hours: int = 0
    last_start: int | None = None

    def learn_one(
        self, brand: str, hour: TopicHour, warm_up_hours: int, remember_seconds: int
    ) -> list[Seen]:
        """Name the groups of the next hour, then make them part of what is known."""
        self._forget(hour.start, remember_seconds)
        matched = self._match(hour)
        found = []
        for number, group in enumerate(hour.groups):
            terms = self._name(hour, group)
            known = matched.get(number)
            if known is None:
                known = self._add(brand, hour, group, terms, warm_up_hours)
            known.last_seen = hour.start
            found.append(
                Seen(
                    topic_id=known.topic_id,
                    terms=terms,
                    first_seen=known.first_seen,
                    is_new=known.novel and hour.start - known.first_seen < FRESH_SECONDS,
                    group=group,
                )
            )
        self._learn_words(hour)
        return found

    def _forget(self, start: int, remember_seconds: int) -> None:
        if self.last_start is not None and start - self.last_start > remember_seconds:
            self.words, self.texts, self.hours = {}, 0, 0
        self.topics = [t for t in self.topics if start - t.last_seen <= remember_seconds]

    def _match(self, hour: TopicHour) -> dict[int, KnownTopic]:
        """The known topic that each group goes on with, the likest first, each topic once."""
        pairs = [
            (-likeness(group.weights, topic.weights), number, topic.topic_id, topic)
            for number, group in enumerate(hour.groups)
            for topic in self.topics
        ]
        matched: dict[int, KnownTopic] = {}
        taken: set[str] = set()
        for unlike, number, name, topic in sorted(pairs, key=lambda pair: pair[:3]):
            if -unlike < SAME_TOPIC or number in matched or name in taken:
                continue
            matched[number] = topic
            taken.add(name)
            weights = hour.groups[number].weights
            topic.weights = strongest(
                {
                    word: KEPT * topic.weights.get(word, 0.0) + (1 - KEPT) * weights.get(word, 0.0)
                    for word in {**topic.weights, **weights}
                }
            )
        return matched

    def _add(
        self, brand: str, hour: TopicHour, group: Group, terms: tuple[str, ...], warm_up_hours: int
    ) -> KnownTopic:
        like_known = any(likeness(group.weights, t.weights) >= SAME_TOPIC for t in self.topics)
        novel = (
            not like_known and self.hours >= warm_up_hours and self._is_novel(group, hour, terms)
        )
        topic = KnownTopic(
            topic_id=self._new_id(brand, hour.start, terms),
            weights=group.weights,
            first_seen=hour.start,
            last_seen=hour.start,
            novel=novel,
        )
        self.topics.append(topic)
        return topic

    def _new_id(self, brand: str, start: int, terms: tuple[str, ...]) -> str:
        """A name that no known topic has, not even one of this hour with the same words."""
        known = {topic.topic_id for topic in self.topics}
        while (name := topic_id(brand, start, terms)) in known:
            terms = (*terms, terms[0] if terms else "")
        return name

    def _is_novel(self, group: Group, hour: TopicHour, terms: tuple[str, ...]) -> bool:
        """Whether a word of most texts, and another one, were hardly said in the brand's past."""
        shares = [
            group.counts[term] / group.texts
            for term in terms
            if group.counts[term] / hour.texts >= LEAST_LIFT * self._usual(term)
        ]
        heard = sorted((share for share in shares if share >= SECOND_WORD), reverse=True)
        return len(heard) > 1 and heard[0] >= FIRST_WORD

    def _usual(self, term: str) -> float:
        """Share of the brand's past texts that say a word, none being taken as half a one."""
        return max(self.words.get(term, 0), 0.5) / max(self.texts, 1)

    def _name(self, hour: TopicHour, group: Group) -> tuple[str, ...]:
        """Words that tell it from the brand's other texts, of this hour and of the past."""
        elsewhere = Counter(self.words) + Counter(hour.words) - Counter(group.counts)
        others = self.texts + hour.texts - group.texts
        return name_of(group.counts, group.texts, elsewhere, others)

    def _learn_words(self, hour: TopicHour) -> None:
        self.last_start, self.hours = hour.start, self.hours + 1
        self.topics = sorted(self.topics, key=lambda t: (-t.last_seen, t.topic_id))[:MOST_KNOWN]
        words = dict(Counter(self.words) + Counter(hour.words))
        self.texts += hour.texts
        if self.texts > MOST_TEXTS:
            self.texts //= 2
            words = {word: count // 2 for word, count in words.items() if count > 1}
        self.words = most_frequent(words, MOST_WORDS)


def topic_id(brand: str, start: int, terms: tuple[str, ...]) -> str:
    """Name of a topic: a hash of the brand, its first hour and its words, whatever their order."""
    return hashed_id(brand, start, *sorted(terms))
