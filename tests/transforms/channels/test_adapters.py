"""What each adapter reads from what its channel really delivers."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.records import SourcePost
from tests.builders import a_delivery
from transforms.channels.registry import ADAPTERS, event_time_of, read_source_post
from transforms.refusals import Refused

SAMPLES = Path(__file__).parent / "samples"
MORNING = datetime(2026, 3, 11, 3, 13, 40, tzinfo=UTC)
REPOST = (
    "RT @jo_writes: The battery of this phone lasts so long that I forgot where I put its "
    "charger, and that is the best thing that can be said of a phone."
)
EXPECTED: dict[str, dict[str, Any]] = {
    "x_stream.json": {
        "post_id": "1790000000000000001",
        "text": "Love the new @nova phone &amp; its camera https://t.co/abc",
        "author_id": "2244994945",
        "lang": "en",
        "country": "DE",
        "reach": 512,
        "permalink": "https://x.com/i/web/status/1790000000000000001",
        "images": (
            "https://pbs.twimg.com/media/one.jpg",
            "https://pbs.twimg.com/preview/two.jpg",
        ),
    },
    "x_repost.json": {
        "post_id": "1790000000000000002",
        "created_at": datetime(2026, 3, 11, 4, tzinfo=UTC),
        "text": REPOST,
        "author_id": "99",
        "lang": "en",
        "reach": 31,
        "is_repost": True,
        "permalink": "https://x.com/i/web/status/1790000000000000002",
    },
    "reddit_submission.json": {
        "post_id": "t3_1b2c3d",
        "text": "Nova phone got hot\nHas anyone else seen this?",
        "author_id": "t2_abc",
        "reach": 250000,
        "permalink": "https://www.reddit.com/r/phones/comments/1b2c3d/nova_phone_got_hot/",
        "images": ("https://preview.redd.it/m1.jpg?width=960&format=pjpg&s=1",),
    },
    "reddit_comment.json": {
        "post_id": "t1_kx1",
        "created_at": datetime(2026, 3, 11, 3, 15, tzinfo=UTC),
        "text": "Same here, u/some_redditor",
        "author_id": "t2_def",
        "permalink": "https://www.reddit.com/r/phones/comments/1b2c3d/nova_phone_got_hot/kx1/",
    },
    "instagram_media.json": {
        "post_id": "17895695668004550",
        "text": "Morning with my #NovaPhone ☀️",
        "author_id": "jo.pictures",
        "reach": 87,
        "permalink": "https://www.instagram.com/p/abc/",
        "images": ("https://cdn.example/1.jpg", "https://cdn.example/2.jpg"),
    },
    "instagram_comment.json": {
        "post_id": "17870913679156914",
        "created_at": datetime(2026, 3, 11, 3, 20, tzinfo=UTC),
        "text": "so pretty 😍",
        "author_id": "178414",
        "reach": 2,
    },
    "facebook_post.json": {
        "post_id": "20531316728_10154009990506729",
        "text": "Our new store is open",
        "author_id": "20531316728",
        "reach": 12,
        "permalink": "https://www.facebook.com/nova/posts/1",
        "images": ("https://cdn.example/a.jpg", "https://cdn.example/b.jpg"),
    },
    "facebook_comment.json": {
        "post_id": "10154009990506729_10154009999",
        "created_at": datetime(2026, 3, 11, 5, tzinfo=UTC),
        "text": "Queue was too long",
        "author_id": "100001",
        "images": ("https://cdn.example/queue.jpg",),
    },
    "youtube_comment_thread.json": {
        "post_id": "Ugx1",
        "text": "I <3 this",
        "author_id": "UCjo",
        "permalink": "https://www.youtube.com/watch?v=dQw4&lc=Ugx1",
    },
    "youtube_video.json": {
        "post_id": "dQw4",
        "created_at": datetime(2026, 3, 10, 10, tzinfo=UTC),
        "text": "Nova phone, the film\nEverything new in one minute.",
        "author_id": "UCnova",
        "lang": "en-GB",
        "reach": 104522,
        "permalink": "https://www.youtube.com/watch?v=dQw4",
        "images": ("https://i.ytimg.com/vi/dQw4/hqdefault.jpg",),
    },
    "tiktok_video.json": {
        "post_id": "7345678901234567890",
        "text": "unboxing the #nova phone",
        "author_id": "jo.tok",
        "country": "GB",
        "reach": 4021,
        "permalink": "https://www.tiktok.com/@/video/7345678901234567890",
    },
    "tiktok_comment.json": {
        "post_id": "7345678901234567999",
        "created_at": datetime(2026, 3, 11, 3, 16, 40, tzinfo=UTC),
        "text": "want one",
        "author_id": "",
        "permalink": "https://www.tiktok.com/@/video/7345678901234567890",
    },
    "news_item.json": {
        "post_id": "https://news.example/nova-recall",
        "text": "Nova recalls phone\nThe battery may overheat.",
        "author_id": "Jo Doe",
        "lang": "en",
        "permalink": "https://news.example/nova-recall",
        "images": ("https://news.example/phone.jpg",),
    },
    "news_item.xml": {
        "post_id": "nova-recall-1",
        "text": "Nova recalls phone\nThe battery may overheat.",
        "author_id": "Jo Doe",
        "permalink": "https://news.example/nova-recall",
        "images": ("https://news.example/phone.jpg",),
    },
    "news_entry.xml": {
        "post_id": "urn:news:nova-recall",
        "text": "Nova recalls phone\nThe battery may overheat.",
        "author_id": "Jo Doe",
        "permalink": "https://news.example/nova-recall",
    },
    "generic.json": {
        "channel": "forum",
        "post_id": "42",
        "text": "The Nova phone is great",
        "author_id": "u7",
        "lang": "en",
        "country": "de",
        "reach": 17,
        "permalink": "https://forum.example/42",
        "images": ("images/phone.jpg",),
    },
    "generic_minimal.json": {
        "post_id": "42",
        "created_at": datetime(2012, 10, 25, 21, 0, 34, tzinfo=UTC),
        "text": "The Nova phone is great",
        "author_id": "",
    },
}


def channel_of(name: str) -> str:
    """The channel that a sample is from."""
    return name.partition("_")[0].partition(".")[0]


@pytest.mark.parametrize("name", EXPECTED)
def test_every_sample_is_read_whole(name: str) -> None:
    channel = channel_of(name)
    delivery = a_delivery((SAMPLES / name).read_bytes(), channel=channel)

    wanted: dict[str, Any] = {"channel": channel, "created_at": MORNING} | EXPECTED[name]
    assert read_source_post(delivery) == SourcePost(**wanted)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_event_time_of_every_sample_is_that_of_its_post(name: str) -> None:
    value = (SAMPLES / name).read_bytes()

    wanted = EXPECTED[name].get("created_at", MORNING).timestamp()
    assert event_time_of(value, channel_of(name)) == wanted


def test_every_sample_and_every_adapter_is_tested() -> None:
    assert {file.name for file in SAMPLES.iterdir()} == set(EXPECTED)
    assert {channel_of(name) for name in EXPECTED} == set(ADAPTERS)


@pytest.mark.parametrize("channel", sorted(set(ADAPTERS) - {"news"}))
def test_a_post_without_id_is_refused_by_every_json_adapter(channel: str) -> None:
    payload = {
        "created_at": "2026-03-11T03:13:40Z",
        "text": "no id",
        "title": "no id",
        "created_utc": 1773198820,
        "snippet": {"textOriginal": "no id", "publishedAt": "2026-03-11T03:13:40Z"},
    }

    with pytest.raises(Refused) as refused:
        read_source_post(a_delivery(msgspec.json.encode(payload), channel=channel))
    assert refused.value.cause == "no_id"


def test_a_bare_x_post_without_includes_is_read() -> None:
    value = b'{"id": "1", "text": "hi", "created_at": "2026-03-11T03:13:40Z", "channel": "x"}'

    post = read_source_post(a_delivery(value))
    assert (post.channel, post.text, post.created_at) == ("x", "hi", MORNING)


def test_the_channel_of_the_source_labels_generic_posts_that_name_none() -> None:
    assert read_source_post(a_delivery(channel="x")).channel == "x"
    assert read_source_post(a_delivery({"channel": "forum"}, channel="x")).channel == "forum"
    assert read_source_post(a_delivery(channel="reviews")).channel == "reviews"


def test_removed_reddit_text_leaves_nothing_to_read() -> None:
    value = b'{"name": "t1_a", "body": "[deleted]", "created_utc": 1773198820}'

    assert read_source_post(a_delivery(value, channel="reddit")).text == ""
