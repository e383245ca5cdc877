"""Under which names the source and the sink show themselves among Beam's metrics."""

from __future__ import annotations

import math
from dataclasses import dataclass

from apache_beam.metrics import Metrics


@dataclass(frozen=True)
class MetricNames:
    """Names of the metrics, for users with a naming scheme of their own."""

    namespace: str = "kafka"
    records_read: str = "records_read"
    lag: str = "lag_records"
    watermark: str = "watermark_timestamp_seconds"
    retries: str = "sink_retries"

    def count_read(self, records: int) -> None:
        """Count records that were read."""
        Metrics.counter(self.namespace, self.records_read).inc(records)

    def count_retry(self) -> None:
        """Count a write that had to be repeated."""
        Metrics.counter(self.namespace, self.retries).inc()

    def show_lag(self, records: int) -> None:
        """Show how many records wait for this reader."""
        Metrics.gauge(self.namespace, self.lag).set(records)

    def show_watermark(self, seconds: float) -> None:
        """Show how far event time has come, once it is known."""
        if math.isfinite(seconds):
            Metrics.gauge(self.namespace, self.watermark).set(int(seconds))


NAMES = MetricNames()
