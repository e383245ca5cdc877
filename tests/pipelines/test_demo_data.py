import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
import yaml

from pipelines.demo.generate import day
from pipelines.settings import BrandSettings
from schemas.records import Delivery, Post, SourcePost
from transforms.attach import attach_media
from transforms.brands import Brand
from transforms.channels.registry import event_time_of, read_source_post
from transforms.cleaner import Cleaner
from transforms.ingest import deliver, read_lines
from transforms.refusals import Refused
from transforms.watermark import BoundedDisorder

DATA = Path(day.__file__).parents[1] / "data"
STORY = json.loads((DATA / "story.json").read_text(encoding="utf-8"))
COUNTS = STORY["counts"]
MASKS = ("[email]", "[phone]", "[iban]", "[card]", "[ip]")


@dataclass(frozen=True)
class Seen:
    """What stage 1 made of one line of the file."""

    delivery: Delivery
    late: bool
    refusal: str | None = None
    source: SourcePost | None = None
    post: Post | None = None


def brands() -> tuple[Brand, ...]:
    """The demo's watchlist as the pipeline uses it."""
    listed = yaml.safe_load((DATA / "watchlist.yaml").read_text(encoding="utf-8"))["brands"]
    settings = msgspec.convert(listed, tuple[BrandSettings, ...])
    return tuple(Brand(**msgspec.structs.asdict(brand)) for brand in settings)


@cache
def seen() -> tuple[Seen, ...]:
    """Every line of the shipped file, read once for all tests."""
    times, cleaner = BoundedDisorder(60.0), Cleaner(brands(), b"a key for these tests alone")
    return tuple(_see(delivery, times, cleaner) for delivery in deliveries())


def deliveries() -> Iterator[Delivery]:
    """The file as the reader of files delivers it."""
    for line in read_lines((str(DATA / "posts.jsonl.gz"),)):
        yield deliver(line, None, event_time_of)


def _see(delivery: Delivery, times: BoundedDisorder, cleaner: Cleaner) -> Seen:
    if times.is_too_late(delivery.event_time, 3600):
        return Seen(delivery, late=True, refusal="ingest/too_late")
    late = delivery.event_time is not None and delivery.event_time < times.watermark - 240
    times.observe(delivery.event_time)
    try:
        source = read_source_post(delivery)
        return Seen(delivery, late, source=source, post=cleaner.clean(delivery, source))
    except Refused as refused:
        return Seen(delivery, late, refusal=f"{refused.stage}/{refused.cause}")


def posts() -> list[Post]:
    """Clean posts, each once."""
    found = {(s.post.channel, s.post.post_id): s.post for s in seen() if s.post}
    return list(found.values())


