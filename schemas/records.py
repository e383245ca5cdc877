"""Wire records of Moodwire: frozen, typed, versioned, JSON on the wire."""

# Long because: the records are one contract, and read best beside each other.

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec

SCHEMA_VERSION = 1

Sentiment = Literal["negative", "neutral", "positive"]
SENTIMENTS: tuple[Sentiment, ...] = ("negative", "neutral", "positive")


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of every wire record: immutable, compared by value, carries its schema version."""

    schema_version: int = SCHEMA_VERSION


class Position(msgspec.Struct, frozen=True):
    """Where a record was read: a topic (or file path), its partition and its offset (or line)."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as a channel delivered them, before anything was read from them.

    `event_time` is the reader's best reading of the post's time in epoch seconds, None where it
    found none; `too_late` says that the watermark had already passed it by more than the allowed
    lateness. `root` is the folder that relative media paths start from (files only).
    """

    value: bytes
    position: Position
    channel: str | None = None
    event_time: float | None = None
    too_late: bool = False
    root: str | None = None
    attempts: int = 1


class SourcePost(msgspec.Struct, frozen=True, kw_only=True):
    """A post as its channel described it: decoded by an adapter, not yet clean or pseudonymous."""

    channel: str
    post_id: str
    created_at: datetime
    text: str
    author_id: str
    lang: str | None = None
    country: str | None = None
    reach: int = 0
    is_repost: bool = False
    permalink: str | None = None
    images: tuple[str, ...] = ()


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a post: content hash of the original, its size, and a small JPEG rendition.

    Renditions travel once, keyed by `sha256`; readings, exemplars and evidence name them by it.
    """

    sha256: str
    width: int
    height: int
    rendition: bytes


class MediaFault(msgspec.Struct, frozen=True, kw_only=True):
    """An image that could not be used, and why; its post is still read by its text."""

    source: str
    cause: str
    detail: str


class Post(Record, frozen=True, kw_only=True):
    """A clean post: personal data masked, author pseudonymised, brands matched, media attached."""

    channel: str
    post_id: str
    created_at: datetime
    author: str
    text: str
    model_text: str
    hashtags: tuple[str, ...] = ()
    lang: str = "und"
    country: str = "unknown"
    reach: int = 0
    is_repost: bool = False
    permalink: str | None = None
    brands: tuple[str, ...] = ()
    cluster_id: str = ""
    images: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    media_faults: tuple[MediaFault, ...] = ()
    position: Position


class Rejection(Record, frozen=True, kw_only=True):
    """A dead letter: the original bytes, where they stood, which stage refused them and why."""

    original: bytes
    position: Position
    stage: str
    cause: str
    detail: str
    channel: str | None = None
    root: str | None = None
    attempts: int = 1


class Weights(msgspec.Struct, frozen=True):
    """Fusion weights α of design equations (1) and (2); they sum to one."""

    text: float
    image: float


class Reading(Record, frozen=True, kw_only=True):
    """The emotion read from one post, and which model read it.

    `emotions` maps each of the 28 labels to its probability; `valence` is P(positive) minus
    P(negative); `mismatch` in [0, 1] says how far text and image disagree (None without image).
    """

    channel: str
    post_id: str
    created_at: datetime
    author: str
    text: str
    lang: str
    country: str
    reach: int
    is_repost: bool
    permalink: str | None
    brands: tuple[str, ...]
    cluster_id: str
    sentiment: dict[str, float]
    emotions: dict[str, float]
    irony: float
    offence: float
    valence: float
    confidence: float
    abstained: bool
    weights: Weights
    mismatch: float | None
    model: str
    thumbnails: tuple[str, ...] = ()
    media_faults: tuple[MediaFault, ...] = ()


class Estimate(msgspec.Struct, frozen=True):
    """A mean with the ends of its 95 % confidence interval."""

    mean: float
    low: float
    high: float


class Exemplar(msgspec.Struct, frozen=True, kw_only=True):
    """A post that stands for its window: what a person clicks to see the evidence.

    `thumbnail` is the `Media.sha256` of its first image.
    """

    channel: str
    post_id: str
    created_at: datetime
    text: str
    valence: float
    emotion: str
    reach: int
    weights: Weights
    permalink: str | None = None
    thumbnail: str | None = None


