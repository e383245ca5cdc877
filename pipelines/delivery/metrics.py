"""What Prometheus is told of delivery, read from the outbox and the service at each scrape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from dashboards.live.exposition import Labelled, family_of
from pipelines.delivery.outbox import State
from pipelines.delivery.service import Service
from schemas.metrics import (
    DELIVERY_ALERTMANAGER,
    DELIVERY_DISABLED,
    DELIVERY_FAILURES,
    DELIVERY_MESSAGES,
    DELIVERY_OLDEST,
    DELIVERY_READ,
    DELIVERY_WAITING,
)

OUTCOMES: tuple[State, ...] = ("delivered", "dead")


@dataclass(frozen=True)
class DeliveryCollector(Collector):
    """How `service` stands with each receiver that the settings name.

    Counters are the outbox's own, so they go on after a restart.
    """

    service: Service

    def collect(self) -> Iterable[Family]:
        """Every metric of delivery."""
        outbox, names = self.service.outbox, [r.name for r in self.service.receivers]
        attempts = {name: outbox.attempts(name) for name in names}
        waiting = {name: outbox.waiting(name) for name in names}
        ended: Labelled = {(n, o): attempts[n][o] for n in names for o in OUTCOMES}
        yield family_of(DELIVERY_MESSAGES, ended)
        failed: Labelled = {
            (n,): tried.total() - tried["delivered"] for n, tried in attempts.items()
        }
        yield family_of(DELIVERY_FAILURES, failed)
        yield family_of(DELIVERY_WAITING, {(n,): count for n, (count, _) in waiting.items()})
        yield family_of(DELIVERY_OLDEST, {(n,): seconds for n, (_, seconds) in waiting.items()})
        disabled: Labelled = {(n,): outbox.disabled_reason(n) is not None for n in names}
        yield family_of(DELIVERY_DISABLED, disabled)
        yield family_of(DELIVERY_READ, {(): self.service.read_at})
        if self.service.alertmanager is not None:
            yield family_of(DELIVERY_ALERTMANAGER, {(): self.service.alertmanager_said is None})
