"""How well groups of posts follow the events that they are about, by words and by the model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score, v_measure_score

from models.detection.terms import terms_of
from models.detection.topics import FARTHEST, Grouping, words_of
from models.scorer import ScoreInput, Scorer
from models.text_preparation import prepare_text
from transforms.near_duplicates import cluster_id

SIZES = (60, 45, 30, 25, 20, 15)  # posts of each event in one draw
LEAST_TEXTS = 40
KEPT_TEXTS = 200  # of an event
THRESHOLDS = (*np.arange(0.4, 0.95, 0.05), 0.95, 0.97, 0.98, 0.99)
Rows = NDArray[np.float64]
Labels = list[str]
OURS = f"words, root of idf, at the shipped {FARTHEST}"


class Quality(NamedTuple):
    """How well groups follow events: V-measure is NMI, F1 that of the best group of each event."""

    v_measure: float
    rand: float
    purity: float
    best_f1: float
    groups: float


def different_texts(posts: Sequence[tuple[str, str]], seed: int = 7) -> dict[str, list[str]]:
    """Texts of each label, near-duplicates once, of labels that have enough."""
    found: dict[str, dict[str, str]] = {}
    for label, text in posts:
        found.setdefault(label, {}).setdefault(cluster_id(text), text)
    rng = random.Random(seed)
    texts = {label: sorted(of.values()) for label, of in sorted(found.items())}
    return {
        label: rng.sample(of, min(KEPT_TEXTS, len(of)))
        for label, of in texts.items()
        if len(of) >= LEAST_TEXTS
    }


def draws(texts: dict[str, list[str]], rounds: int) -> Iterator[tuple[Labels, list[str]]]:
    """Labels and texts of six events at a time, of unequal size."""
    rng = random.Random(3)
    for _ in range(rounds):
        chosen = rng.sample(sorted(texts), len(SIZES))
        found = [
            (label, text)
            for label, size in zip(chosen, SIZES, strict=True)
            for text in rng.sample(texts[label], min(size, len(texts[label])))
        ]
        rng.shuffle(found)
        yield [label for label, _ in found], [text for _, text in found]


def judge(labels: Labels, groups: Sequence[int]) -> Quality:
    """Groups against events."""
    truth, found = np.array(labels), np.array(groups)
    shared = np.array([[(found[truth == e] == g).sum() for g in set(groups)] for e in set(labels)])
    sizes = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True)
    return Quality(
        float(v_measure_score(labels, groups)),
        float(adjusted_rand_score(labels, groups)),
        float(shared.max(axis=0).sum() / len(labels)),
        float((2 * shared / sizes).max(axis=1).mean()),
        float(len(set(groups))),
    )


def compare(texts: dict[str, list[str]], rounds: int, scorer: Scorer) -> dict[str, Quality]:
    """Each way at the threshold that suits it best by V-measure, ours at the shipped one."""
    found: dict[tuple[str, float], list[Quality]] = {}
    for labels, drawn in draws(texts, rounds):
        for name, rows in _ways(drawn, scorer).items():
            tree = linkage(pdist(rows + 1e-9, "cosine"), "average")
            for farthest in THRESHOLDS:
                groups = fcluster(tree, farthest, "distance").tolist()
                found.setdefault((name, farthest), []).append(judge(labels, groups))
        found.setdefault((OURS, 0), []).append(judge(labels, _ours(drawn)))
    means = {key: Quality(*np.mean(every, axis=0).round(3)) for key, every in found.items()}
    names = dict.fromkeys(name for name, _ in means)
    return {
        name: max((q for key, q in means.items() if key[0] == name), key=lambda q: q.v_measure)
        for name in names
    }


def _ours(texts: list[str]) -> list[int]:
    grouping = Grouping([words_of(terms_of(text)) for text in texts])
    place = {m: number for number, group in enumerate(grouping.groups) for m in group}
    return [place[number] for number in range(len(texts))]


def _ways(texts: list[str], scorer: Scorer) -> dict[str, Rows]:
    embedded = scorer.embed([ScoreInput(prepare_text(text) or ".") for text in texts])
    joint = np.array([one.text for one in embedded], dtype=np.float64)
    centred = _unit(joint - joint.mean(axis=0))
    words = _tfidf(texts, lambda share: share)
    rooted = _tfidf(texts, np.sqrt)
    return {
        "joint space": joint,
        "joint space, the mean of the draw taken off": centred,
        "TF-IDF of scikit-learn": TfidfVectorizer(stop_words="english")
        .fit_transform(texts)
        .toarray(),
        "words, idf": words,
        "words, root of idf": rooted,
        "words, root of idf, and a fifth of the joint space": np.hstack(
            [0.8**0.5 * rooted, 0.2**0.5 * centred]
        ),
    }


def _tfidf(texts: list[str], damp: Callable[[Rows], Rows]) -> Rows:
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: words_of(terms_of(text)), min_df=2, use_idf=False, norm=None
    )
    counts = vectorizer.fit_transform(texts).toarray()
    return _unit(counts * damp(np.log((1 + len(texts)) / counts.sum(axis=0))))


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))
