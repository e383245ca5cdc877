"""One self-contained HTML page that says why a post was read as it was."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from html import escape
from typing import Final

import numpy as np

from models.explanation.records import Explanation, Grid, Shown, Word
from models.explanation.regions import draw_heat_map

LEVELS: Final = 8
_SHADES: Final = "\n".join(
    f".{name}-{level} {{ background: rgb({colour} / {level / LEVELS * 0.75:.2f}); }}"
    for name, colour in (("for", "20 110 180"), ("against", "205 75 20"), ("seen", "150 90 190"))
    for level in range(1, LEVELS + 1)
)
STYLE: Final = f"""
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem;
  color: #1d2430; background: #fff; }}
h1 {{ font-size: 1.3rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.05rem; margin-top: 1.8rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #dde; }}
.words {{ font-size: 1.1rem; line-height: 2; overflow-wrap: anywhere; }}
.words span {{ padding: .15em .2em; border-radius: .25em; }}
figure {{ display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; width: 280px; }}
figure img {{ width: 100%; height: auto; }} figcaption, .note {{ color: #566; font-size: .9rem; }}
svg {{ width: 100%; max-width: 500px; height: 18px; }}
.text {{ fill: #356cab; }} .image {{ fill: #d98e2b; }}
{_SHADES}
"""
_Shade = Callable[[Word, Sequence[Word]], str]
# For servers that set the header themselves; the page carries it too.
POLICY: Final = (
    f"default-src 'none'; img-src data:; "
    f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
)


def title_of(post_id: str) -> str:
    """What the page of a post is called."""
    return f"Post {post_id}"


def build_page(title: str, told: Explanation, renditions: Sequence[bytes]) -> str:
    """The page as HTML. It refers to nothing outside itself and holds no script.

    Args:
        title: what to call the post.
        told: why it was read so.
        renditions: its pictures.
    """
    return page(title, f"{_reading(told)}{_words(told)}{_pictures(told, renditions)}{_top(told)}")


def page(title: str, body: str) -> str:
    """A page around `body`, which is HTML already; the title is text."""
    shown = escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{shown}</title><style>{STYLE}</style></head><body><h1>{shown}</h1>{body}"
        "</body></html>\n"
    )


def _reading(told: Explanation) -> str:
    facts = [
        ("read as", f"{told.sentiment}, {told.probability:.0%}"),
        ("weight of the text, α", f"{told.alpha_text:.0%}"),
        ("weight of the image, α", f"{told.alpha_image:.0%}"),
    ]
    if told.cosine is not None and told.mismatch is not None:
        facts.append(("image and text in the joint space, cosine", f"{told.cosine:+.3f}"))
        facts.append(("mismatch", f"{told.mismatch:.3f}"))
    facts.append(("model", told.model))
    rows = "".join(f"<tr><th>{name}</th><td>{escape(fact)}</td></tr>" for name, fact in facts)
    split = 500 * told.alpha_text
    bar = (
        f'<svg viewBox="0 0 500 18" role="img" aria-label="α: text {told.alpha_text:.0%}, '
        f'image {told.alpha_image:.0%}"><rect class="text" width="{split:.0f}" height="18"/>'
        f'<rect class="image" x="{split:.0f}" width="{500 - split:.0f}" height="18"/></svg>'
    )
    return f"{bar}<table>{rows}</table>"


def _words(told: Explanation) -> str:
    if not told.words:
        return "<p>No text: the image alone was read.</p>"
    found = told.completeness
    checked = (
        ""
        if found is None
        else (
            f" Together they account for the change from blank words, {found.difference:+.2f}, "
            f"but for {found.gap:.3f}."
        )
    )
    return (
        "<h2>Words for and against</h2>"
        f'<p class="note">Blue speaks for “{escape(told.sentiment)}”, orange against it '
        f"(integrated gradients, in log-odds).{checked}</p>"
        f'<p class="words" dir="auto">{_shaded(told, _contribution_class)}</p>'
        "<h2>Words attended to</h2>"
        '<p class="note">Share of each word in the pooling of the text; '
        f"{told.special:.0%} went to signs that are no words.</p>"
        f'<p class="words" dir="auto">{_shaded(told, _attention_class)}</p>'
    )


def _shaded(told: Explanation, css_class: _Shade) -> str:
    return " ".join(
        f'<span class="{css_class(word, told.words)}" '
        f'title="{word.contribution:+.3f}, attention {word.attention:.1%}">'
        f"{escape(told.text[word.start : word.end])}</span>"
        for word in told.words
    )


def _contribution_class(word: Word, words: Sequence[Word]) -> str:
    level = _level(abs(word.contribution), max(abs(other.contribution) for other in words))
    return f"{'for' if word.contribution > 0 else 'against'}-{level}"


def _attention_class(word: Word, words: Sequence[Word]) -> str:
    return f"seen-{_level(word.attention, max(other.attention for other in words))}"


def _level(value: float, most: float) -> int:
    return round(LEVELS * value / most) if most > 0 else 0


def _pictures(told: Explanation, renditions: Sequence[bytes]) -> str:
    if not renditions:
        return ""
    named = told.shows or [()] * len(renditions)
    return "<h2>Regions of the image</h2>" + "".join(
        _figure("image/jpeg", rendition, f"as the model sees it{_named(shows)}")
        + _heat(rendition, told.regions, "what weighed in the reading")
        + _heat(rendition, told.regions_seen_by_text, "where the words look")
        + "".join(_heat(rendition, one.regions, f"where it sees: {one.word}") for one in shows)
        for rendition, shows in zip(renditions, named, strict=True)
    )


def _named(shows: Sequence[Shown]) -> str:
    if not shows:
        return ""
    return ". Its encoder takes it for: " + ", ".join(
        f"{one.word} ({one.probability:.0%})" for one in shows
    )


def _heat(rendition: bytes, grid: Grid | None, says: str) -> str:
    if grid is None:
        return ""
    values = np.array(grid)
    caption = f"{says}: {values.min():.1%} (dark) to {values.max():.1%} (light) a region"
    return _figure("image/png", draw_heat_map(rendition, values), caption)


def _figure(kind: str, content: bytes, caption: str) -> str:
    source = f"data:{kind};base64,{b64encode(content).decode()}"
    says = escape(caption)
    return f'<figure><img src="{source}" alt="{says}"><figcaption>{says}</figcaption></figure>'


def _top(told: Explanation) -> str:
    if not told.words:
        return ""
    rows = "".join(
        f'<tr><td dir="auto">{escape(told.text[word.start : word.end])}</td>'
        f"<td>{word.contribution:+.3f}</td><td>{word.attention:.1%}</td>"
        f"<td>{'' if word.from_image is None else f'{word.from_image:.1%}'}</td></tr>"
        for word in told.top_words()
    )
    head = "<th>word</th><th>moved the reading by</th><th>attention</th><th>from the image</th>"
    return f"<h2>Words that moved it most</h2><table><tr>{head}</tr>{rows}</table>"
