"""Under which names the source shows itself among Beam's metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

from apache_beam.metrics import Metrics


@dataclass(frozen=True)
class MetricNames:
    """Names of the source's metrics, for users with a naming scheme of their own."""

    namespace: str = "kafka"
    records_read: str = "records_read"
    lag: str = "lag_records"
    watermark: str = "watermark_timestamp_seconds"

    def count_read(self, records: int) -> None:
        """Count records that were read."""
        Metrics.counter(self.namespace, self.records_read).inc(records)

    def show_lag(self, records: int) -> None:
        """Show how many records wait for this reader."""
        Metrics.gauge(self.namespace, self.lag).set(records)

    def show_watermark(self, seconds: float) -> None:
        """Show how far event time has come, once it is known."""
        if math.isfinite(seconds):
            Metrics.gauge(self.namespace, self.watermark).set(int(seconds))


NAMES = MetricNames()