def minute_of(moment: datetime) -> int:
    """Minutes since the start of the demo's day."""
    return int((moment - datetime.fromisoformat(f"{STORY['day']}T00:00:00Z")).total_seconds() // 60)


def posts_per_minute(brand: str, first: str, last: str) -> float:
    """How many posts a minute name `brand` between two times of the day, HH:MM."""
    start, end = (int(t[:2]) * 60 + int(t[3:]) for t in (first, last))
    named = [p for p in posts() if brand in p.brands and start <= minute_of(p.created_at) < end]
    return len(named) / (end - start)


def image_share(brand: str, first: str, last: str) -> float:
    """The share of posts naming `brand` that carry an image, between two times of the day."""
    start, end = (int(t[:2]) * 60 + int(t[3:]) for t in (first, last))
    named = [p for p in posts() if brand in p.brands and start <= minute_of(p.created_at) < end]
    return sum(bool(p.images) for p in named) / len(named)


def test_bad_records_are_refused_for_the_reasons_that_the_story_says() -> None:
    refusals = Counter(s.refusal for s in seen() if s.refusal)

    assert refusals == COUNTS["bad_records"] | {"ingest/too_late": COUNTS["too_late"]}
    assert 0.008 < sum(COUNTS["bad_records"].values()) / len(seen()) < 0.02


def test_posts_are_as_many_as_the_story_says() -> None:
    assert len(seen()) == COUNTS["lines"]
    assert len(posts()) == COUNTS["posts"] - COUNTS["too_late"] >= 3000
    assert sum(bool(p.images) for p in posts()) >= 600
    assert COUNTS["posts_with_image"] >= 600


def test_redeliveries_are_the_same_bytes_again() -> None:
    repeats = [s.delivery.value for s in seen() if s.source]

    assert len(repeats) - len(set(repeats)) == COUNTS["redeliveries"]


def test_few_posts_are_late_and_fewer_too_late() -> None:
    again = Counter(s.delivery.value for s in seen())
    late = [s for s in seen() if s.late and s.post and again[s.delivery.value] == 1]

    assert len(late) == COUNTS["late"] >= 20
    assert 3 <= COUNTS["too_late"] <= 5


def test_posts_are_out_of_order_by_seconds_and_minutes() -> None:
    times = [s.delivery.event_time for s in seen() if s.delivery.event_time is not None]

    assert sum(b < a for a, b in pairwise(times)) > 500


def test_every_channel_and_language_takes_part() -> None:
    channels = Counter(p.channel for p in posts())
    languages = Counter(p.lang for p in posts())

    assert channels.keys() == {
        *("x", "reddit", "instagram", "facebook", "youtube", "tiktok", "news", "reviews")
    }
    assert min(channels.values()) >= 50
    assert {lang for lang, n in languages.items() if n > 150} == {"en", "es", "de", "fr"}


def test_wordings_are_hardly_ever_repeated_but_by_reposts_and_spam() -> None:
    repeated = Counter(p.text.casefold() for p in posts() if not p.is_repost)
    copies = sum(repeated.values()) - len(repeated) - COUNTS["reposts"] - COUNTS["spam"]

    assert copies / len(posts()) < 0.15


def test_personal_data_are_masked() -> None:
    masked = [p.text for p in posts() if any(mask in p.text for mask in MASKS)]

    assert len(masked) == COUNTS["with_personal_data"] >= 30
    assert {mask for mask in MASKS for text in masked if mask in text} == set(MASKS)
    assert not any("example.com" in p.text or "DE89" in p.text for p in posts())


def test_images_open_unless_they_are_meant_not_to() -> None:
    causes: Counter[str] = Counter()
    for post in posts():
        _, faults = attach_media(post.images, str(DATA))
        causes.update(f"attach/{fault.cause}" for fault in faults)

    assert causes == COUNTS["media_faults"]


def test_image_files_are_those_that_the_story_counts() -> None:
    files = [f for f in (DATA / "images").iterdir() if f.is_file()]
    families = {f.name.rpartition("-")[0] for f in files}

    assert len(files) == COUNTS["image_files"] >= 300
    assert len(families) >= 12
    assert {f.suffix for f in files} == {".jpg", ".png", ".webp"}


def test_the_crisis_starts_in_pictures_then_grows_sixfold() -> None:
    usual = posts_per_minute("Oatmere", "11:00", "14:00")

    assert (
        image_share("Oatmere", "11:00", "14:00") < 0.35 < image_share("Oatmere", "14:15", "14:45")
    )
    assert posts_per_minute("Oatmere", "14:15", "14:35") < 4 * usual
    assert posts_per_minute("Oatmere", "15:15", "15:45") > 6 * usual
    assert posts_per_minute("Oatmere", "20:00", "21:00") < 2.5 * usual


def test_the_outage_is_short_and_the_launch_is_large() -> None:
    assert posts_per_minute("Brindlow", "09:45", "10:00") > 5 * posts_per_minute(
        "Brindlow", "08:00", "09:30"
    )
    assert posts_per_minute("Brindlow", "11:30", "12:30") < 1.5
    assert posts_per_minute("Orvika", "17:05", "17:35") > 5 * posts_per_minute(
        "Orvika", "12:00", "15:00"
    )


def test_nothing_happens_to_the_calm_brand_and_birds_do_not_count() -> None:
    hours = Counter(minute_of(p.created_at) // 60 for p in posts() if "Godwit" in p.brands)
    birds = [p for p in posts() if "godwit" in p.text.casefold() and "Godwit" not in p.brands]

    assert max(hours.values()) < 3 * sum(hours.values()) / 24
    assert len(birds) >= 40


def test_story_names_known_brands_and_times_of_its_day() -> None:
    names = {brand["name"] for brand in STORY["brands"]}
    groups = ("phases", "expected_alerts", "notices", "false_alarms")
    told = [entry for group in groups for entry in STORY[group]]

    assert names == {brand.name for brand in brands()}
    assert {entry["brand"] for entry in told} <= names
    for entry in told:
        start, end = (datetime.fromisoformat(entry[key]) for key in ("from", "to"))
        assert 0 <= minute_of(start) < minute_of(end) <= 1440


def test_all_posts_are_of_the_day() -> None:
    start = datetime.fromisoformat(f"{STORY['day']}T00:00:00Z")

    assert all(start <= p.created_at < start + timedelta(days=1) for p in posts())


def test_folder_is_small_and_says_whose_work_it_is() -> None:
    size = sum(f.stat().st_size for f in DATA.rglob("*") if f.is_file())
    readme = (DATA / "README.md").read_text(encoding="utf-8")

    assert size <= 12 * 1024 * 1024
    assert all(term in readme for term in ("Apache-2.0", "CC0", "public domain", "Open Font"))


@pytest.mark.parametrize("with_pictures", [False, True])
def test_generator_repeats_itself_to_the_byte(tmp_path: Path, with_pictures: bool) -> None:
    for name in ("first", "second"):
        day.write_demo(tmp_path / name, scale=0.02, with_pictures=with_pictures)
    first, second = (_contents(tmp_path / name) for name in ("first", "second"))

    assert first == second
    assert (len(first) > 25) == with_pictures


def _contents(folder: Path) -> dict[str, bytes]:
    files = (f for f in folder.rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): f.read_bytes() for f in files}


def test_shipped_posts_are_what_the_generator_writes() -> None:
    with gzip.open(DATA / "posts.jsonl.gz", "rb") as stream:
        shipped = stream.read()

    assert shipped == b"".join(line.value + b"\n" for line in day.write_lines())
