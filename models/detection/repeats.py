"""How many independent posts a mean is worth: authors repeat themselves, texts are reposted."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from operator import mul

import msgspec

BUCKETS = 64
THOUSAND = 1000  # sums are in thousandths: the scatter of voices needs no more


class Bucket(msgspec.Struct, array_like=True):
    """All posts of the authors that hash to `number`: how many, and the sums of their values."""

    number: int
    posts: int
    sums: list[int]

    def add(self, posts: int, values: Iterable[int]) -> None:
        """Add posts with the sums of their values."""
        self.posts += posts
        self.sums = [total + value for total, value in zip(self.sums, values, strict=True)]


class Repeats(msgspec.Struct):
    """Which posts of a window are no news: counted by hashed author, text, and both together.

    Near-duplicates of one text are one voice, whoever posts them. Other posts of one author are
    alike to a degree ρ that the scatter between authors tells, for each value by itself. Integers
    in a fixed number of buckets, so that any order of `learn_one` and `merge` gives the same.
    """

    authors: list[Bucket] = []
    texts: list[int] = []
    both: list[int] = []

    def learn_one(self, author: str, text: str, values: Sequence[int]) -> None:
        """Add a post with its values in thousandths."""
        self._bucket(bucket_of(author), len(values)).add(1, values)
        _count(self.texts, bucket_of(text))
        _count(self.both, bucket_of(f"{author}\x1f{text}"))

    def merge(self, other: Repeats) -> None:
        """Add everything that `other` learned."""
        for bucket in other.authors:
            self._bucket(bucket.number, len(bucket.sums)).add(bucket.posts, bucket.sums)
        self.texts, self.both = _summed(self.texts, other.texts), _summed(self.both, other.both)

    def worth(self, n: int, variances: Sequence[float]) -> list[float]:
        """How many independent posts the mean of each value over n posts is worth.

        The variance of a mean of n posts is σ² / n² times the number of pairs (a post with itself
        included) that say the same: those of one text, and ρ times those of one author with
        different texts. So it is worth n² / (texts + ρ · (authors - both)) posts, in [1, n].

        State that 0.2.0 began did not tell voices apart: its posts are taken as independent, as
        they were then.

        Args:
            n: how many posts the mean is over.
            variances: of each value, around its own mean.
        """
        counts = [bucket.posts for bucket in self.authors]
        if n == 0 or sum(counts) != n:
            return [float(n)] * len(variances)
        texts = pairs_within(self.texts, n)
        authors = pairs_within(counts, n)
        both = min(pairs_within(self.both, n), texts, authors)
        likenesses = self._likenesses(counts, variances, texts, authors, both)
        pairs = [texts + likeness * (authors - both) for likeness in likenesses]
        return [min(float(n), max(1.0, n * n / found)) for found in pairs]

    def _likenesses(
        self,
        counts: Sequence[int],
        variances: Sequence[float],
        texts: float,
        authors: float,
        both: float,
    ) -> list[float]:
        """ρ in [0, 1] of each value: by how much sums of authors scatter beyond what chance does.

        With S the sum and m the number of posts of a bucket, w = Σ m² / n² and σ² the variance,
        E Σ (S - m · mean)² / σ² = both + (texts - both) / buckets - w · texts
        + ρ · (1 - w) · (authors - both): the method of moments (Searle, Casella and McCulloch
        1992, "Variance Components", chapter 2). Where nothing tells, posts of one author are one.
        """
        n, alone = sum(counts), authors - both
        squares = sum(map(mul, counts, counts))
        share = squares / n**2
        if alone <= 0:
            return [0.0] * len(variances)
        if share >= 1:
            return [1.0] * len(variances)
        chance = both + (texts - both) / BUCKETS - share * texts
        # The variance of the values was taken around their own mean, which hides some of it.
        hidden = max(0.5, 1 - texts / n**2)
        columns = zip(*(bucket.sums for bucket in self.authors), strict=True)
        found = []
        for sums, variance in zip(columns, variances, strict=True):
            if variance <= 0:
                found.append(1.0)
                continue
            # n² Σ (S - m · mean)², in integers: any order of the buckets gives the same.
            total, products = sum(sums), sum(map(mul, sums, counts))
            scatter = n * n * sum(map(mul, sums, sums)) - 2 * n * total * products
            scatter += total * total * squares
            spread = variance * THOUSAND**2 / hidden
            likeness = (scatter / n**2 / spread - chance) / (alone * (1 - share))
            found.append(min(1.0, max(0.0, likeness)))
        return found

    def _bucket(self, number: int, width: int) -> Bucket:
        at = bisect.bisect_left(self.authors, number, key=lambda bucket: bucket.number)
        if at == len(self.authors) or self.authors[at].number != number:
            self.authors.insert(at, Bucket(number, 0, [0] * width))
        return self.authors[at]


def bucket_of(name: str) -> int:
    """The bucket that a name belongs to, the same on every machine."""
    return hashlib.blake2b(name.encode(), digest_size=1).digest()[0] % BUCKETS


def pairs_within(counts: Sequence[int], n: int) -> float:
    """Σ over groups of their size squared, from the sizes of hashed buckets of groups.

    Unrelated posts fall into one bucket by chance, one pair in `BUCKETS`, so this is
    (Σ c² - n² / B) / (1 - 1 / B), unbiased over hashes (the sketch of Alon, Matias and Szegedy
    1996); never below n, as each post is a pair with itself, nor above n².

    >>> round(pairs_within([10], 10))
    100
    """
    squares = sum(count * count for count in counts)
    found = (squares - n * n / BUCKETS) / (1 - 1 / BUCKETS)
    return min(float(n * n), max(float(n), found))


def _count(counts: list[int], number: int) -> None:
    if not counts:
        counts.extend([0] * BUCKETS)
    counts[number] += 1


def _summed(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a + b for a, b in zip_longest(one, other, fillvalue=0)]
