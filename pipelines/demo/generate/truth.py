"""What the demo's day holds, as a machine can check it: `story.json` and `watchlist.yaml`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import yaml

from pipelines.demo.generate.arrival import Line
from pipelines.demo.generate.identity import moment
from pipelines.demo.generate.story import BRANDS, DAY, SEED

# (brand, name, first and last minute, what happens)
PHASES: Final = (
    ("oatmere", "pictures", 850, 890, "pictures of mouldy cartons, under calm or ironic words"),
    ("oatmere", "outcry", 890, 990, "words turn to disgust and anger; six times the usual posts"),
    ("oatmere", "peak", 915, 945, "the most posts a minute, about 15:30"),
    ("oatmere", "answer", 990, 1080, "the firm apologises and recalls lot L6162 at 16:30"),
    ("oatmere", "recovery", 1080, 1200, "fewer and milder posts until about 20:00"),
    ("brindlow", "outage", 580, 620, "app and cards fail, a short burst of anger"),
    ("brindlow", "restored", 620, 690, "everything works again"),
    ("orvika", "launch", 1020, 1140, "the Orvika Aura is shown; many posts, nearly all happy"),
)
# (brand, kinds of which at least one is expected, between these minutes, why)
ALERTS: Final = (
    ("oatmere", ("image_led_crisis", "negativity_surge", "crisis"), 850, 900, "pictures lead"),
    ("oatmere", ("crisis",), 850, 945, "volume and negative share together"),
    ("brindlow", ("negativity_surge", "crisis"), 578, 630, "the outage"),
    ("orvika", ("volume_spike",), 1018, 1060, "the launch: many posts, no harm"),
)
# (brand, kinds that may come too, between these minutes, why): how soon depends on few people
NOTICES: Final = (
    ("oatmere", ("recovery",), 990, 1440, "the mood is back after the crisis"),
    ("brindlow", ("recovery",), 600, 1440, "the mood is back after the outage"),
)
# (brand, kinds that would be false alarms, between these minutes)
NEVER: Final = (
    ("orvika", ("crisis", "negativity_surge", "image_led_crisis"), 1000, 1440),
    ("oatmere", ("crisis", "image_led_crisis"), 0, 845),
    ("brindlow", ("crisis", "image_led_crisis"), 700, 1440),
    ("godwit", ("crisis", "negativity_surge", "image_led_crisis", "volume_spike"), 0, 1440),
)


def describe(lines: list[Line], pictures: Iterable[str], seed: int = SEED) -> dict[str, Any]:
    """The ground truth of `lines`: the story as it was meant, and what was counted."""
    return {
        "day": DAY.date().isoformat(),
        "seed": seed,
        "brands": [{"name": brand.name, "what": brand.what} for brand in BRANDS.values()],
        "phases": [
            {"brand": BRANDS[b].name, "phase": name, **_span(start, end), "what": what}
            for b, name, start, end, what in PHASES
        ],
        "expected_alerts": [
            {"brand": BRANDS[b].name, "any_of": list(kinds), **_span(start, end), "why": why}
            for b, kinds, start, end, why in ALERTS
        ],
        "notices": [
            {"brand": BRANDS[b].name, "any_of": list(kinds), **_span(start, end), "why": why}
            for b, kinds, start, end, why in NOTICES
        ],
        "false_alarms": [
            {"brand": BRANDS[b].name, "none_of": list(kinds), **_span(start, end)}
            for b, kinds, start, end in NEVER
        ],
        "counts": count(lines, pictures),
    }


def _span(start: int, end: int) -> dict[str, str]:
    return {"from": moment(start).isoformat(), "to": moment(end).isoformat()}


def count(lines: list[Line], pictures: Iterable[str]) -> dict[str, Any]:
    """How many lines of each kind, posts by brand, mood, channel and language, and pictures."""
    kinds = Counter(_family(line.kind) for line in lines)
    drafts = [line.draft for line in lines if line.draft and line.kind != "redelivery"]
    marks = Counter(mark for draft in drafts for mark in draft.marks)
    return {
        "lines": len(lines),
        "posts": len(drafts),
        "posts_with_image": sum(draft.picture is not None for draft in drafts),
        "image_files": len(list(pictures)),
        "authors": len({draft.author.key for draft in drafts}),
        "redeliveries": kinds["redelivery"],
        "late": kinds["late"],
        "too_late": kinds["too_late"],
        "reposts": marks["repost"],
        "spam": marks["spam"],
        "with_personal_data": marks["personal"],
        "bad_records": _of_stage(kinds, "decode", "clean"),
        "media_faults": _of_stage(kinds, "attach"),
        "by_brand": _sorted(Counter(d.brand and BRANDS[d.brand].name for d in drafts)),
        "by_mood": _sorted(Counter(f"{d.brand} {d.mood}" for d in drafts)),
        "by_channel": _sorted(Counter(d.author.channel for d in drafts)),
        "by_language": _sorted(Counter(d.author.lang for d in drafts)),
    }


def _family(kind: str) -> str:
    """`decode/not_json` of "decode/not_json cut short"."""
    return kind.partition(" ")[0]


def _of_stage(kinds: Counter[str], *stages: str) -> dict[str, int]:
    return {k: n for k, n in sorted(kinds.items()) if k.partition("/")[0] in stages}


def _sorted(counts: Counter[Any]) -> dict[str, int]:
    return {str(key): number for key, number in sorted(counts.items(), key=lambda i: str(i[0]))}


def watchlist() -> str:
    """The demo's brands as the `brands` of a moodwire.yaml."""
    brands = [
        {
            "name": brand.name,
            "aliases": list(brand.aliases),
            "handles": list(brand.handles),
            "hashtags": list(brand.hashtags),
            "exclusions": list(brand.exclusions),
        }
        for brand in BRANDS.values()
    ]
    head = (
        "# The demo's invented brands, as in moodwire.yaml; pipelines.demo.generate wrote them.\n"
    )
    return head + str(yaml.safe_dump({"brands": brands}, sort_keys=False, allow_unicode=True))
