"""Which words stand out: bounded term counts and log-odds against a brand's own baseline."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

MAX_TERMS = 40
MAX_TERMS_OF_POST = 30
MAX_BASELINE_TERMS = 400
MAX_BASELINE_COUNT = 20_000
LEAST_LOG_LIKELIHOOD = 6.63
_TERM = re.compile(r"#?[^\W\d_][\w'’-]{2,23}(?![\w'’-])")
# Words without a topic. Others that are merely frequent are outweighed by the baseline.
_STOP_WORDS = frozenset(
    """
    about after again all also and any are because been before being but can could did does don't
    for from get got had has have her here him his how i'm into isn't it's its just like more most
    much not now off one only other our out over really she should some still than that that's the
    their them then there these they this those too very via want was were what when where which
    while who why will with would you your http https www com url user amp email phone
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


def terms_of(text: str) -> tuple[str, ...]:
    """Distinct words and hashtags of a post in the order of the alphabet, at most 30.

    >>> terms_of("The battery of my NovaPhone smokes, battery gone! #recall")
    ('#recall', 'battery', 'gone', 'novaphone', 'smokes')
    """
    found = {match.group().replace("’", "'") for match in _TERM.finditer(text.lower())}
    return tuple(sorted(found - _STOP_WORDS)[:MAX_TERMS_OF_POST])


def most_frequent(counts: Mapping[str, int], limit: int = MAX_TERMS) -> dict[str, int]:
    """The `limit` most frequent terms, ties in the order of the alphabet."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:limit])


def count_terms(posts: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """In how many posts each of the most frequent terms stands."""
    return most_frequent(Counter(term for terms in posts for term in terms))


def learn_terms(known: Mapping[str, int], seen: Mapping[str, int]) -> dict[str, int]:
    """A brand's usual words after one more window; all are halved once they are too many."""
    terms = {term: known.get(term, 0) + seen.get(term, 0) for term in {**known, **seen}}
    if sum(terms.values()) > MAX_BASELINE_COUNT:
        terms = {term: count // 2 for term, count in terms.items() if count > 1}
    return most_frequent(terms, MAX_BASELINE_TERMS)


def standing_out(
    seen: Mapping[str, int], baseline: Mapping[str, int], limit: int = 6, least: int = 3
) -> tuple[str, ...]:
    """Terms over-represented in `seen` against `baseline`, the most surprising first.

    Log-likelihood ratio (Dunning 1993, "Accurate Methods for the Statistics of Surprise and
    Coincidence"): G² = 2·Σ O·ln(O/E) over both corpora, which must pass 6.63 (one in a hundred).
    Unlike a z-score of log-odds it ranks a term that was never seen before above one that merely
    became more frequent. Terms in fewer than `least` posts are left out; with an empty baseline
    the most frequent lead.
    """
    if not baseline:
        return tuple(t for t, n in most_frequent(seen, limit).items() if n >= least)
    totals = sum(seen.values()), sum(baseline.values())
    scores = {
        term: _log_likelihood(count, baseline.get(term, 0), totals)
        for term, count in seen.items()
        if count >= least
    }
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return tuple(term for term, score in ranked[:limit] if score > LEAST_LOG_LIKELIHOOD)


def _log_likelihood(seen: int, before: int, totals: tuple[int, int]) -> float:
    """G² of one term, 0 where it is no more frequent than before."""
    usual = (seen + before) / (totals[0] + totals[1])
    if seen <= usual * totals[0]:
        return 0.0
    terms = ((n, usual * total) for n, total in zip((seen, before), totals, strict=True) if n)
    return round(2 * sum(n * math.log(n / expected) for n, expected in terms), 6)
