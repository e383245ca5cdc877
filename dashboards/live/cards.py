"""Model cards on the page: Markdown as a tree of a few plain elements, never as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import msgspec
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

ReadCards = Callable[[], Iterable[str]]
"""The cards at hand as Markdown, those to be preferred first; reads files."""

# What Markdown's elements become; any other tells its text alone, without an element.
TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "hr": "hr",
    "hardbreak": "br",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "strong": "strong",
    "em": "em",
    "s": "s",
    "code_inline": "code",
    "code_block": "pre",
    "fence": "pre",
}
HEADINGS_BELOW = 2  # the page's own: a card's first heading is an h3
_COMMENT = re.compile(r"^<!--.*?-->[ \t]*$", re.MULTILINE | re.DOTALL)


class Element(msgspec.Struct, frozen=True, array_like=True):
    """An element to be made: its tag, where it leads if it is a link, what it holds."""

    tag: str
    href: str | None
    children: tuple[str | Element, ...]


class CardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The card of one model, empty where there is none; `others` head the cards of other models."""

    card: tuple[str | Element, ...] = ()
    others: tuple[str, ...] = ()


def card_of(model: str, cards: Iterable[str]) -> CardAnswer:
    """The first of `cards` whose first heading names `model`.

    >>> card_of("m-1", ["# m-1", "# m-2"]).card
    (Element(tag='h3', href=None, children=('m-1',)),)
    >>> card_of("m-1", ["# m-1.1"])
    CardAnswer(card=(), others=('m-1.1',))
    """
    others = []
    for card in cards:
        tree = _parsed(card)
        heading = _heading(tree)
        if model in heading.split():
            return CardAnswer(card=tuple(_elements(tree)))
        others.append(heading)
    return CardAnswer(others=tuple(others))


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _parsed(card: str) -> SyntaxTreeNode:
    """The card's tree; comments are left out, any other HTML is text like the rest."""
    return SyntaxTreeNode(_markdown().parse(_COMMENT.sub("", card)))


def _heading(tree: SyntaxTreeNode) -> str:
    headings = (node for node in tree.children if node.type == "heading")
    return next((_text(node).strip() for node in headings), "")


def _text(node: SyntaxTreeNode) -> str:
    return "".join(leaf.content for leaf in node.walk() if not leaf.children)


def _elements(parent: SyntaxTreeNode) -> Iterator[str | Element]:
    for node in parent.children:
        tag = _tag(node)
        if tag is not None:
            yield Element(tag, _href(node), tuple(_inside(node)))
        else:
            yield from _inside(node)


def _inside(node: SyntaxTreeNode) -> Iterator[str | Element]:
    if node.children:
        yield from _elements(node)
    elif node.type == "softbreak":
        yield " "
    elif node.content:
        yield node.content


def _tag(node: SyntaxTreeNode) -> str | None:
    if node.type == "heading":
        return f"h{min(6, int(node.tag[1]) + HEADINGS_BELOW)}"
    if node.type == "link":
        return "a" if _href(node) else None
    return None if node.hidden else TAGS.get(node.type)


def _href(node: SyntaxTreeNode) -> str | None:
    """Where a link leads, if out into the web: files beside a card are not on this page."""
    href = str(node.attrs.get("href", "")) if node.type == "link" else ""
    return href if href.startswith(("https://", "http://")) else None
