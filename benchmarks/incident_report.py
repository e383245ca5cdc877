"""The incident suite's figures as JSON and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.incident_judge import Recall, Verdict, sum_up
from benchmarks.incident_kinds import ALSO_RIGHT, known_kinds
from benchmarks.machine import describe_in_words
from benchmarks.reports import table, write_results

GOAL = 0.2  # false alarms a brand-week


class Alternative(NamedTuple):
    """A way to watch: what it made of the incidents, and its false alarms a brand-week."""

    name: str
    verdicts: list[Verdict]
    false_between: float
    false_quiet: float


class Findings(NamedTuple):
    """What the generated timelines showed; rates are a brand-week."""

    ours: Alternative
    others: list[Alternative]
    false_kinds: dict[str, int]
    judged_weeks: float
    quiet_false: dict[str, float]
    quiet_weeks: float
    posts: int

    @property
    def quiet_rate(self) -> float:
        """False alarms of the product a quiet brand-week, over all baselines."""
        return sum(self.quiet_false.values()) / len(self.quiet_false)


class StreamFindings(NamedTuple):
    """What a real stream showed; `left_out` incidents fell among real alerts."""

    name: str
    described: str
    verdicts: list[Verdict]
    left_out: int
    alerts_alone: float


def write_report(
    machine: dict[str, Any],
    findings: Findings,
    streams: Sequence[StreamFindings],
    minutes: float,
    folder: Path,
) -> None:
    """`incidents.md` and `incidents.json`."""
    verdict = "met" if findings.quiet_rate <= GOAL else "missed"
    parts = [
        "# Incidents: what is found, how soon, and how often in vain",
        describe_in_words(machine),
        f"{len(findings.ours.verdicts)} incidents and {findings.quiet_weeks:.0f} quiet weeks, "
        f"{findings.posts:,} posts, {minutes:.1f} minutes. Made by "
        "`python -m benchmarks.bench_incidents`, whose help says how.",
        f"**False alarms a quiet brand-week: {findings.quiet_rate:.2f}** (goal {GOAL:g}: "
        f"{verdict}); between incidents {findings.ours.false_between:.2f}.",
        "## By kind of alert",
        "Found: any alert while it lasts or within a quarter of an hour (of a recovery: an alert "
        "of that kind within three hours of the end). Named: one of them has the right kind, or "
        f"one that it may grow into ({_growing()}). False: alerts of that kind a brand-week "
        f"without an incident, over {findings.judged_weeks:.0f} of them.",
        _by_kind(findings),
        "## By baseline",
        _by_baseline(findings),
        "## Side by side",
        "Share found, by kind; false alarms a brand-week in the second half of the quiet weeks, "
        "and between incidents; median minutes until the first alert. Thresholds of the others "
        "come from the first half of the quiet weeks; Moodwire's are those that ship. Others only "
        "say that something is up, so that they cannot find a recovery.",
        _side_by_side(findings),
    ]
    if streams:
        parts += [
            "## On top of real posts",
            "Alone: alerts a week without anything planted, which may well be right. Left out: "
            "incidents that would have fallen among those.",
            _streams(streams),
        ]
    results = {
        "machine": machine,
        "minutes": round(minutes, 1),
        "quiet_false_per_brand_week": round(findings.quiet_rate, 3),
        "generated": {
            **findings._asdict(),
            "ours": _plain(findings.ours),
            "others": [_plain(other) for other in findings.others],
        },
        "streams": [
            {**one._asdict(), "verdicts": [v._asdict() for v in one.verdicts]} for one in streams
        ],
    }
    write_results(results, "\n\n".join(parts) + "\n", folder, "incidents")


def _growing() -> str:
    return ", ".join(f"{kind}: {' or '.join(sorted(also))}" for kind, also in ALSO_RIGHT.items())


def _of_kind(verdicts: Iterable[Verdict], kind: str) -> Recall:
    return sum_up(v for v in verdicts if v.kind == kind)


def _by_kind(findings: Findings) -> str:
    rows = []
    for kind in known_kinds():
        recall = _of_kind(findings.ours.verdicts, kind)
        false = findings.false_kinds.get(kind, 0) / findings.judged_weeks
        rows.append([kind, *_cells(recall), f"{false:.2f}", *_delays(recall)])
    total = sum_up(findings.ours.verdicts)
    every = sum(findings.false_kinds.values()) / findings.judged_weeks
    rows.append(["all", *_cells(total), f"{every:.2f}", *_delays(total)])
    columns = ["kind", "incidents", "found", "named", "false a week", "median posts", "minutes"]
    return table(columns, rows)


def _cells(recall: Recall) -> list[str]:
    named = recall.named / recall.incidents if recall.incidents else 0.0
    return [str(recall.incidents), f"{recall.share:.2f}", f"{named:.2f}"]


def _delays(recall: Recall) -> list[str]:
    posts = "–" if recall.posts is None else f"{recall.posts:.0f}"
    return [posts, "–" if recall.minutes is None else f"{recall.minutes:.1f}"]


def _by_baseline(findings: Findings) -> str:
    rows = []
    for baseline, false in findings.quiet_false.items():
        recall = sum_up(v for v in findings.ours.verdicts if v.baseline == baseline)
        rows.append([baseline, *_cells(recall), f"{false:.2f}", *_delays(recall)])
    columns = ["baseline", "incidents", "found", "named"]
    return table([*columns, "false a quiet week", "median posts", "minutes"], rows)


def _side_by_side(findings: Findings) -> str:
    kinds = known_kinds()
    rows = []
    for one in (findings.ours, *findings.others):
        total = sum_up(one.verdicts)
        found = [f"{_of_kind(one.verdicts, kind).share:.2f}" for kind in kinds]
        false = [f"{one.false_quiet:.2f}", f"{one.false_between:.2f}"]
        rows.append([one.name, f"{total.share:.2f}", *found, *false, _delays(total)[1]])
    words = [kind.replace("_", " ") for kind in kinds]
    return table(["", "all", *words, "false, quiet", "false, between", "minutes"], rows)


def _streams(streams: Sequence[StreamFindings]) -> str:
    rows = []
    for one in streams:
        recall = sum_up(one.verdicts)
        rows.append(
            [
                f"{one.name}, {one.described}",
                *_cells(recall),
                str(one.left_out),
                f"{one.alerts_alone:.1f}",
                *_delays(recall),
            ]
        )
    columns = ["stream", "incidents", "found", "named", "left out", "alone", "median posts"]
    return table([*columns, "minutes"], rows)


def _plain(one: Alternative) -> dict[str, Any]:
    return {**one._asdict(), "verdicts": [v._asdict() for v in one.verdicts]}