class Slice(msgspec.Struct, frozen=True, order=True):
    """Which posts of a brand a trend covers; `*` stands for all."""

    channel: str = "*"
    lang: str = "*"
    country: str = "*"

    def __str__(self) -> str:
        return f"{self.channel}/{self.lang}/{self.country}"


class Echo(msgspec.Struct, frozen=True, kw_only=True):
    """The text that most posts of a window repeat, as a uniform sample of its posts shows it.

    `posts` of the `sampled` ones are near-duplicates, by `authors` of the `voices` that the sample
    holds. `exemplar` is one of these posts where there are three or more and one was kept.
    """

    sampled: int
    posts: int
    voices: int
    authors: int
    exemplar: Exemplar | None = None


PaneTiming = Literal["early", "on_time", "late", "final"]


class Trend(Record, frozen=True, kw_only=True):
    """How a brand was felt about in one event-time window, as far as was known at this pane.

    `pane_index` counts the readings merged so far, so a later pane of the same window has a higher
    index and the final pane of the same input is the same whatever the order of arrival.
    `mood` holds the seven emotion groups of the trend. Valence, mood and share of negative posts
    are over posts that the model did decide on; `abstained` counts the others, which still count
    as posts. `terms` says in how many posts of a bounded sample each frequent word stands.
    `negative_authors` and `image_authors` are distinct authors of negative posts and of posts with
    an image, so that one author shouting is not taken for a crowd. `echo` is None in slices other
    than that of all posts, and where the sample does not cover the window.
    """

    brand: str
    slice: Slice
    window_start: datetime
    window_end: datetime
    pane_index: int
    timing: PaneTiming
    final: bool
    posts: int
    authors: int
    clusters: int
    posts_with_image: int
    abstained: int
    reach: int
    valence: Estimate
    valence_reach_weighted: float
    image_valence: Estimate | None
    share_negative: Estimate
    mood: dict[str, Estimate]
    image_weight: float
    exemplars: tuple[Exemplar, ...] = ()
    model: str = ""
    terms: dict[str, int] = {}
    negative_authors: int = 0
    image_authors: int = 0
    echo: Echo | None = None

    @property
    def key(self) -> str:
        """Topic key: brand, slice and window start."""
        return f"{self.brand}|{self.slice}|{self.window_start.isoformat()}"


OTHER = "other"  # the topic of posts that are in none


class Topic(Record, frozen=True, kw_only=True):
    """What people talk about in one hour of a brand, as far as was known at this pane.

    `topic_id` is a hash of the brand, the hour in which the topic was first seen and its words
    then, so it stays through later hours; `other` is what is in no topic. `terms` name it in this
    hour. `posts` is an estimate where the sample does not cover the hour, and 0 once later posts
    have undone a topic that was told on time; `authors` are at least so many. `is_new` says that
    nobody spoke of it in the brand's known past but for the last hours.
    """

    brand: str
    window_start: datetime
    window_end: datetime
    topic_id: str
    terms: tuple[str, ...]
    pane_index: int
    timing: PaneTiming
    final: bool
    posts: int
    posts_of_hour: int
    authors: int
    share_negative: Estimate
    valence: Estimate
    exemplars: tuple[Exemplar, ...]
    first_seen: datetime
    is_new: bool

    @property
    def key(self) -> str:
        """Topic key: brand, hour and topic."""
        return f"{self.brand}|{self.window_start.isoformat()}|{self.topic_id}"


class Rollup(Trend, frozen=True, kw_only=True):
    """The trend of an hour, a day or another length, from the windows that fill it side by side.

    It is early until it has ended, told anew with each shorter window that ends; then on time, late
    with each late post, and once final.
    """

    @property
    def key(self) -> str:
        """Topic key: that of a trend, and the length in seconds."""
        length = self.window_end - self.window_start
        return f"{super().key}|{length.total_seconds():.0f}"


