"""What the page knows: records folded into the newest window, alert and counter of each key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from itertools import chain
from typing import Literal

import msgspec

from dashboards.live.counters import Cause, Sample, Stages, parse_samples, stages_of
from dashboards.live.histograms import Histogram
from dashboards.live.incidents import Incidents
from dashboards.live.journal import Journal
from dashboards.live.rollups import BRAND_ROLLUPS, Rollups
from dashboards.live.topics import Topics
from dashboards.live.windows import BRAND_WINDOWS, SLICE_WINDOWS, Window, Windows
from schemas.records import Alert, AlertFeedback, Exemplar, Rejection, Rollup, Topic, Trend

MAX_REJECTIONS = 10_000
STALLED_AFTER_SECONDS = 30.0  # counters.json is rewritten about every second

Status = Literal["waiting", "running", "stalled", "ended"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How the run itself is doing."""

    title: str = "Moodwire"
    status: Status = "waiting"
    watermark: float | None = None
    speed: float | None = None
    unreadable_lines: int = 0


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since an earlier id; everything there is where `reset` is set."""

    id: str
    reset: bool
    explains: bool = False  # whether a post's /explanation can be asked for
    acts: bool = False  # whether people may act on alerts here
    searches: bool = False  # whether posts can be searched for
    fields: tuple[str, ...] = ()
    limits: tuple[int, int] = (BRAND_WINDOWS, SLICE_WINDOWS)
    windows: tuple[Window, ...] = ()
    rollup_limit: int = BRAND_ROLLUPS
    rollups: tuple[Window, ...] = ()
    alerts: tuple[Alert, ...] = ()
    feedback: tuple[AlertFeedback, ...] = ()
    topics: tuple[Topic, ...] = ()
    run: Run | None = None
    stages: Stages | None = None


class State:
    """Records in, any order and any number of times; updates out, from any earlier id.

    Folding is idempotent and memory bounded. An id names an epoch and a version in it: versions
    grow by one with each change, and a new run in the same folder opens a new epoch.
    """

    histograms: tuple[Histogram, ...] = ()  # of a feed that knows when records were written

    def __init__(self) -> None:
        self.explains = False
        self.acts = False
        self.searches = False
        self.clear()

    def clear(self) -> None:
        """Forget everything: the folder holds another run now."""
        self.epoch = secrets.token_hex(4)
        self.version = 0
        self.windows = Windows()
        self.rollups = Rollups()
        self.incidents = Incidents()
        self.topics = Topics()
        self.samples: list[Sample] = []
        self.run, self._run_version = Run(), 0
        self.stages, self._stages_version = Stages(), 0
        self._rejections: dict[tuple[str, str], str] = {}

    @property
    def id(self) -> str:
        """Names the present state; an update from here brings what comes after."""
        return f"{self.epoch}.{self.version}"

    @property
    def alerts(self) -> Journal[str, Alert]:
        """The newest state of each alert."""
        return self.incidents.alerts

    def fold(self, record: Trend | Alert | AlertFeedback | Topic | Rejection) -> None:
        """Take one record in."""
        if isinstance(record, Rollup):
            self.version += self.rollups.add(record, self.version + 1)
        elif isinstance(record, Trend):
            self.version += self.windows.add(record, self.version + 1)
        elif isinstance(record, Alert):
            self.version += self.incidents.add(record, self.version + 1)
        elif isinstance(record, AlertFeedback):
            self.version += self.incidents.add_feedback(record, self.version + 1)
        elif isinstance(record, Topic):
            self.version += self.topics.add(record, self.version + 1)
        else:
            self._fold_rejection(record)

    def fold_counters(self, values: Mapping[str, object]) -> None:
        """Take the newest snapshot of the run's counters in."""
        self.samples = parse_samples(values)
        self._set_stages(self._with_refused(stages_of(self.samples)))

    def set_run(self, run: Run) -> None:
        """Take in how the run is doing."""
        if run != self.run:
            self.version += 1
            self.run, self._run_version = run, self.version

    def changes(self, last_id: str | None = None) -> Update:
        """What changed since `last_id`; all of it where that id is not of this epoch."""
        since = self._version_of(last_id)
        return Update(
            id=self.id,
            reset=since is None,
            explains=self.explains,
            acts=self.acts,
            searches=self.searches,
            fields=Window.__struct_fields__ if since is None else (),
            limits=self.windows.limits,
            windows=tuple(self.windows.journal.since(since or 0)),
            rollup_limit=self.rollups.limit,
            rollups=tuple(self.rollups.since(since or 0)),
            alerts=tuple(self.alerts.since(since or 0)),
            feedback=tuple(self.incidents.feedback.since(since or 0)),
            topics=tuple(self.topics.journal.since(since or 0)),
            run=self.run if since is None or self._run_version > since else None,
            stages=self.stages if since is None or self._stages_version > since else None,
        )

    def exemplar(self, channel: str, post_id: str) -> Exemplar | None:
        """The post of that identity, if it stands for a window or a topic or is evidence."""
        evidence = (post for alert in self.alerts.values() for post in alert.evidence)
        kept = (
            self.windows.all_exemplars(),
            self.rollups.all_exemplars(),
            self.topics.all_exemplars(),
            evidence,
        )
        for post in chain.from_iterable(kept):
            if (post.channel, post.post_id) == (channel, post_id):
                return post
        return None

    def _version_of(self, last_id: str | None) -> int | None:
        epoch, _, version = (last_id or "").partition(".")
        known = epoch == self.epoch and version.isdecimal() and int(version) <= self.version
        return int(version) if known else None

    def _fold_rejection(self, rejection: Rejection) -> None:
        key = (str(rejection.position), rejection.stage)
        if key in self._rejections:
            return
        self._rejections[key] = rejection.cause
        if len(self._rejections) > MAX_REJECTIONS:
            del self._rejections[next(iter(self._rejections))]
        self._set_stages(self._with_refused(self.stages))

    def _with_refused(self, stages: Stages) -> Stages:
        """Dead letters as counted by the run, or by their file where the run counted none yet."""
        if any(sample.metric.name == "moodwire_dead_letters_total" for sample in self.samples):
            return stages
        counts: dict[tuple[str, str], int] = {}
        for (_, stage), cause in self._rejections.items():
            counts[stage, cause] = counts.get((stage, cause), 0) + 1
        causes = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        refused = tuple(Cause(*key, count) for key, count in causes)
        return msgspec.structs.replace(stages, dead_letters=refused)

    def _set_stages(self, stages: Stages) -> None:
        if stages != self.stages:
            self.version += 1
            self.stages, self._stages_version = stages, self.version
