"""What people write: grammars of phrases in four languages, and the slips of fast fingers."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from pipelines.demo.generate.story import BRANDS

_PHRASES: Final = Path(__file__).parent / "phrases"
_SLOT: Final = re.compile(r"\{(\w+)\}")
_TRIES: Final = 40
# Which openings, closings and emoji go with a mood; no manner means plain words.
MANNERS: Final[dict[str, str]] = {
    "positive": "positive",
    "neutral": "neutral",
    "negative": "negative",
    "pictures": "wry",
    "angry": "angry",
    "worried": "neutral",
    "after": "plain",
    "launch": "positive",
    "launch_neutral": "neutral",
    "outage": "negative",
    "restored": "plain",
    "bird": "plain",
}
_SLIPS: Final = (
    ("the ", "teh "),
    ("really", "realy"),
    ("definitely", "definately"),
    ("because", "becuase"),
    ("you ", "u "),
    ("are ", "r "),
    ("with", "wiht"),
    ("tomorrow", "tmrw"),
    ("disgusting", "disgustng"),
    ("and ", "n "),
)
_ARTICLE: Final = re.compile(r"\b([aA]) (?=[#@]?[aeio](?!ne\b))", re.IGNORECASE)
_STRETCHED: Final = re.compile(
    r"\b(so|no|love|omg|good|ew|why|yes|never|super|mega)\b", re.IGNORECASE
)


class Grammar:
    """Rules of one language; a rule is a list of ways to say it, `{name}` another rule."""

    def __init__(self, rules: dict[str, list[str]]) -> None:
        self.rules = rules

    def say(self, rule: str, rng: random.Random, **given: str) -> str:
        """One way to say `rule`, its slots filled; `given` slots come from the caller."""

        def fill(match: re.Match[str]) -> str:
            return given.get(match[1]) or self.say(match[1], rng, **given)

        return _SLOT.sub(fill, str(rng.choice(self.rules[rule])))


@cache
def grammar(lang: str, brand: str) -> Grammar:
    """The phrases of `lang`; English has a file for each brand, the others hold them all."""
    rules: dict[str, list[str]] = {}
    for name in (lang, f"{lang}-{brand}"):
        path = _PHRASES / f"{name}.yaml"
        if path.exists():
            rules |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return Grammar(rules)


class Writer:
    """Writes posts, no two alike as far as the phrases reach."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._written: set[str] = set()

    def write(self, brand: str, mood: str, lang: str) -> str:
        """A post about `brand` in a `mood`; it always names the brand."""
        text = ""
        for _ in range(_TRIES):
            text = self._compose(brand, mood, lang)
            if text.casefold() not in self._written:
                break
        self._written.add(text.casefold())
        return text

    def plain(self, file: str, rule: str) -> str:
        """A sentence as a newsroom or a firm would write it, from one of the English files."""
        return grammar("en", file).say(rule, self.rng)

    def _compose(self, brand: str, mood: str, lang: str) -> str:
        rng, rules = self.rng, grammar(lang, brand)
        core = rules.say(f"{brand}_{mood}", rng, name=BRANDS[brand].name)
        manner = MANNERS[mood]
        if manner == "neutral" and core.endswith("?"):
            manner = "question"
        text = _slip(self._surround(rules, manner, core), rng)
        if lang == "en":
            text = _ARTICLE.sub(r"\1n ", text)
        if brand not in text.casefold():
            text += rng.choice((" #{0}", " @{1}", " #{0}")).format(*_names(brand))
        return self._decorate(rules, manner, text, brand)

    def _surround(self, rules: Grammar, manner: str, core: str) -> str:
        rng = self.rng
        if manner in ("plain", "wry"):
            return core if rng.random() < 0.6 else core[0].upper() + core[1:]
        if rng.random() < 0.4:
            core = rules.say(f"open_{manner}", rng) + core
        if rng.random() < 0.42:
            close = rules.say(f"close_{manner}", rng).strip()
            joint = " " if core[-1] in "?!." else rng.choice((". ", ", ", "... ", ". ", "! "))
            core = f"{core}{joint}{close}" if close else core
        return core if rng.random() < 0.55 else core[0].upper() + core[1:]

    def _decorate(self, rules: Grammar, manner: str, text: str, brand: str) -> str:
        rng = self.rng
        tone = {"question": "neutral", "plain": "neutral"}.get(manner, manner)
        if manner == "angry" and rng.random() < 0.06:
            text = text.upper()
        if rng.random() < 0.42:
            emoji = rules.say(f"emoji_{tone}", rng)
            times = 1 if tone == "neutral" else rng.choice((1, 1, 1, 2, 3))
            text = f"{text} {emoji * times}".rstrip()
        if rng.random() < 0.22 and manner != "plain":
            tag = rng.choice(TAGS[tone]).format(*_names(brand))
            text += f" {tag}" if tag.casefold() not in text.casefold() else ""
        return text


TAGS: Final[dict[str, tuple[str, ...]]] = {
    "positive": ("#love", "#happy", "#{0}", "#goodvibes", "#yay", "#{0} #fan", "#thursdaythoughts"),
    "neutral": ("#{0}", "#question", "#today", "#{0} #news", "#justasking"),
    "negative": ("#fail", "#{0}fail", "#{0}", "#annoyed", "#notgood"),
    "angry": ("#{0}gate", "#boycott{0}", "#disgusting", "#recall", "#foodsafety", "#{0}", "#gross"),
    "wry": ("#breakfast", "#{0}", "#foodie", "#nofilter", "#{0} #foodporn", "#yum", "#mood"),
}


def _names(brand: str) -> tuple[str, str]:
    return BRANDS[brand].name, BRANDS[brand].handle


def _slip(text: str, rng: random.Random) -> str:
    """Sometimes a typo, sometimes a stretched word."""
    if rng.random() < 0.07:
        wrong = [(right, slip) for right, slip in _SLIPS if right in text]
        text = text.replace(*rng.choice(wrong), 1) if wrong else text
    if rng.random() < 0.08:
        text = _STRETCHED.sub(lambda m: m[0] + m[0][-1] * rng.randint(2, 5), text, count=1)
    return text
