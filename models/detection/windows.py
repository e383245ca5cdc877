"""What detectors ask of a window: where it ends, who decided, how sure its means are."""

from __future__ import annotations

from models.detection.statistics import Z95
from schemas.records import Estimate, Trend


def end_of(trend: Trend) -> int:
    """End of the window in epoch seconds."""
    return int(trend.window_end.timestamp())


def width_of(trend: Trend) -> int:
    """Length of the window in seconds."""
    return end_of(trend) - int(trend.window_start.timestamp())


def stands_alone(trend: Trend) -> bool:
    """Whether the window is of those that do not overlap one another: one in each width."""
    return end_of(trend) % width_of(trend) == 0


def decided(trend: Trend) -> int:
    """Posts whose sentiment the model did decide on."""
    return trend.posts - trend.abstained


def standard_error(estimate: Estimate) -> float:
    """Of the mean, from its 95 % interval."""
    return (estimate.high - estimate.low) / (2 * Z95)


def error_of_people(trend: Trend, estimate: Estimate, least_spread: float) -> float:
    """Standard error of a mean over posts, as if each person had spoken once.

    From the longer half of the interval, which counts voices (docs/decisions/0040), since the other
    may have been cut off at the end of the scale; at least that of people who differ by
    `least_spread`.
    """
    people = max(1, min(decided(trend), trend.authors))
    error = max(estimate.high - estimate.mean, estimate.mean - estimate.low) / Z95
    return float(max(error, least_spread / people**0.5))
