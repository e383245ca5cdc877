"""Drafts in the shape of X, Instagram, Facebook, TikTok, YouTube and Moodwire's generic JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipelines.demo.generate.drafts import Draft
from pipelines.demo.generate.forums import news_item, reddit_thing
from pipelines.demo.generate.identity import (
    base36,
    digits,
    epoch,
    iso_offset,
    iso_z,
    moment,
    seed_of,
    snowflake,
)

Payload = dict[str, Any]


def x_post(draft: Draft) -> Payload:
    """One line of the filtered stream; a repost refers to its original and cuts it short."""
    author = draft.author
    post_id = snowflake(draft.minute, "x", draft.number)
    data: Payload = {
        "id": post_id,
        "edit_history_tweet_ids": [post_id],
        "text": draft.text,
        "created_at": iso_z(draft.minute),
        "author_id": _account(draft),
        "lang": author.lang,
        "public_metrics": _x_metrics(draft),
    }
    includes: Payload = {"users": [_x_user(draft)]}
    if seed_of("geo", draft.number) % 5 < 3:
        place = base36(16, "place", author.country)
        data["geo"] = {"place_id": place}
        includes["places"] = [{"id": place, "country_code": author.country}]
    if draft.picture:
        key = f"3_{snowflake(draft.minute, 'media', draft.picture)}"
        data["attachments"] = {"media_keys": [key]}
        includes["media"] = [{"media_key": key, "type": "photo", "url": draft.picture}]
    if draft.origin and draft.origin.author.channel == "x" and draft.number % 2:
        _refer(data, includes, draft.origin)
    tag = f"brand {draft.brand}" if draft.brand else "brands"
    return {
        "data": data,
        "includes": includes,
        "matching_rules": [{"id": digits(19, tag), "tag": tag}],
    }


def _refer(data: Payload, includes: Payload, origin: Draft) -> None:
    original = snowflake(origin.minute, "x", origin.number)
    data["referenced_tweets"] = [{"type": "retweeted", "id": original}]
    data["text"] = f"RT @{origin.author.username}: {origin.text}"[:139] + "…"
    includes["tweets"] = [{"id": original, "text": origin.text, "author_id": _account(origin)}]


def _x_metrics(draft: Draft) -> Payload:
    likes = draft.reach // 60
    counts = {"retweet_count": likes // 7, "reply_count": likes // 9, "like_count": likes}
    return counts | {"quote_count": likes // 40, "impression_count": draft.reach}


def _x_user(draft: Draft) -> Payload:
    author = draft.author
    name = author.username.replace("_", " ").title()
    metrics = {"followers_count": author.followers}
    return {
        "id": _account(draft),
        "name": name,
        "username": author.username,
        "public_metrics": metrics,
    }


def _account(draft: Draft) -> str:
    return digits(10, "account", draft.author.key)


def instagram_post(draft: Draft) -> Payload:
    """A media object, or a comment where there is no picture."""
    author = draft.author
    post: Payload = {
        "id": digits(17, "instagram", draft.number),
        "timestamp": iso_offset(draft.minute),
        "username": author.username,
        "like_count": draft.reach // 4,
    }
    if draft.picture is None:
        sender = {"id": digits(17, author.key), "username": author.username}
        return post | {"text": draft.text, "from": sender, "media": {"id": digits(17, draft.brand)}}
    return post | {
        "caption": draft.text,
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        "media_url": draft.picture,
        "permalink": f"https://www.instagram.com/p/{base36(11, draft.number)}/",
        "comments_count": draft.reach // 90,
    }


def facebook_post(draft: Draft) -> Payload:
    """A page post; older pictures in `full_picture`, most in `attachments`."""
    page = digits(15, draft.author.key)
    post: Payload = {
        "id": f"{page}_{digits(16, 'facebook', draft.number)}",
        "created_time": iso_offset(draft.minute),
        "message": draft.text,
        "from": {"id": page, "name": draft.author.username.replace("_", " ").title()},
        "permalink_url": f"https://www.facebook.com/{page}/posts/{digits(16, draft.number)}",
        "shares": {"count": draft.reach // 25},
    }
    if draft.picture and draft.number % 3:
        media = {"image": {"height": 300, "src": draft.picture, "width": 400}}
        post["attachments"] = {"data": [{"media": media, "type": "photo"}]}
    elif draft.picture:
        post["full_picture"] = draft.picture
    return post


def tiktok_post(draft: Draft) -> Payload:
    """A video by its description and cover, or a comment."""
    post: Payload = {
        "id": int(digits(19, "tiktok", draft.number)),
        "create_time": epoch(draft.minute),
        "username": draft.author.username,
        "like_count": draft.reach // 12,
    }
    if draft.picture is None:
        return post | {"text": draft.text, "video_id": int(digits(19, draft.brand))}
    return post | {
        "video_description": draft.text,
        "region_code": draft.author.country,
        "view_count": draft.reach * 3,
        "share_count": draft.reach // 80,
        "cover_image_url": draft.picture,
    }


def youtube_comment(draft: Draft) -> Payload:
    """A comment thread with its top comment."""
    comment_id = f"Ug{base36(24, 'youtube', draft.number)}"
    video = base36(11, "video", draft.brand)
    snippet = {
        "videoId": video,
        "textOriginal": draft.text,
        "textDisplay": draft.text.replace("&", "&amp;"),
        "authorDisplayName": f"@{draft.author.username}",
        "authorChannelId": {"value": f"UC{base36(22, draft.author.key)}"},
        "likeCount": draft.reach // 50,
        "publishedAt": iso_z(draft.minute),
    }
    top = {"kind": "youtube#comment", "id": comment_id, "snippet": snippet}
    thread = {"videoId": video, "topLevelComment": top, "totalReplyCount": 0}
    return {"kind": "youtube#commentThread", "id": comment_id, "snippet": thread}


def generic_post(draft: Draft) -> Payload:
    """Moodwire's own form, here from a site of reviews."""
    post: Payload = {
        "channel": "reviews",
        "post_id": f"rv-{base36(10, 'reviews', draft.number)}",
        "created_at": moment(draft.minute).isoformat(),
        "text": draft.text,
        "author_id": base36(8, draft.author.key),
        "lang": draft.author.lang,
        "country": draft.author.country,
        "reach": draft.reach,
    }
    return post | ({"images": [draft.picture]} if draft.picture else {})


SHAPES: Final[dict[str, Callable[[Draft], Payload]]] = {
    "x": x_post,
    "instagram": instagram_post,
    "facebook": facebook_post,
    "tiktok": tiktok_post,
    "youtube": youtube_comment,
    "generic": generic_post,
    "reddit": reddit_thing,
    "news": news_item,
}


def shape(draft: Draft) -> Payload:
    """The payload of `draft` as its author's channel delivers it."""
    return SHAPES[draft.author.channel](draft)
