"""Names, labels and meanings of every metric Moodwire publishes: declared here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric: its Prometheus name, kind, bounded labels and what it tells a reader.

    `buckets` are the upper ends of a histogram's, without the last, which is infinite.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """Names under which Prometheus keeps it."""
        if self.kind != "histogram":
            return (self.name,)
        return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))


POSTS_READ = Metric("moodwire_posts_read_total", "counter", "Deliveries read from the source.")
POSTS_CLEANED = Metric(
    "moodwire_posts_cleaned_total", "counter", "Posts that left cleaning.", ("channel",)
)
DUPLICATES = Metric(
    "moodwire_duplicates_total", "counter", "Redelivered posts that were dropped.", ("channel",)
)
UNMATCHED = Metric(
    "moodwire_posts_unmatched_total",
    "counter",
    "Readings that name no watched brand.",
    ("channel",),
)
DEAD_LETTERS = Metric(
    "moodwire_dead_letters_total", "counter", "Refused records.", ("stage", "cause")
)
MEDIA_FAULTS = Metric(
    "moodwire_media_faults_total", "counter", "Images that could not be used.", ("cause",)
)
READINGS = Metric("moodwire_readings_total", "counter", "Readings made.", ("channel", "model"))
EXPECTATIONS = Metric(
    "moodwire_expectation_failures_total",
    "counter",
    "Rows that failed a Great Expectations check.",
    ("expectation",),
)
TRENDS = Metric("moodwire_trends_total", "counter", "Trend panes published.", ("timing",))
ALERTS = Metric("moodwire_alerts_total", "counter", "Alert states published.", ("kind", "status"))
BRAND_VALENCE = Metric(
    "moodwire_brand_valence", "gauge", "Mean valence of the newest window.", ("brand",)
)
BRAND_NEGATIVE = Metric(
    "moodwire_brand_negative_ratio", "gauge", "Share of negative posts, newest window.", ("brand",)
)
BRAND_POSTS = Metric("moodwire_brand_posts", "gauge", "Posts in the newest window.", ("brand",))
BRAND_MOOD = Metric(
    "moodwire_brand_emotion_ratio",
    "gauge",
    "Mean probability of an emotion group in the newest window.",
    ("brand", "emotion"),
)
ALERTS_FIRING = Metric(
    "moodwire_alert_severity",
    "gauge",
    "Severity of a firing alert, 0 once over.",
    ("brand", "kind"),
)
WATERMARK = Metric(
    "moodwire_watermark_timestamp_seconds", "gauge", "Event time that the pipeline has reached."
)
KAFKA_LAG = Metric(
    "moodwire_kafka_lag_records", "gauge", "Records that wait in Kafka for a reader."
)
SINK_RETRIES = Metric(
    "moodwire_sink_retries_total", "counter", "Writes that a sink had to repeat.", ("sink",)
)
MODEL_BATCHES = Metric(
    "moodwire_model_batches_total", "counter", "Batches of posts that the model read.", ("model",)
)
MODEL_MILLISECONDS = Metric(
    "moodwire_model_milliseconds_total", "counter", "Time that the model took for them.", ("model",)
)
MODEL_REMEMBERED = Metric(
    "moodwire_model_remembered_total",
    "counter",
    "Posts answered from memory, being equal to one read before.",
    ("model",),
)
MODEL_SWAPS = Metric(
    "moodwire_model_swaps_total", "counter", "Other checkpoints taken while running.", ("model",)
)
MODEL_REFUSALS = Metric(
    "moodwire_model_refusals_total",
    "counter",
    "Checkpoints that could not be used; the old one went on.",
    ("cause",),
)
SHADOW_POSTS = Metric(
    "moodwire_shadow_posts_total", "counter", "Posts that the second model read too."
)
SHADOW_DIFFERING = Metric(
    "moodwire_shadow_differing_total", "counter", "Those whose likeliest sentiment differs."
)
SHADOW_DIFFERENCES = Metric(
    "moodwire_shadow_differences_millionths_total",
    "counter",
    "Sum of the absolute differences between the two models, in millionths.",
    ("output",),
)
SHADOW_SKIPPED = Metric(
    "moodwire_shadow_skipped_total", "counter", "Posts that the second model left out.", ("cause",)
)
DRIFT = Metric(
    "moodwire_drift_millionths",
    "gauge",
    "How far the last hour's posts are from the model's reference, in millionths.",
    ("model", "statistic", "measure"),
)
DRIFT_POSTS = Metric(
    "moodwire_drift_posts", "gauge", "Posts of the last hour that drift is measured on.", ("model",)
)

# 60 s of a post and 90 s of a window are what docs/operations.md promises.
_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
READING_DELAY = Metric(
    "moodwire_reading_delay_seconds",
    "histogram",
    "From the time that a post states to its Reading on the topic.",
    buckets=_DELAYS,
)
TREND_DELAY = Metric(
    "moodwire_trend_delay_seconds",
    "histogram",
    "From the end of a window to its on-time Trend on the topic.",
    buckets=_DELAYS,
)
ALERT_DELAY = Metric(
    "moodwire_alert_delay_seconds",
    "histogram",
    "From the end of the window that opened an alert to the alert on the topic.",
    buckets=_DELAYS,
)
CHECKPOINT = Metric(
    "moodwire_checkpoint_timestamp_seconds",
    "gauge",
    "When the newest checkpoint of the job was complete.",
)
LEFT_OUT = Metric(
    "moodwire_left_out",
    "gauge",
    "Brands, and series of brands and slices, beyond what is told.",
    ("what",),
)

DELIVERY_MESSAGES = Metric(
    "moodwire_delivery_messages_total",
    "counter",
    "Messages that came to an end: taken by the receiver, or given up.",
    ("receiver", "outcome"),
)
DELIVERY_FAILURES = Metric(
    "moodwire_delivery_failures_total",
    "counter",
    "Attempts that the receiver did not take.",
    ("receiver",),
)
DELIVERY_WAITING = Metric(
    "moodwire_delivery_waiting_messages",
    "gauge",
    "Messages that wait to be taken.",
    ("receiver",),
)
DELIVERY_OLDEST = Metric(
    "moodwire_delivery_oldest_seconds",
    "gauge",
    "For how long the message that waits longest has, 0 where none waits.",
    ("receiver",),
)
DELIVERY_DISABLED = Metric(
    "moodwire_delivery_disabled",
    "gauge",
    "1 where the receiver wants nothing more and nothing is sent to it.",
    ("receiver",),
)
DELIVERY_READ = Metric(
    "moodwire_delivery_read_timestamp_seconds",
    "gauge",
    "When the source of alerts last answered, with or without news.",
)
DELIVERY_ALERTMANAGER = Metric(
    "moodwire_delivery_alertmanager_up", "gauge", "1 where Alertmanager took the last round."
)

METRICS: tuple[Metric, ...] = tuple(v for v in list(globals().values()) if isinstance(v, Metric))


def metric_of(sample: str) -> str:
    """The metric name of a sample such as `moodwire_dead_letters_total{cause="empty"}`."""
    return sample.split("{", 1)[0]
