"""Drafts in the shape of Reddit and of news feeds."""

from __future__ import annotations

from typing import Any, Final

from pipelines.demo.generate.drafts import Draft
from pipelines.demo.generate.identity import base36, digits, epoch, rfc_822

_FORUMS: Final[dict[str | None, tuple[str, int]]] = {
    "oatmere": ("OatMilkClub", 48_210),
    "orvika": ("phonetalk", 912_400),
    "brindlow": ("everydaymoney", 310_900),
    "godwit": ("windowseats", 126_000),
}
_LONGEST_TITLE: Final = 120


def reddit_thing(draft: Draft) -> dict[str, Any]:
    """A submission with a picture or a long text, otherwise a comment."""
    name, subscribers = _FORUMS.get(draft.brand, ("misc", 5_000))
    short = base36(7, "reddit", draft.number)
    author = draft.author
    data: dict[str, Any] = {
        "id": short,
        "created_utc": float(epoch(draft.minute)),
        "author": author.username,
        "author_fullname": f"t2_{base36(8, author.key)}",
        "subreddit": name,
        "subreddit_subscribers": subscribers,
        "score": draft.reach // 30,
    }
    if draft.picture is None and draft.number % 3:
        parent = base36(7, "thread", draft.brand)
        link = f"/r/{name}/comments/{parent}/_/{short}/"
        data |= {"name": f"t1_{short}", "body": draft.text, "link_id": f"t3_{parent}"}
        return {"kind": "t1", "data": data | {"permalink": link}}
    return {"kind": "t3", "data": data | _submission(draft, name, short)}


def _submission(draft: Draft, forum: str, short: str) -> dict[str, Any]:
    title, rest = draft.text, ""
    if len(title) > _LONGEST_TITLE:
        title, _, rest = draft.text.partition(". ")
    data = {
        "name": f"t3_{short}",
        "title": title,
        "selftext": rest,
        "permalink": f"/r/{forum}/comments/{short}/_/",
        "num_comments": draft.reach // 200,
    }
    if draft.picture:
        data |= {"post_hint": "image", "url_overridden_by_dest": draft.picture}
        data["preview"] = {"images": [{"source": {"url": draft.picture, "width": 400}}]}
    if draft.origin and draft.origin.author.channel == "reddit":
        data["crosspost_parent"] = f"t3_{base36(7, 'reddit', draft.origin.number)}"
    return data


def news_item(draft: Draft) -> dict[str, Any]:
    """An RSS item as feedparser reads it."""
    outlet = draft.author.username
    site = f"https://{outlet.lower().replace(' ', '-')}.example"
    item: dict[str, Any] = {
        "id": f"{site}/{digits(8, 'news', draft.number)}",
        "link": f"{site}/{digits(8, 'news', draft.number)}",
        "title": draft.title,
        "summary": f"<p>{draft.text}</p>",
        "published": rfc_822(draft.minute),
        "author": outlet,
        "language": "en-GB",
    }
    if draft.picture:
        item["media_content"] = [{"url": draft.picture, "medium": "image"}]
    return item
