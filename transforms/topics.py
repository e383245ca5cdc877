"""What each brand's people talk about, hour by hour, and new topics flagged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam import coders
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import (
    BagStateSpec,
    ReadModifyWriteStateSpec,
    TimerSpec,
    on_timer,
)
from apache_beam.utils.timestamp import Timestamp

from models.detection.mood_detector import Rules
from models.detection.terms import terms_of
from models.detection.topic_memory import HOUR_SECONDS, TopicHour
from models.detection.topic_watch import TopicRules
from models.detection.topics import words_of
from schemas.metrics import ALERTS
from schemas.records import Alert, Reading, Topic
from transforms.brands import Brand
from transforms.coders import StructCoder
from transforms.counters import counter
from transforms.detect import set_timer
from transforms.ledger import Maintenance, Terms
from transforms.playbooks import Playbook, default_playbooks
from transforms.samples import Sample, samples_by_key
from transforms.topic_hours import DRAWN, Gathered, hour_of
from transforms.topic_ledger import Told, TopicLedger, TopicTerms

HourKey = tuple[str, int]  # brand, start of the hour


def by_hour(reading: Reading) -> Iterator[tuple[HourKey, Sample]]:
    """One sample for the hour of each brand of a reading."""
    second = math.floor(reading.created_at.timestamp())
    for key, sample in samples_by_key(reading, ()):
        yield (key[0], second - second % HOUR_SECONDS), sample


def own_words(brand: Brand) -> frozenset[str]:
    """Words that name a brand."""
    names = " ".join((brand.name, *brand.aliases, *brand.handles, *brand.hashtags))
    return frozenset(words_of(terms_of(names)))


class _GatherHours(beam.DoFn):
    """(brand and hour, Sample) -> (brand, TopicHour): on time, and once as final.

    A bag holds up to twice the posts that are drawn, so that a post is written once and the bag
    rewritten seldom; which ones are drawn depends on their priorities alone. Keys and timers as in
    `transforms.trend` (docs/decisions/0004), under names of their own as in `transforms.rollup`.
    """

    GATHERED = ReadModifyWriteStateSpec("gathered", StructCoder(Gathered))
    HELD = BagStateSpec("held", StructCoder(Sample))
    ON_TIME = TimerSpec("hour_on_time", TimeDomain.WATERMARK)
    FINAL = TimerSpec("hour_final", TimeDomain.WATERMARK)

    def __init__(
        self, allowed_lateness_seconds: float, most: int, own_words: Mapping[str, frozenset[str]]
    ) -> None:
        self.allowed_lateness_seconds = allowed_lateness_seconds
        self.most, self.own_words = most, own_words

    def process(
        self,
        element: tuple[HourKey, Sample],
        state: Any = beam.DoFn.StateParam(GATHERED),
        held: Any = beam.DoFn.StateParam(HELD),
        on_time: Any = beam.DoFn.TimerParam(ON_TIME),
        final: Any = beam.DoFn.TimerParam(FINAL),
    ) -> None:
        (_, start), sample = element
        gathered = state.read()
        if gathered is None:
            gathered = Gathered()
            on_time.set(Timestamp(start + HOUR_SECONDS))
            final.set(Timestamp(start + HOUR_SECONDS + self.allowed_lateness_seconds))
        if gathered.takes(sample):
            held.add(sample)
            if gathered.held >= 2 * DRAWN:
                kept = gathered.narrow(list(held.read()))
                held.clear()
                for one in kept:
                    held.add(one)
        state.write(gathered)

    @on_timer(ON_TIME)
    def tell_on_time(
        self,
        key: Any = beam.DoFn.KeyParam,
        state: Any = beam.DoFn.StateParam(GATHERED),
        held: Any = beam.DoFn.StateParam(HELD),
    ) -> Iterator[tuple[str, TopicHour]]:
        gathered = state.read()
        if gathered is not None and not gathered.closed:
            gathered.closed = True
            state.write(gathered)
            yield self._hour(key, gathered, held, final=False)

    @on_timer(FINAL)
    def tell_final(
        self,
        key: Any = beam.DoFn.KeyParam,
        state: Any = beam.DoFn.StateParam(GATHERED),
        held: Any = beam.DoFn.StateParam(HELD),
    ) -> Iterator[tuple[str, TopicHour]]:
        gathered = state.read()
        if gathered is not None:
            yield self._hour(key, gathered, held, final=True)
            state.clear()
            held.clear()

    def _hour(
        self, key: HourKey, gathered: Gathered, held: Any, final: bool
    ) -> tuple[str, TopicHour]:
        brand, start = key
        hour = hour_of(
            start,
            list(held.read()),
            posts=gathered.posts,
            final=final,
            most=self.most,
            own=self.own_words.get(brand, frozenset()),
        )
        return brand, hour


class _KeepTopics(beam.DoFn):
    """(brand, TopicHour) -> what is told of it.

    Timers look and commit as those of `transforms.detect` do.
    """

    LEDGER = ReadModifyWriteStateSpec("topics", StructCoder(TopicLedger, sort_keys=False))
    LOOK = TimerSpec("topics_look", TimeDomain.WATERMARK)
    COMMIT = TimerSpec("topics_commit", TimeDomain.WATERMARK)

    def __init__(self, terms: TopicTerms) -> None:
        self.terms = terms

    def process(
        self,
        element: tuple[str, TopicHour],
        state: Any = beam.DoFn.StateParam(LEDGER),
        look: Any = beam.DoFn.TimerParam(LOOK),
        commit: Any = beam.DoFn.TimerParam(COMMIT),
    ) -> None:
        brand, hour = element
        ledger = state.read() or TopicLedger(brand=brand)
        ledger.learn_one(hour)
        state.write(ledger)
        if hour.final:
            set_timer(commit, ledger.next_commit(self.terms))
        else:
            set_timer(look, max(ledger.pending, default=hour.end))

    @on_timer(LOOK)
    def look_again(
        self,
        now: Any = beam.DoFn.TimestampParam,
        state: Any = beam.DoFn.StateParam(LEDGER),
        look: Any = beam.DoFn.TimerParam(LOOK),
    ) -> Iterator[Told]:
        ledger = state.read()
        yield ledger.advance(now.seconds(), self.terms)
        state.write(ledger)
        set_timer(look, ledger.idle_at)

    @on_timer(COMMIT)
    def commit_finals(
        self,
        now: Any = beam.DoFn.TimestampParam,
        state: Any = beam.DoFn.StateParam(LEDGER),
        look: Any = beam.DoFn.TimerParam(LOOK),
        commit: Any = beam.DoFn.TimerParam(COMMIT),
    ) -> Iterator[Told]:
        ledger = state.read()
        yield ledger.advance(now.seconds(), self.terms)
        state.write(ledger)
        set_timer(commit, ledger.next_commit(self.terms))
        set_timer(look, ledger.idle_at)


def topics_in(told: Told) -> list[Topic]:
    """What is told of topics."""
    return told.topics


def alerts_in(told: Told) -> Iterator[Alert]:
    """What is told of new ones, counted."""
    for alert in told.alerts:
        counter(ALERTS, kind=alert.kind, status=alert.status).inc()
        yield alert


class Followed(NamedTuple):
    """Topics of each hour, and alerts about new ones."""

    topics: PCollection[Topic]
    alerts: PCollection[Alert]


@dataclass
class FollowTopics(beam.PTransform):
    """Reading -> Topic and Alert: what people talk about, each hour of each brand.

    Posts of an hour are grouped by their words, from a uniform sample. Groups are matched with the
    topics of the brand's last days; one whose words were hardly said before is new, and enough
    people on it open an alert. Told when the watermark passes the hour, and once as final after
    the allowed lateness: final topics and alerts depend only on which posts came.

    Attributes:
        allowed_lateness_seconds: how late posts may come.
        brands: the watchlist; words that name a brand tell nothing about its topics.
        rules: when a new topic opens an alert, and for how long topics are known.
        most_per_hour: topics of an hour, the largest; the rest is counted as other.
        daily_budget: new topics of a brand told a day; None for no limit.
        maintenance: spans in which alerts are muted.
        playbooks: what to recommend; the playbooks that come with Moodwire unless given.
        enabled: whether there are any.
    """

    allowed_lateness_seconds: float
    brands: tuple[Brand, ...] = ()
    rules: TopicRules = field(default_factory=TopicRules)
    most_per_hour: int = 10
    daily_budget: int | None = None
    maintenance: tuple[Maintenance, ...] = ()
    playbooks: tuple[Playbook, ...] | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, inputs: tuple[PCollection[Reading], PCollection[Any]]) -> Followed:
        """Wire the stage: a sample of each hour, groups, then the brand's ledger of topics.

        Nothing is read of the second input: the steps that keep state only stand behind it, as in
        `transforms.drift`.
        """
        readings, before = inputs
        own = {brand.name: own_words(brand) for brand in self.brands}
        gather = _GatherHours(self.allowed_lateness_seconds, self.most_per_hour, own)
        alerts = Terms(
            rules=Rules(daily_budget=self.daily_budget),
            playbooks=self.playbooks or default_playbooks(),
            period=HOUR_SECONDS,
            lateness=math.ceil(self.allowed_lateness_seconds),
            maintenance=self.maintenance,
        )
        keep = _KeepTopics(TopicTerms(rules=self.rules, alerts=alerts))
        spread = by_hour if self.enabled else nothing
        told = (
            (
                readings | "SpreadOverHours" >> beam.FlatMap(spread).with_output_types(_KEYED),
                before | "StandBehind" >> beam.FlatMap(nothing).with_output_types(_KEYED),
            )
            | "GatherSamples" >> beam.Flatten()
            | "GatherHours" >> beam.ParDo(gather).with_output_types(tuple[str, TopicHour])
            | "KeepTopics" >> beam.ParDo(keep).with_output_types(Told)
        )
        return Followed(
            told | "TakeTopics" >> beam.FlatMap(topics_in).with_output_types(Topic),
            told | "TakeAlerts" >> beam.FlatMap(alerts_in).with_output_types(Alert),
        )


_KEYED = tuple[HourKey, Sample]


def nothing(_: Any) -> tuple[tuple[HourKey, Sample], ...]:
    """Nothing of what comes."""
    return ()


for traveller in (Sample, TopicHour, Told):
    coders.registry.register_coder(traveller, StructCoder)
