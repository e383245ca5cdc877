"""What a bundle of readings adds to each window, added up before anything is sent or kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from schemas.records import Reading
from transforms.samples import Key, samples_by_key
from transforms.tally import Tally, decode_tally, encode_tally
from transforms.windows import WindowKey, starts_of_windows

# A bundle may span years (a replay on Prism is one bundle of 500 lines, another runner's may be a
# whole file): beyond so many tallies they are handed on in the middle of it.
MOST_TALLIES = 4_000


class TallyBundle(beam.DoFn):
    """Reading -> (key with window start, Tally of the bundle's share in that window).

    A window looks at its state once a bundle then, not once a post; Beam calls that combiner
    lifting. Samples are learnt once a period of each slice, and the windows that hold a period
    share its tally: sliding windows cost hardly more than tumbling ones.
    """

    def __init__(
        self, window_seconds: int, period_seconds: int, dimensions: tuple[str, ...]
    ) -> None:
        self.window_seconds = window_seconds
        self.period_seconds = period_seconds
        self.dimensions = dimensions

    def start_bundle(self) -> None:
        self.periods: dict[tuple[Key, int], Tally] = {}
        self.newest: dict[int, float] = {}

    def process(self, reading: Reading) -> Iterator[TimestampedValue]:
        moment = reading.created_at.timestamp()
        period = starts_of_windows(moment, self.window_seconds, self.period_seconds)[0]
        self.newest[period] = max(moment, self.newest.get(period, moment))
        for key, sample in samples_by_key(reading, self.dimensions):
            tally = self.periods.get((key, period))
            if tally is None:
                tally = self.periods[key, period] = Tally()
            tally.learn_one(sample)
        if len(self.periods) >= MOST_TALLIES:
            for window, share, newest in self._shares():
                yield TimestampedValue((window, share), newest)
            self.start_bundle()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for window, share, newest in self._shares():
            yield WindowedValue((window, share), Timestamp(newest), (GlobalWindow(),))

    def _shares(self) -> Iterator[tuple[WindowKey, Tally, float]]:
        """Each window's share, and the time of the newest reading in it."""
        periods: dict[WindowKey, list[int]] = defaultdict(list)
        for key, period in self.periods:
            for start in starts_of_windows(period, self.window_seconds, self.period_seconds):
                periods[(*key, start)].append(period)
        for window, held in periods.items():
            tallies = [self.periods[window[:-1], period] for period in held]
            yield window, merged(tallies), max(self.newest[period] for period in held)


def merged(tallies: list[Tally]) -> Tally:
    """All that these tallies learned; they stay as they are."""
    if len(tallies) == 1:
        return tallies[0]
    whole = decode_tally(encode_tally(tallies[0]))
    for tally in tallies[1:]:
        whole.merge(tally)
    return whole