AlertKind = Literal[
    "volume_spike",
    "viral_post",
    "coordinated_campaign",
    "emotion_shift",
    "sustained_decline",
    "negativity_surge",
    "image_led_crisis",
    "crisis",
    "recovery",
    "feed_silent",
    "new_topic",
]
AlertStatus = Literal["firing", "resolved", "withdrawn"]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One measured departure behind an alert: what was seen against what was expected."""

    name: str
    value: float
    expected: float
    score: float


class Alert(Record, frozen=True, kw_only=True):
    """One incident of one brand, from its opening to its resolution.

    `alert_id` is a hash of brand, kind and opening window, so a replay names it the same.
    `withdrawn` says that late posts refined the windows so that the incident does not stand.
    `revision` grows with each published state; `final` says that no late post can change it.
    `escalated` says that the severity has crossed a step (4 or 7) since the opening; `muted` that
    nobody is to be told (maintenance, or a day's budget is spent); `folded` how many alerts were
    muted by the budget since the last one that was told.
    """

    alert_id: str
    brand: str
    kind: AlertKind
    status: AlertStatus
    severity: int
    since: datetime
    updated_at: datetime
    resolved_at: datetime | None
    revision: int
    final: bool
    title: str
    signals: tuple[Signal, ...]
    evidence: tuple[Exemplar, ...]
    cause_terms: tuple[str, ...]
    recommendation: str
    playbook: str
    escalated: bool = False
    muted: bool = False
    folded: int = 0

    @property
    def rank(self) -> tuple[bool, int]:
        """Of two states of one alert the higher rank is the newer."""
        return self.final, self.revision


FeedbackAction = Literal["acknowledge", "snooze", "verdict"]
Verdict = Literal["true", "false", "duplicate"]
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"  # it is shown in terminals too
Operator = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=ONE_LINE)]
Note = Annotated[str, msgspec.Meta(max_length=500, pattern=ONE_LINE)]
ClockTime = Annotated[datetime, msgspec.Meta(tz=True)]


class AlertFeedback(Record, frozen=True, kw_only=True):
    """What a person did about an alert: took it on, put it off until a time, or judged it.

    Of each alert the newest of each action holds. `by` is the name that the person gave. `at` and
    `until` are of the clock, the only times in a record that are not of the posts.

    Raises:
        ValueError: a snooze has no `until`, a verdict no `verdict`, or another action has one.
    """

    alert_id: str
    action: FeedbackAction
    by: Operator
    at: ClockTime
    note: Note = ""
    verdict: Verdict | None = None
    until: ClockTime | None = None

    def __post_init__(self) -> None:
        if (self.until is not None) != (self.action == "snooze"):
            raise ValueError("until: a snooze has one, nothing else does")
        if (self.verdict is not None) != (self.action == "verdict"):
            raise ValueError("verdict: an action of that name has one, nothing else does")

    @property
    def key(self) -> str:
        """Topic key: alert and action, so that a later word takes the place of an earlier one."""
        return f"{self.alert_id}|{self.action}"


RECORDS: tuple[type[Record], ...] = (
    Post,
    Rejection,
    Reading,
    Trend,
    Rollup,
    Alert,
    AlertFeedback,
    Topic,
)
R = TypeVar("R", bound=Record)


class UnsupportedVersionError(ValueError):
    """A record was written by a newer Moodwire than this one."""


# What decoding raises for bytes that hold no such record.
UNREADABLE = (msgspec.DecodeError, UnsupportedVersionError, UnicodeDecodeError)


def encode(record: msgspec.Struct) -> bytes:
    """JSON bytes of a record, keys in declared order, bytes fields as base64."""
    return msgspec.json.encode(record)


def decode(data: bytes, kind: type[R]) -> R:
    """The record in `data`, validated against `kind`; accepts this version and the last one.

    Raises:
        UnsupportedVersionError: `data` was written by a newer version.
        msgspec.ValidationError: `data` does not fit the record contract.
    """
    record = msgspec.json.decode(data, type=kind)
    if record.schema_version > SCHEMA_VERSION:
        raise UnsupportedVersionError(
            f"{kind.__name__} has schema_version {record.schema_version}, this Moodwire reads up "
            f"to {SCHEMA_VERSION}: upgrade Moodwire on this machine first"
        )
    return record


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema of every wire record, by record name."""
    return {kind.__name__: msgspec.json.schema(kind) for kind in RECORDS}
