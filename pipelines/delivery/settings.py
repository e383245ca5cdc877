"""The part of the settings that says who is told of alerts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from pipelines.delivery.events import AlertEvent
from pipelines.strict import Address, Seconds, Severity, Strict
from schemas.records import AlertKind

# Waits between attempts, three days in all (Standard Webhooks 1.0, "Deliverability").
RETRY_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)


class ReceiverSettings(Strict, frozen=True, kw_only=True):
    """Somebody who is told of alerts, and of which; an empty choice is all."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")]
    min_severity: Severity = 1
    kinds: tuple[AlertKind, ...] = ()
    brands: tuple[str, ...] = ()
    events: tuple[AlertEvent, ...] = ("opened", "escalated", "resolved", "withdrawn")


class WebhookSettings(ReceiverSettings, frozen=True, kw_only=True):
    """An HTTP address that takes signed messages."""

    url: Address
    secrets: tuple[str, ...]
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10
    allow_private_addresses: bool = False


class ServiceSettings(ReceiverSettings, frozen=True, kw_only=True):
    """An e-mail, chat or paging service by its Apprise address."""

    url: str


class AlertmanagerSettings(Strict, frozen=True, kw_only=True):
    """The Alertmanager that groups, silences and routes alerts."""

    url: Address = "http://127.0.0.1:9093"
    min_severity: Severity = 1
    repeat_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0)] = 5


class DeliverySettings(Strict, frozen=True, kw_only=True):
    """How `moodwire deliver` brings alerts to people."""

    state: str = "out/delivery.sqlite"
    page_url: Address | None = None
    retry_seconds: tuple[Seconds, ...] = RETRY_SECONDS
    webhooks: tuple[WebhookSettings, ...] = ()
    services: tuple[ServiceSettings, ...] = ()
    alertmanager: AlertmanagerSettings | None = None

    def problems(self, brands: Sequence[str]) -> Iterator[str]:
        """What does not fit to the other settings, each with its key and remedy.

        A file that names no `brands` may be of a machine that only delivers.
        """
        for group, receivers in (("webhooks", self.webhooks), ("services", self.services)):
            for number, receiver in enumerate(receivers):
                for name in receiver.brands:
                    if brands and name not in brands:
                        yield (
                            f"delivery.{group}[{number}].brands: {name!r} is none of `brands`, so "
                            f"{receiver.name} would hear nothing of it; name one of them, or "
                            "leave `brands` out for all"
                        )
