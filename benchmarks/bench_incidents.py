"""Planted incidents, and who finds them: `python -m benchmarks.bench_incidents --help`.

200 incidents of every kind that this Moodwire has an alert for are planted among the posts of five
kinds of brand (quiet, noisy, seasonal, bursty, sparse), four days after the first post at the
earliest; and on top of real posts (--data: tweets about listed companies, posts with images about
events), whose moods the shipped model reads. Readings go through the product's own windows and
ledger with the settings that ship. Twenty more brand-weeks are quiet: every alert there is false.

Beside it, on windows of five minutes that do not overlap: Beam's ZScore, RobustZScore and IQR,
S-H-ESD, Prometheus' adaptive bands and one hour against twelve, each on the count and on the
negative share, at the thresholds that keep the first half of the quiet weeks to the goal of false
alarms (--rate). All is measured on what is left.

  python -m benchmarks.bench_incidents                              generated timelines alone
  python -m benchmarks.bench_incidents --data ../shared/data        and the real streams
  python -m benchmarks.bench_incidents --incidents 50 --weeks 1     a first look

What comes out: benchmarks/results/incidents.md and .json. The same seeds give the same figures.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from benchmarks.detection_rules import RULES
from benchmarks.incident_judge import NAMELESS, Span, Verdict, false_alarms, false_kinds, judge
from benchmarks.incident_kinds import known_kinds
from benchmarks.incident_play import Told, play
from benchmarks.incident_report import Alternative, Findings, StreamFindings, write_report
from benchmarks.incident_rules import QuietStretch, Scored, Thresholds, choose, opened, score
from benchmarks.incident_story import BASELINES, BEGIN, DAY, LEAD_IN, Timeline, plant, tell
from benchmarks.incident_streams import STREAMS, find_in_stream
from benchmarks.machine import describe_machine

TIMELINES = 2  # of each baseline with incidents
QUIET_SEED = 100


class Outcome(NamedTuple):
    """A timeline, the alerts of the product, the scores of the rules, and when posts came."""

    timeline: Timeline
    told: list[Told]
    scored: dict[str, Scored]
    posted: Sequence[float]
    seconds: float

    @property
    def since(self) -> float:
        """From when on it is judged."""
        return float(BEGIN + LEAD_IN)

    @property
    def until(self) -> float:
        """Until when."""
        return BEGIN + self.timeline.seconds

    @property
    def middle(self) -> float:
        """Where the half that thresholds are chosen on ends."""
        return (self.since + self.until) / 2

    @property
    def span(self) -> Span:
        """All that is judged."""
        return Span(self.since, self.until, self.timeline.incidents)


def timelines(incidents: int, weeks: float) -> list[Timeline]:
    """Those with incidents, of every kind about as many, and a quiet one of each baseline."""
    kinds = known_kinds()
    each = max(1, round(incidents / len(BASELINES) / TIMELINES))
    planted = [
        plant(baseline, seed, [kinds[(seed * each + n) % len(kinds)] for n in range(each)])
        for seed in range(TIMELINES)
        for baseline in BASELINES
    ]
    seconds = LEAD_IN + weeks * 7 * DAY
    return [*planted, *(Timeline(baseline, QUIET_SEED, seconds) for baseline in BASELINES)]


def run(timeline: Timeline) -> Outcome:
    """Play a timeline, and let every rule see its windows."""
    started = time.process_time()
    played = play(timeline.brand, tell(timeline))
    scored = {rule: score(rule, played.rows) for rule in RULES}
    spent = time.process_time() - started
    return Outcome(timeline, played.told, scored, played.posted, spent)


def run_all(every: Sequence[Timeline], jobs: int) -> list[Outcome]:
    """Every timeline, told on the terminal as it is done; the longest begin first."""
    found: dict[str, Outcome] = {}
    with ProcessPoolExecutor(jobs) as pool:
        longest_first = sorted(every, key=lambda one: -one.seconds)
        for done in as_completed([pool.submit(run, one) for one in longest_first]):
            outcome = done.result()
            found[outcome.timeline.brand] = outcome
            one = outcome.timeline
            print(
                f"{len(found):>3}/{len(every)}  {one.brand:<14} {one.seconds / DAY:5.1f} days  "
                f"{len(outcome.posted):>7,} posts  {len(one.incidents):>2} incidents  "
                f"{len(outcome.told):>3} alerts  {outcome.seconds:5.0f} s",
                flush=True,
            )
    return [found[one.brand] for one in every]


def choose_thresholds(quiet: Sequence[Outcome], rate: float) -> dict[str, Thresholds]:
    """For each rule, on the first half of the quiet weeks; each signal may spend half the rate."""
    weeks = sum(Span(one.since, one.middle).quiet_weeks for one in quiet)
    return {
        rule: choose(
            [QuietStretch(one.scored[rule], one.since, one.middle) for one in quiet],
            rate / 2 * weeks,
        )
        for rule in RULES
    }


def told_by(rule: str, bars: Thresholds, one: Outcome) -> list[Told]:
    """The alerts of a rule over a timeline."""
    moments = opened(one.scored[rule], bars, one.since, one.until)
    return [Told(NAMELESS, float(moment)) for moment in moments]


def _alternative(
    name: str,
    told: dict[str, list[Told]],
    planted: Sequence[Outcome],
    quiet: Sequence[Outcome],
) -> Alternative:
    verdicts: list[Verdict] = []
    false = weeks = 0.0
    for one in planted:
        alerts = told[one.timeline.brand]
        verdicts += judge(one.timeline.baseline, one.timeline.incidents, alerts, one.posted)
        false += len(false_alarms(one.span, alerts))
        weeks += one.span.quiet_weeks
    rest = [(one, Span(one.middle, one.until)) for one in quiet]
    quiet_false = sum(len(false_alarms(span, told[one.timeline.brand])) for one, span in rest)
    quiet_weeks = sum(span.quiet_weeks for _, span in rest)
    return Alternative(name, verdicts, false / weeks, quiet_false / quiet_weeks)


def find(every: Sequence[Outcome], rate: float) -> Findings:
    """Everything that the report shows of generated timelines."""
    planted = [one for one in every if one.timeline.incidents]
    quiet = [one for one in every if not one.timeline.incidents]
    told = {one.timeline.brand: one.told for one in every}
    ours = _alternative("Moodwire", told, planted, quiet)
    bars = choose_thresholds(quiet, rate)
    others = []
    for rule in RULES:
        alerts = {one.timeline.brand: told_by(rule, bars[rule], one) for one in every}
        others.append(_alternative(rule, alerts, planted, quiet))
    kinds: Counter[str] = Counter()
    for one in every:
        kinds += false_kinds(one.span, one.told)
    return Findings(
        ours,
        others,
        false_kinds=dict(kinds),
        judged_weeks=sum(one.span.quiet_weeks for one in every),
        quiet_false={
            one.timeline.baseline: len(false_alarms(one.span, one.told)) / one.span.quiet_weeks
            for one in quiet
        },
        quiet_weeks=sum(one.span.quiet_weeks for one in quiet),
        posts=sum(len(one.posted) for one in every),
    )


def main() -> None:
    """Plant, play, judge, write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with streams/stocknet and mediaeval2016")
    parser.add_argument("--incidents", type=int, default=200, help="to plant (200)")
    parser.add_argument("--weeks", type=float, default=4, help="quiet, of each baseline (4)")
    parser.add_argument("--rate", type=float, default=0.2, help="false alarms a brand-week (0.2)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (all cores)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    args = parser.parse_args()
    started, machine = time.monotonic(), describe_machine()
    findings = find(run_all(timelines(args.incidents, args.weeks), args.jobs), args.rate)
    streams: list[StreamFindings] = []
    for name in STREAMS if args.data else ():
        streams.append(find_in_stream(name, args.data))
        print(f"{name}: {streams[-1].described}", flush=True)
    minutes = (time.monotonic() - started) / 60
    write_report(machine, findings, streams, minutes, args.output)


if __name__ == "__main__":
    main()
