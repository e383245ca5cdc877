"""How far a stream's posts and readings are from those that a model was validated on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from models.checkpoint import CheckpointError
from schemas.emotions import EMOTIONS
from schemas.records import Reading

REFERENCE_FILE: Final = "reference.json"
FORMAT: Final = 1
MICRO: Final = 1_000_000
BINS: Final = 10
LEAST_ROWS: Final = 300  # below, chance alone makes an index of BINS bins 0.03 and more
NUMERIC: Final = ("text_characters", "valence", "confidence", "mismatch", "alpha_text")
SHARES: Final = ("has_image", "abstained", *(f"emotion_{name}" for name in EMOTIONS))


class Histogram(msgspec.Struct, frozen=True):
    """Counts of the bins [edge, next edge); the first and the last bin take what lies outside."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.counts) + 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("a histogram needs rising edges, one more than counts")


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What a model read in validation: histograms of numbers, and means of what is 0 to 1."""

    version: int = FORMAT
    model: str
    rows: int
    numeric: dict[str, Histogram]
    shares: dict[str, float]


class Drift(NamedTuple):
    """How far one statistic is from the reference."""

    statistic: str
    psi: float
    js: float


def numbers_of(reading: Reading) -> dict[str, float]:
    """The numbers of a reading; of text against image only where a post has both."""
    found = {
        "text_characters": float(len(reading.text)),
        "valence": reading.valence,
        "confidence": reading.confidence,
    }
    if reading.mismatch is not None:
        found |= {"mismatch": reading.mismatch, "alpha_text": reading.weights.text}
    return found


def shares_of(reading: Reading) -> dict[str, float]:
    """What a reading adds to the shares, each from 0 to 1."""
    emotions = {f"emotion_{name}": value for name, value in reading.emotions.items()}
    return {
        "has_image": float(bool(reading.thumbnails)),
        "abstained": float(reading.abstained),
        **emotions,
    }


def bin_of(edges: Sequence[float], value: float) -> int:
    """The bin that `value` falls into.

    >>> [bin_of((0.0, 1.0, 2.0), value) for value in (-5, 0.5, 1.0, 9)]
    [0, 0, 1, 1]
    """
    return bisect_right(edges, value, 1, len(edges) - 1) - 1


def proportions(counts: Sequence[float]) -> tuple[float, ...]:
    """Shares of the bins, half a row added to each so that none is zero (Jeffreys' prior)."""
    total = sum(counts) + len(counts) / 2
    return tuple((count + 0.5) / total for count in counts)


def population_stability_index(expected: Sequence[float], found: Sequence[float]) -> float:
    """Σ (f - e) ln(f / e) over the proportions of the bins (Siddiqi 2006).

    0 where both are the same, and higher the further they are apart. By convention up to 0.1 is
    nothing, above 0.2 a shift. Chance alone gives about (bins - 1)(1 / rows + 1 / other rows).

    >>> population_stability_index((0.5, 0.5), (0.5, 0.5))
    0.0
    >>> round(population_stability_index((0.5, 0.5), (0.3, 0.7)), 4)
    0.1695
    """
    e, f = np.asarray(expected), np.asarray(found)
    return float(np.sum((f - e) * np.log(f / e)))


def jensen_shannon_distance(expected: Sequence[float], found: Sequence[float]) -> float:
    """Square root of the Jensen-Shannon divergence in bits, from 0 to 1 (Lin 1991, equation 3.1).

    >>> round(jensen_shannon_distance((0.5, 0.5), (0.3, 0.7)), 4)
    0.1741
    """
    e, f = np.asarray(expected), np.asarray(found)
    middle = (e + f) / 2
    bits = (np.sum(e * np.log2(e / middle)) + np.sum(f * np.log2(f / middle))) / 2
    return float(np.sqrt(max(bits, 0.0)))


class Population(msgspec.Struct):
    """Some readings as their drift is measured: integers, which add up the same in any order.

    Attributes:
        rows: readings.
        counts: rows in each bin of the reference's histograms.
        sums: sums of the shares, in millionths.
    """

    rows: int = 0
    counts: dict[str, list[int]] = msgspec.field(default_factory=dict)
    sums: dict[str, int] = msgspec.field(default_factory=dict)

    def learn_one(self, reading: Reading, reference: Reference) -> None:
        """Add one reading, by the bins of `reference`."""
        self.rows += 1
        for name, value in numbers_of(reading).items():
            if (known := reference.numeric.get(name)) is not None:
                counts = self.counts.setdefault(name, [0] * len(known.counts))
                counts[bin_of(known.edges, value)] += 1
        for name, value in shares_of(reading).items():
            self.sums[name] = self.sums.get(name, 0) + round(value * MICRO)

    def merge(self, other: Population) -> None:
        """Add everything that `other` learned by the same reference."""
        self.rows += other.rows
        for name, counts in other.counts.items():
            mine = self.counts.get(name, [0] * len(counts))
            self.counts[name] = [a + b for a, b in zip(mine, counts, strict=True)]
        for name, total in other.sums.items():
            self.sums[name] = self.sums.get(name, 0) + total

    def drifts(self, reference: Reference) -> Iterator[Drift]:
        """The drift of every statistic that has rows enough to tell."""
        for name, known in reference.numeric.items():
            counts = self.counts.get(name, [])
            if len(counts) == len(known.counts) and sum(counts) >= LEAST_ROWS:
                yield _drift(name, known.counts, counts)
        for name, share in reference.shares.items():
            if name in self.sums and self.rows >= LEAST_ROWS:
                hits = self.sums[name] / MICRO
                yield _drift(
                    name, _parted(share * reference.rows, reference.rows), _parted(hits, self.rows)
                )


def _drift(name: str, expected: Sequence[float], found: Sequence[float]) -> Drift:
    e, f = proportions(expected), proportions(found)
    return Drift(name, population_stability_index(e, f), jensen_shannon_distance(e, f))


def _parted(hits: float, rows: int) -> tuple[float, float]:
    return hits, rows - hits


def reference_of(readings: Sequence[Reading]) -> Reference:
    """The reference that `readings` of one model make: bins of about equal numbers of rows.

    Raises:
        ValueError: there are none, or several models made them.
    """
    models = {reading.model for reading in readings}
    if len(models) != 1:
        raise ValueError(f"a reference needs readings of one model, these have {sorted(models)}")
    numbers = [numbers_of(reading) for reading in readings]
    shares = [shares_of(reading) for reading in readings]
    columns = {name: [row[name] for row in numbers if name in row] for name in NUMERIC}
    return Reference(
        model=models.pop(),
        rows=len(readings),
        numeric={name: _histogram(values) for name, values in columns.items() if values},
        shares={name: round(sum(row[name] for row in shares) / len(shares), 6) for name in SHARES},
    )


def _histogram(values: Sequence[float]) -> Histogram:
    cuts = np.quantile(values, np.linspace(0, 1, BINS + 1), method="lower")
    edges = sorted({round(float(cut), 6) for cut in cuts})
    if len(edges) == 1:
        edges = [edges[0], edges[0] + 1]
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[bin_of(edges, value)] += 1
    return Histogram(tuple(edges), tuple(counts))


def read_reference(folder: Path) -> Reference | None:
    """The reference in a checkpoint's folder, None where it has none.

    Raises:
        CheckpointError: the file is damaged or of another format.
    """
    file = folder / REFERENCE_FILE
    if not file.is_file():
        return None
    try:
        reference = msgspec.json.decode(file.read_bytes(), type=Reference)
    except (msgspec.MsgspecError, OSError) as error:
        raise _damaged(file, str(error)) from error
    if reference.version != FORMAT:
        raise _damaged(file, f"has format {reference.version}, this version reads {FORMAT}")
    return reference


def write_reference(folder: Path, reference: Reference) -> Path:
    """Put the reference beside the weights; an earlier one is replaced."""
    file = folder / REFERENCE_FILE
    encoded = msgspec.json.format(msgspec.json.encode(reference), indent=1)
    file.write_bytes(encoded + b"\n")
    return file


def _damaged(file: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        f"{file}: {problem}. Write it again with `moodwire models reference`, or remove it"
    )
