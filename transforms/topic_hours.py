"""The posts drawn from a brand's hour, and the groups that they fall into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence

import msgspec

from models.detection.repeats import THOUSAND, Repeats
from models.detection.statistics import MICRO, Moment, share_estimate
from models.detection.terms import most_frequent
from models.detection.topic_memory import HOUR_SECONDS, Group, TopicHour
from models.detection.topics import Grouping, words_of
from schemas.records import Exemplar
from transforms.samples import Sample

DRAWN = 256  # posts of an hour that topics are found in
LEAST_AUTHORS = 3
CROWD = 10  # people who make one text alone a topic
EXEMPLARS = 3
MOST_COUNTED = 40  # words of a group
MOST_HEARD = 600  # words of an hour


class Gathered(msgspec.Struct):
    """How many posts an hour has, and which of them may still be drawn.

    Of `held` posts all have a priority up to `bar`; None while every post is held. `closed` once
    the watermark has passed the hour.
    """

    posts: int = 0
    held: int = 0
    bar: int | None = None
    closed: bool = False

    def takes(self, sample: Sample) -> bool:
        """Count a post; whether it is to be held."""
        self.posts += 1
        taken = self.bar is None or sample.priority <= self.bar
        self.held += taken
        return taken

    def narrow(self, held: Sequence[Sample]) -> list[Sample]:
        """The posts that stay drawn once too many are held."""
        kept = drawn_from(held)
        self.held, self.bar = len(kept), kept[-1].priority
        return kept


def drawn_from(held: Sequence[Sample]) -> list[Sample]:
    """The posts of the lowest priorities: the same ones in whatever order they came."""
    return sorted(held, key=_rank)[:DRAWN]


def _rank(sample: Sample) -> tuple[int, str, str]:
    post = shown(sample)
    return sample.priority, post.channel, post.post_id


def shown(sample: Sample) -> Exemplar:
    """The post itself, which samples of all posts of a brand hold."""
    assert sample.exemplar is not None
    return sample.exemplar


def hour_of(
    start: int,
    held: Sequence[Sample],
    *,
    posts: int,
    final: bool,
    most: int,
    own: Container[str] = (),
) -> TopicHour:
    """The groups of an hour with so many posts; `most` of them, the rest is `other`.

    Near-duplicates count once where posts are grouped, and a text that is merely repeated is a
    topic only if many people repeat it. Words of the brand's `own` tell nothing about a topic.
    """
    drawn = drawn_from(held)
    copies: dict[str, list[Sample]] = {}
    for sample in drawn:
        copies.setdefault(sample.cluster, []).append(sample)
    texts = list(copies.values())
    words = [words_of(same[0].terms, own) for same in texts]
    grouping = Grouping(words)
    groups = [
        _group(grouping, words, texts, members, posts / len(drawn))
        for members in grouping.groups
        if _is_topic([texts[number] for number in members])
    ]
    kept = sorted(groups, key=lambda g: (-g.authors, -g.posts, sorted(g.weights.items())))[:most]
    return TopicHour(
        start=start,
        end=start + HOUR_SECONDS,
        final=final,
        pane=posts,
        groups=tuple(kept),
        other=max(0, posts - sum(group.posts for group in kept)),
        texts=len(texts),
        words=most_frequent(Counter(word for text in words for word in text), MOST_HEARD),
    )


def _is_topic(texts: Sequence[Sequence[Sample]]) -> bool:
    authors = {sample.author for same in texts for sample in same}
    return len(authors) >= (LEAST_AUTHORS if len(texts) > 1 else CROWD)


def _group(
    grouping: Grouping,
    words: Sequence[tuple[str, ...]],
    texts: Sequence[Sequence[Sample]],
    members: Sequence[int],
    posts_each: float,
) -> Group:
    samples = [sample for number in members for sample in texts[number]]
    decided = [sample for sample in samples if not sample.abstained]
    negative = sum(sample.negative for sample in decided)
    repeats, valence = Repeats(), Moment()
    for sample in decided:
        values = [sample.negative * MICRO // THOUSAND, round(sample.valence / THOUSAND)]
        repeats.learn_one(sample.author, sample.cluster, values)
        valence.learn_one(sample.valence)
    share = negative / len(decided) if decided else 0.0
    worths = repeats.worth(len(decided), [share * (1 - share), valence.variance])
    central = [shown(texts[number][0]) for number in grouping.central(members)]
    return Group(
        weights=grouping.weights(members),
        counts=most_frequent(
            Counter(word for number in members for word in words[number]), MOST_COUNTED
        ),
        texts=len(members),
        posts=round(len(samples) * posts_each),
        authors=len({sample.author for sample in samples}),
        reach=sum(sample.reach for sample in samples),
        share_negative=share_estimate(negative, len(decided), worths[0]),
        valence=valence.estimate(worths[1], -1.0, 1.0),
        emotion=_leading([shown(sample).emotion for sample in samples]),
        exemplars=tuple(central[:EXEMPLARS]),
    )


def _leading(emotions: Sequence[str]) -> str:
    counts = Counter(emotion for emotion in emotions if emotion != "neutral")
    return min(counts, key=lambda name: (-counts[name], name), default="neutral")
