"""The dashboards for those on call, and for those who mind the model and the data."""

from __future__ import annotations

from dashboards.grafana.board import Board, micro, quantile, rate
from dashboards.grafana.panels import Panel, Question
from schemas import metrics as m

BURNT = "moodwire:objective_errors:ratio1h / on(objective) moodwire:objective_budget:ratio"
# Flink 1.19, "Metrics": names as its Prometheus reporter writes them.
CHECKPOINT_MILLISECONDS = "max(flink_jobmanager_job_lastCheckpointDuration)"
CHECKPOINT_BYTES = "max(flink_jobmanager_job_lastCheckpointSize)"
FAILED_CHECKPOINTS = "max(flink_jobmanager_job_numberOfFailedCheckpoints)"
RESTARTS = "max(flink_jobmanager_job_numRestarts)"
TASK_MANAGERS = "max(flink_jobmanager_numRegisteredTaskManagers)"
HELD_BACK = "max(flink_taskmanager_job_task_backPressuredTimeMsPerSecond) / 1000"
BUSY = "max(flink_taskmanager_job_task_busyTimeMsPerSecond) / 1000"
HEAP = "sum by (tm_id) (flink_taskmanager_Status_JVM_Memory_Heap_Used)"

PIPELINE = Board(
    "moodwire-pipeline",
    "Moodwire: pipeline health",
    "Whether posts flow, how far event time has come, and what holds them up.",
    (
        Panel("Posts read", (Question(rate(m.POSTS_READ)),), "number", "reqps", 6),
        Panel("Readings", (Question(rate(m.READINGS)),), "number", "reqps", 6),
        Panel("Behind the clock", (Question(f"time() - {m.WATERMARK.name}"),), "number", "s", 6,
              about="Clock minus watermark. A replay of old posts is behind by their age."),
        Panel("Dead letters", (Question(f"sum({m.DEAD_LETTERS.name})"),), "number", width=6),
        Panel("Rates by stage", (
            Question(rate(m.POSTS_READ), "read"),
            Question(rate(m.POSTS_CLEANED), "cleaned"),
            Question(rate(m.READINGS), "read by the model"),
            Question(rate(m.TRENDS), "trend panes"),
        ), unit="reqps", bounds=(0, None), width=24),
        Panel("From a post to its reading", (
            Question(quantile(0.5, m.READING_DELAY), "half within", exemplars=True),
            Question(quantile(0.99, m.READING_DELAY), "99 % within"),
        ), unit="s", bounds=(0, None), about="Since the time that the post states."),
        Panel("From a window's end to its trend and alert", (
            Question(quantile(0.99, m.TREND_DELAY), "99 % of trends within", exemplars=True),
            Question(quantile(0.99, m.ALERT_DELAY, "1h"), "99 % of alerts within"),
        ), unit="s", bounds=(0, None), about="It waits for posts out of order, as settings say."),
        Panel("Error budget", (Question(BURNT, "{{objective}}"),), bounds=(0, None), width=24,
              about="Errors of the last hour over those allowed: at 1 the budget lasts a month."),
        Panel("Waiting in Kafka", (Question(m.KAFKA_LAG.name, "records"),), bounds=(0, None)),
        Panel("Writes repeated", (Question(rate(m.SINK_RETRIES, "sink"), "{{sink}}"),),
              bounds=(0, None), unit="reqps"),
        Panel("Readings by channel", (Question(rate(m.READINGS, "channel"), "{{channel}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("Event time", (Question(f"{m.WATERMARK.name} * 1000", "watermark"),),
              unit="dateTimeAsIso"),
        Panel("Trend panes by timing", (Question(rate(m.TRENDS, "timing"), "{{timing}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("Duplicates dropped", (Question(rate(m.DUPLICATES, "channel"), "{{channel}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("Age of the newest checkpoint", (Question(f"time() - {m.CHECKPOINT.name}"),),
              "number", "s", 6),
        Panel("Task managers", (Question(TASK_MANAGERS),), "number", width=6),
        Panel("Failed checkpoints", (Question(FAILED_CHECKPOINTS),), "number", width=6),
        Panel("Restarts", (Question(RESTARTS),), "number", width=6),
        Panel("Time of a checkpoint", (Question(CHECKPOINT_MILLISECONDS, "newest"),), unit="ms",
              bounds=(0, None)),
        Panel("Size of a checkpoint", (Question(CHECKPOINT_BYTES, "newest"),), unit="bytes",
              bounds=(0, None)),
        Panel("Flink's busiest task", (Question(BUSY, "busy"), Question(HELD_BACK, "held back")),
              unit="percentunit", bounds=(0, 1), about="Held back: what comes after is slower."),
        Panel("Flink's heap", (Question(HEAP, "{{tm_id}}"),), unit="bytes", bounds=(0, None)),
        Panel("What Prometheus reads", (Question("sum by (job) (up)", "{{job}}"),),
              bounds=(0, None)),
        Panel("Brands and series left out", (Question(m.LEFT_OUT.name, "{{what}}"),),
              bounds=(0, None), about="More brands are watched than metrics are told of."),
    ),
    since="now-3h",
)  # fmt: skip

MODEL = Board(
    "moodwire-model",
    "Moodwire: model health",
    "Whether posts are still like those that the model was validated on, and what reading costs.",
    (
        Panel("Readings", (Question(rate(m.READINGS)),), "number", "reqps", 6),
        Panel("Posts that drift is measured on", (Question(f"max({m.DRIFT_POSTS.name})"),),
              "number", width=6),
        Panel("Swaps", (Question(f"sum({m.MODEL_SWAPS.name}) or vector(0)"),), "number", width=6),
        Panel("Refused checkpoints", (Question(f"sum({m.MODEL_REFUSALS.name}) or vector(0)"),),
              "number", width=6),
        Panel("Drift: population stability index", (Question(
              micro(f'max by (statistic) ({m.DRIFT.name}{{measure="psi"}})'), "{{statistic}}"),),
              bounds=(0, None), width=24, about="Above 0.2 it is worth a look."),
        Panel("Drift: Jensen-Shannon distance", (Question(
              micro(f'max by (statistic) ({m.DRIFT.name}{{measure="js"}})'), "{{statistic}}"),),
              bounds=(0, 1)),
        Panel("Readings by model", (Question(rate(m.READINGS, "model"), "{{model}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("Time of a batch", (Question(
              f"{rate(m.MODEL_MILLISECONDS)} / {rate(m.MODEL_BATCHES)}", "mean"),),
              unit="ms", bounds=(0, None)),
        Panel("Posts of a batch", (Question(f"{rate(m.READINGS)} / {rate(m.MODEL_BATCHES)}",
              "mean"),), bounds=(0, None)),
        Panel("Answered from memory", (Question(
              f"{rate(m.MODEL_REMEMBERED)} / {rate(m.READINGS)}", "share"),),
              unit="percentunit", bounds=(0, 1), about="Posts equal to one read before."),
        Panel("Second model: other sentiment", (Question(
              f"sum({m.SHADOW_DIFFERING.name}) / sum({m.SHADOW_POSTS.name})", "share"),),
              unit="percentunit", bounds=(0, 1)),
        Panel("Second model: mean difference", (Question(micro(
              f"sum by (output) ({m.SHADOW_DIFFERENCES.name})"
              f" / on() group_left sum({m.SHADOW_POSTS.name})"), "{{output}}"),),
              bounds=(0, None)),
        Panel("Second model: left out", (Question(
              f"sum by (cause) ({m.SHADOW_SKIPPED.name})", "{{cause}}"),), bounds=(0, None)),
    ),
    since="now-24h",
)  # fmt: skip

QUALITY = Board(
    "moodwire-quality",
    "Moodwire: data quality",
    "What is refused, what fails an expectation, which images cannot be used.",
    (
        Panel("Refused by cause", (Question(f"sum by (stage, cause) ({m.DEAD_LETTERS.name})",
              "{{stage}}: {{cause}}"),), bounds=(0, None), width=24),
        Panel("Share refused", (Question(f"sum({m.DEAD_LETTERS.name}) / sum({m.POSTS_READ.name})",
              "refused"),), unit="percentunit", bounds=(0, None)),
        Panel("Images that could not be used", (Question(f"sum by (cause) ({m.MEDIA_FAULTS.name})",
              "{{cause}}"),), bounds=(0, None)),
        Panel("Failed expectations", (Question(f"sum by (expectation) ({m.EXPECTATIONS.name})",
              "{{expectation}}"),), bounds=(0, None), width=24),
        Panel("Duplicates", (Question(f"sum by (channel) ({m.DUPLICATES.name})", "{{channel}}"),),
              bounds=(0, None), width=24),
    ),
    since="now-24h",
)  # fmt: skip
