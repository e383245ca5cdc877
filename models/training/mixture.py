"""Which texts of which task each part of a run reads."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace

from models.training.data import Example, length_batches, token_count
from models.training.settings import TextStageSettings


class Mixture:
    """Rounds of batches over all tasks, the same for a seed whatever was read before.

    A task gets a share of a round proportional to (rows x emphasis)^power, the power going linearly
    from the first to the last round of `mix`. Each task is read in shuffled passes, one after the
    other, so that no text comes again before all others of its task have.
    """

    def __init__(
        self, examples: dict[str, list[Example]], settings: TextStageSettings, seed: int
    ) -> None:
        self._examples, self._settings, self._seed = examples, settings, seed
        self.counts = [self._counts(round_) for round_ in range(settings.rounds)]
        self.steps = [
            -(-sum(counts.values()) // settings.batch_size) for counts in self.counts
        ]  # batches a round

    def batches(self, round_: int) -> list[list[Example]]:
        """Batches of similar length, in random order."""
        order = random.Random(f"{self._seed}-{round_}")
        chosen = [example for task in self._examples for example in self._slice(task, round_)]
        if self._settings.token_dropout:
            chosen = [drop_tokens(one, self._settings.token_dropout, order) for one in chosen]
        return list(length_batches(chosen, self._settings.batch_size, order, token_count))

    def _counts(self, round_: int) -> dict[str, int]:
        settings = self._settings
        first, last = settings.mix
        power = first + (last - first) * round_ / max(1, settings.rounds - 1)
        sizes = {task: len(rows) for task, rows in self._examples.items()}
        raw = {task: (n * settings.emphasis.get(task, 1.0)) ** power for task, n in sizes.items()}
        in_round = settings.epochs * sum(sizes.values()) / settings.rounds
        total = sum(raw.values())
        return {task: max(1, round(in_round * share / total)) for task, share in raw.items()}

    def _slice(self, task: str, round_: int) -> list[Example]:
        rows = self._examples[task]
        start = sum(counts[task] for counts in self.counts[:round_])
        passes = itertools.count(start // len(rows))
        order = itertools.chain.from_iterable(self._pass(task, number) for number in passes)
        first = start % len(rows)
        return list(itertools.islice(order, first, first + self.counts[round_][task]))

    def _pass(self, task: str, number: int) -> Sequence[Example]:
        order = list(self._examples[task])
        random.Random(f"{self._seed}-{task}-{number}").shuffle(order)
        return order


def drop_tokens(example: Example, share: float, order: random.Random) -> Example:
    """The text without a share of its tokens; the first and the last, which frame it, stay."""
    first, *middle, last = example.token_ids
    kept = [token for token in middle if order.random() >= share] or middle
    return replace(example, token_ids=(first, *kept, last))
