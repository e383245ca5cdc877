"""From tokens to the words that a person reads."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORD: Final = re.compile(r"\S+")

Span = tuple[int, int]
Floats = NDArray[np.float64]


def word_spans(text: str) -> list[Span]:
    """Where the words stand: what lies between spaces.

    >>> word_spans("so  good!")
    [(0, 2), (4, 9)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def words_of_tokens(words: Sequence[Span], tokens: Sequence[Span]) -> list[int | None]:
    """The number of the word that each token belongs to; None: a special token.

    A token's last sign decides, since the tokens of byte-level vocabularies start with the space.

    >>> words_of_tokens([(0, 2), (3, 7)], [(0, 0), (0, 2), (2, 5), (5, 7), (0, 0)])
    [None, 0, 1, 1, None]
    """
    owner = {
        place: number for number, (start, end) in enumerate(words) for place in range(start, end)
    }
    return [owner.get(end - 1) if end > start else None for start, end in tokens]


def sum_by_word(values: Floats, owners: Sequence[int | None], words: int) -> Floats:
    """Sums the values of each word's tokens along the first axis: (tokens, ...) -> (words, ...)."""
    sums = np.zeros((words, *values.shape[1:]))
    for value, owner in zip(values, owners, strict=True):
        if owner is not None:
            sums[owner] += value
    return sums


def without_words(text: str, words: Sequence[Span], removed: Sequence[int]) -> str:
    """The text with some of its words gone.

    >>> without_words("not a good day", word_spans("not a good day"), [0, 2])
    'a day'
    """
    gone = set(removed)
    kept = (span for number, span in enumerate(words) if number not in gone)
    return " ".join(text[start:end] for start, end in kept)
